#include "registry/references.h"

#include "avro/library.h"

namespace penstock::registry {

Result<avro::SchemaPtr> with_references(std::string_view text, const References& others) {
  if (others.empty()) return avro::parse(text);
  avro::Library library;
  for (const auto& [name, other] : others) PENSTOCK_TRY_VOID(library.add(name, other));
  PENSTOCK_TRY_VOID(library.add("the schema", text));
  PENSTOCK_TRY(whole, library.whole(static_cast<uint32_t>(others.size())));
  return avro::parse(whole);
}

}  // namespace penstock::registry
