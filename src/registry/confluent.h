// confluent.h — a schema registry that speaks Confluent's REST interface (Confluent's own,
// Apicurio's /apis/ccompat/v7, Karapace, …).
//
// Ids are the registry's own, 31 bits; GUIDs need Confluent Platform 8.0. Schemas of types other
// than Avro are nobody's here. References are fetched and put in.
//
// Thread      any; waits.
// Limits      kReferencesMax schemas referred to; an answer of 1 MiB; kVersionsMax versions to
//             compare with.
// Errors      see registry.h; make(): H001, H003.
#pragma once

#include "base/secret.h"
#include "http/client.h"
#include "registry/json.h"
#include "registry/references.h"
#include "registry/registry.h"

#include <memory>
#include <string>

namespace penstock::registry {

inline constexpr size_t kReferencesMax = 64;

struct ConfluentSettings {
  std::string url;  // "https://registry:8081", a path may follow
  Subjects subjects = Subjects::topic;
  bool may_register = true;
  // How to log in: user and password, or a bearer token, or neither.
  std::string user = {};
  Secret password = {};
  Secret token = {};
  std::string ca = {}, certificate = {}, key = {};  // PEM files; "" = system's, none
};

class Confluent final : public Registry {
 public:
  static Result<std::unique_ptr<Confluent>> make(ConfluentSettings settings);

  std::string where() const override { return http::text_of(base_); }
  bool speaks(avro::Framing framing) const override {
    return framing == avro::Framing::confluent || framing == avro::Framing::confluent_guid;
  }
  bool may_register() const override { return settings_.may_register; }
  std::string subject_of(std::string_view topic, const avro::Schema& schema) const override;

  Result<Fetched> fetch(const avro::SchemaId& id) override;
  Result<std::optional<avro::SchemaId>> look_up(const std::string& subject, avro::Framing framing,
                                                const avro::Schema& schema) override;
  Result<avro::SchemaId> enroll(const std::string& subject, avro::Framing framing,
                                const avro::Schema& schema) override;
  Result<Past> past(const std::string& subject) override;

 private:
  struct Answer {
    unsigned status = 0;
    avro::Json json;
    // Confluent's number of what is wrong (40403, 42201, …); 0 = none given.
    int64_t error_code = 0;
    bool good() const { return status == 200; }
    bool makes_sense() const { return !garbled && (good() || error_code != 0); }
    bool garbled = false;
  };
  Confluent(ConfluentSettings settings, http::Url base, std::unique_ptr<http::Client> client)
      : settings_(std::move(settings)), base_(std::move(base)), client_(std::move(client)) {}
  // What makes no sense is an error (L144); with send() it is an answer.
  Result<Answer> ask(std::string method, const std::string& path, std::string body = {});
  Result<Answer> send(std::string method, const std::string& path, std::string body);
  Result<Answer> answer_of(const http::Response& response, const std::string& what) const;
  Result<avro::SchemaPtr> whole(const avro::Json& json);
  Result<void> gather(const avro::Json& json, References& others);
  Result<avro::SchemaId> id_of(const avro::Json& json, avro::Framing framing) const;
  Result<Answer> ask_guid(const avro::SchemaId& id);
  Error nonsense(const std::string& what) const;

  const ConfluentSettings settings_;
  const http::Url base_;
  const std::unique_ptr<http::Client> client_;
};

}  // namespace penstock::registry
