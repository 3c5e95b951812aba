// schemas.h — the schemas of the log and of the target's registries, as one SchemaSource.
//
// Thread      find… and enroll() from any thread; head() and enroll() wait, so at start.
// Lifetime    the log's schemas outlive it.
// Errors      enroll(): those of registry.h; L143 where the schema is not there and is not to be
//             registered.
//
//     PENSTOCK_TRY_VOID(schemas.enroll("usage.alpine", avro::Framing::confluent, *schema));
//     PENSTOCK_TRY(head, schemas.head("usage.alpine", avro::Framing::confluent, *schema));
#pragma once

#include "flow/log.h"
#include "registry/lookup.h"
#include "registry/registry.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace penstock::registry {

class Schemas final : public flow::SchemaSource {
 public:
  Schemas(flow::SchemaSource& log, std::vector<std::unique_ptr<Registry>> registries);

  Found find(uint64_t fingerprint) override { return log_.find(fingerprint); }
  Found find_id(const avro::SchemaId& id) override;
  Result<std::string> head(std::string_view topic, avro::Framing framing,
                           const avro::Schema& schema) override;
  Result<void> add(const avro::SchemaPtr& schema) override { return log_.add(schema); }
  std::vector<avro::SchemaPtr> all() override { return log_.all(); }

  // Looks the schema up and registers it where it is missing; true: it was. head() does so where
  // nobody did before.
  Result<bool> enroll(const std::string& topic, avro::Framing framing, const avro::Schema& schema);
  // Null where the framing needs none, or there is none.
  Registry* registry_for(avro::Framing framing);

 private:
  struct Use {
    std::unique_ptr<Registry> registry;
    std::unique_ptr<Lookup> lookup;  // after the registry, so that it ends before it
  };
  flow::SchemaSource& log_;
  std::vector<Use> uses_;
  std::mutex mutex_;
  std::map<std::tuple<std::string, avro::Framing, uint64_t>, std::string> heads_;
};

}  // namespace penstock::registry
