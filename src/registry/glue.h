// glue.h — AWS Glue's schema registry: versions by UUID, schemas by name, requests signed by SigV4.
//
// Thread      any; waits.
// Limits      an answer of 1 MiB; kVersionsMax versions to compare with.
// Errors      see registry.h; make(): those of aws/session.h and aws/identity.h.
#pragma once

#include "aws/identity.h"
#include "base/clock.h"
#include "registry/json.h"
#include "registry/registry.h"

#include <chrono>
#include <memory>
#include <string>

namespace penstock::registry {

struct GlueSettings {
  std::string name;      // of the registry: "default-registry"
  std::string region;    // "" = AWS's own settings
  std::string endpoint;  // "" = the region's
  Subjects subjects = Subjects::topic;
  bool may_register = true;
  std::string compatibility = "BACKWARD";        // of a schema that is made
  std::chrono::milliseconds between_looks{250};  // at a version that is being checked
};

class Glue final : public Registry {
 public:
  static Result<std::unique_ptr<Glue>> make(GlueSettings settings, const Clock& clock);

  std::string where() const override { return "Glue registry " + settings_.name; }
  bool speaks(avro::Framing framing) const override { return framing == avro::Framing::glue; }
  bool may_register() const override { return settings_.may_register; }
  std::string subject_of(std::string_view topic, const avro::Schema& schema) const override;

  Result<Fetched> fetch(const avro::SchemaId& id) override;
  Result<std::optional<avro::SchemaId>> look_up(const std::string& subject, avro::Framing framing,
                                                const avro::Schema& schema) override;
  Result<avro::SchemaId> enroll(const std::string& subject, avro::Framing framing,
                                const avro::Schema& schema) override;
  Result<Past> past(const std::string& subject) override;

 private:
  // What the service says; `code` of a refusal that is about the question, as of a missing schema.
  struct Answer {
    avro::Json json;
    std::string code, words;
  };
  Glue(GlueSettings settings, std::unique_ptr<http::Client> client,
       std::unique_ptr<aws::Identity> identity, http::Url url, std::string region)
      : settings_(std::move(settings)),
        client_(std::move(client)),
        identity_(std::move(identity)),
        url_(std::move(url)),
        region_(std::move(region)) {}
  Result<Answer> ask(std::string_view action, std::string body);
  std::string schema_id(const std::string& subject) const;
  Result<avro::SchemaId> settled(const std::string& subject, const avro::Schema& schema,
                                 Answer answer);
  Error refused(const std::string& subject, const avro::Schema& schema, std::string words);
  Error nonsense(const std::string& what) const;

  const GlueSettings settings_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<aws::Identity> identity_;  // before the client in time
  const http::Url url_;
  const std::string region_;
};

}  // namespace penstock::registry
