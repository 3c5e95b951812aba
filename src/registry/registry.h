// registry.h — what a schema registry has to be able to do.
//
// Thread      any; every call waits for the registry, a few seconds at most.
// Errors      L140 (not now), L141 (refused us), L144 (no sense in it): ask again later. L142: the
//             schema does not fit those before it.
//
//     PENSTOCK_TRY(fetched, registry.fetch({Framing::confluent, 0, 7}));
#pragma once

#include "avro/framing.h"
#include "avro/schema.h"
#include "base/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::registry {

// Under which name a topic's schema stands.
enum class Subjects : uint8_t { topic, record, topic_record };
Subjects subjects_of(std::string_view text);

// What there is under a name already.
struct Past {
  std::string compatibility;  // "BACKWARD", "FULL_TRANSITIVE", "NONE", … as the registry says it
  // What a new version is compared with, the newest first: one, or all when it is transitive.
  struct Version {
    std::string name;  // "3"
    avro::SchemaPtr schema;
  };
  std::vector<Version> versions;
};

inline constexpr size_t kVersionsMax = 50;  // in Past

// Why the registry will refuse `schema`, with the field; nothing when it fits.
std::optional<Error> objection(const Past& past, const std::string& subject,
                               const avro::Schema& schema);

class Registry {
 public:
  virtual ~Registry() = default;
  virtual std::string where() const = 0;
  virtual bool speaks(avro::Framing framing) const = 0;
  virtual bool may_register() const = 0;
  virtual std::string subject_of(std::string_view topic, const avro::Schema& schema) const = 0;

  struct Fetched {
    avro::SchemaPtr schema;  // null: nobody will ever read by it
    std::string why;         // … and why
  };
  virtual Result<Fetched> fetch(const avro::SchemaId& id) = 0;
  // What `framing` calls the schema under that subject; nothing when it is not there.
  virtual Result<std::optional<avro::SchemaId>> look_up(const std::string& subject,
                                                        avro::Framing framing,
                                                        const avro::Schema& schema) = 0;
  // As look_up(), after having registered it.
  virtual Result<avro::SchemaId> enroll(const std::string& subject, avro::Framing framing,
                                        const avro::Schema& schema) = 0;
  virtual Result<Past> past(const std::string& subject) = 0;
};

}  // namespace penstock::registry
