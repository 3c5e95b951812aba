#include "flow/log.h"

#include <fmt/format.h>

namespace penstock::flow {

SchemaSource::Found SchemaSource::find_id(const avro::SchemaId& id) {
  if (id.framing == avro::Framing::single_object) return find(id.low);
  static const auto why = std::make_shared<const Error>(
      fail("L145"_code, "the target names no registry that knows such a schema").take());
  return {nullptr, true, why};
}

Result<std::string> SchemaSource::head(std::string_view topic, avro::Framing framing,
                                       const avro::Schema& schema) {
  if (avro::needs_registry(framing)) {
    return fail("L145"_code, fmt::format("topic {} is framed as {}, and the target names no such "
                                         "registry",
                                         topic, avro::to_text(framing)));
  }
  std::string head;
  avro::append_head({framing, 0, schema.fingerprint()}, head);
  return head;
}

}  // namespace penstock::flow
