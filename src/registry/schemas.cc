#include "registry/schemas.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::registry {

Schemas::Schemas(flow::SchemaSource& log, std::vector<std::unique_ptr<Registry>> registries)
    : log_(log) {
  for (auto& registry : registries) {
    auto lookup = std::make_unique<Lookup>(*registry);
    uses_.push_back({std::move(registry), std::move(lookup)});
  }
}

Registry* Schemas::registry_for(avro::Framing framing) {
  for (const Use& use : uses_) {
    if (use.registry->speaks(framing)) return use.registry.get();
  }
  return nullptr;
}

flow::SchemaSource::Found Schemas::find_id(const avro::SchemaId& id) {
  for (const Use& use : uses_) {
    if (use.registry->speaks(id.framing)) return use.lookup->find(id);
  }
  return SchemaSource::find_id(id);
}

Result<std::string> Schemas::head(std::string_view topic, avro::Framing framing,
                                  const avro::Schema& schema) {
  if (registry_for(framing) == nullptr) return SchemaSource::head(topic, framing, schema);
  const auto find = [&]() -> std::string {
    const std::lock_guard lock(mutex_);
    const auto found = heads_.find({std::string(topic), framing, schema.fingerprint()});
    return found == heads_.end() ? std::string() : found->second;
  };
  if (std::string known = find(); !known.empty()) return known;
  PENSTOCK_TRY_VOID(enroll(std::string(topic), framing, schema));
  return find();
}

Result<bool> Schemas::enroll(const std::string& topic, avro::Framing framing,
                             const avro::Schema& schema) {
  Registry* registry = registry_for(framing);
  if (registry == nullptr) return false;
  const std::string subject = registry->subject_of(topic, schema);
  PENSTOCK_TRY(known, registry->look_up(subject, framing, schema));
  avro::SchemaId id = known.value_or(avro::SchemaId());
  if (!known) {
    if (!registry->may_register()) {
      return fail("L143"_code, fmt::format("the schema of topic {} is not under subject {} at {}",
                                           topic, subject, registry->where()));
    }
    PENSTOCK_TRY(enrolled, registry->enroll(subject, framing, schema));
    id = enrolled;
  }
  std::string head;
  avro::append_head(id, head);
  const std::lock_guard lock(mutex_);
  heads_[{topic, framing, schema.fingerprint()}] = std::move(head);
  return !known;
}

}  // namespace penstock::registry
