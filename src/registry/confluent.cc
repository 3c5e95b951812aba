#include "registry/confluent.h"

#include "base/json_write.h"
#include "rule/base64.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::registry {
namespace {

constexpr int64_t kAskMillis = 5'000;
constexpr size_t kAnswerBytesMax = 1 << 20;
constexpr std::string_view kMediaType = "application/vnd.schemaregistry.v1+json";
constexpr int64_t kIdMax = 0x7fff'ffff;  // it is an int of Java's

std::string body_of(const avro::Schema& schema) { return object_of({{"schema", schema.json()}}); }

std::string words_of(const avro::Json& json, std::string_view fallback) {
  std::string words = text_of(json, "message");
  if (words.empty()) words = fallback;
  if (words.size() > 400) words.resize(400);
  std::ranges::replace(words, '\n', ' ');
  return words;
}

bool is_avro(const avro::Json& json) {
  const std::string type = text_of(json, "schemaType");
  return type.empty() || type == "AVRO";
}

}  // namespace

Result<std::unique_ptr<Confluent>> Confluent::make(ConfluentSettings settings) {
  PENSTOCK_TRY(base, http::parse_url(settings.url));
  while (base.path.ends_with('/')) base.path.pop_back();
  PENSTOCK_TRY(client, http::Client::make({.connections_per_host = 4,
                                           .authorities = settings.ca,
                                           .certificate = settings.certificate,
                                           .key = settings.key}));
  return std::unique_ptr<Confluent>(
      new Confluent(std::move(settings), std::move(base), std::move(client)));
}

std::string Confluent::subject_of(std::string_view topic, const avro::Schema& schema) const {
  switch (settings_.subjects) {
    case Subjects::record:
      return schema.root().name;
    case Subjects::topic_record:
      return fmt::format("{}-{}", topic, schema.root().name);
    case Subjects::topic:
      break;
  }
  return fmt::format("{}-value", topic);
}

Error Confluent::nonsense(const std::string& what) const {
  return fail("L144"_code, fmt::format("{}: {}", where(), what)).take();
}

Result<Confluent::Answer> Confluent::answer_of(const http::Response& response,
                                               const std::string& what) const {
  Answer answer;
  answer.status = response.status;
  auto json = avro::read_json(response.body);
  answer.garbled = !json;
  if (json) answer.json = std::move(*json);
  answer.error_code = number_of(answer.json, "error_code").value_or(0);
  const std::string words = words_of(answer.json, "no reason given");
  if (answer.status == 401 || answer.status == 403) {
    return fail("L141"_code, fmt::format("{}: {}: {} {}", where(), what, answer.status, words));
  }
  if (answer.status >= 500 || answer.status == 429 || answer.status == 408) {
    return fail("L140"_code, fmt::format("{}: {}: {} {}", where(), what, answer.status, words));
  }
  return answer;
}

// A page of something else, at a wrong address, says 404 as well.
Result<Confluent::Answer> Confluent::ask(std::string method, const std::string& path,
                                         std::string body) {
  PENSTOCK_TRY(answer, send(std::move(method), path, std::move(body)));
  if (answer.makes_sense()) return std::move(answer);
  return std::unexpected(
      nonsense(fmt::format("{}: {} without what a registry says", path, answer.status)));
}

// Registries that know no GUIDs have no such page: then nobody knows the schema.
Result<Confluent::Answer> Confluent::ask_guid(const avro::SchemaId& id) {
  PENSTOCK_TRY(answer, send("GET", "/schemas/guids/" + avro::uuid_text(id), {}));
  if (answer.good() && answer.garbled) return std::unexpected(nonsense("a schema is no JSON"));
  return std::move(answer);
}

Result<Confluent::Answer> Confluent::send(std::string method, const std::string& path,
                                          std::string body) {
  http::Request request{.method = std::move(method), .url = base_, .body = std::move(body)};
  const std::string what = fmt::format("{} {}", request.method, path);
  const size_t query = path.find('?');
  request.url.path += path.substr(0, query);
  if (query != std::string::npos) request.url.query = path.substr(query + 1);
  request.headers.push_back({"Accept", std::string(kMediaType)});
  if (!request.body.empty()) request.headers.push_back({"Content-Type", std::string(kMediaType)});
  if (!settings_.token.empty()) {
    request.headers.push_back(
        {"Authorization", fmt::format("Bearer {}", settings_.token.reveal())});
  } else if (!settings_.user.empty()) {
    const std::string login =
        rule::to_base64(fmt::format("{}:{}", settings_.user, settings_.password.reveal()));
    request.headers.push_back({"Authorization", "Basic " + login});
  }
  request.timeout_millis = kAskMillis;
  request.max_answer_bytes = kAnswerBytesMax;
  request.repeatable = true;  // registering twice gives the same id
  const http::Outcome outcome = client_->perform(std::move(request));
  if (!outcome) {
    const Error error = http::error_of(outcome.error(), what);
    return fail("L140"_code, fmt::format("{}: {}", where(), error.message)).cure(error.cure);
  }
  return answer_of(*outcome, what);
}

// ---- reading

Result<void> Confluent::gather(const avro::Json& json, References& others) {
  const avro::Json* references = json.member("references");
  if (references == nullptr) return {};
  for (const avro::Json& each : references->items) {
    const std::string name = text_of(each, "name");
    if (others.contains(name)) continue;
    if (others.size() >= kReferencesMax) {
      return std::unexpected(
          nonsense(fmt::format("a schema refers to more than {} others", kReferencesMax)));
    }
    const std::string path =
        fmt::format("/subjects/{}/versions/{}", http::percent_encoded(text_of(each, "subject")),
                    number_of(each, "version").value_or(-1));
    PENSTOCK_TRY(answer, ask("GET", path));
    if (!answer.good()) return std::unexpected(nonsense("a schema is missing: " + path));
    others.emplace(name, text_of(answer.json, "schema"));
    PENSTOCK_TRY_VOID(gather(answer.json, others));
  }
  return {};
}

// Of an answer that holds one; its references fetched. An A… where the text is no schema.
Result<avro::SchemaPtr> Confluent::whole(const avro::Json& json) {
  References others;
  PENSTOCK_TRY_VOID(gather(json, others));
  return with_references(text_of(json, "schema"), others);
}

Result<Registry::Fetched> Confluent::fetch(const avro::SchemaId& id) {
  const bool by_guid = id.framing == avro::Framing::confluent_guid;
  if (!by_guid && id.low > static_cast<uint64_t>(kIdMax))
    return Fetched{nullptr, "the registry gives no such ids"};
  PENSTOCK_TRY(answer, by_guid ? ask_guid(id) : ask("GET", fmt::format("/schemas/ids/{}", id.low)));
  if (!answer.good()) {
    return Fetched{nullptr, fmt::format("the registry knows no such schema: {}",
                                        words_of(answer.json, "no reason given"))};
  }
  if (!is_avro(answer.json)) {
    return Fetched{nullptr, fmt::format("what the registry calls so is of type {}, not Avro",
                                        text_of(answer.json, "schemaType"))};
  }
  auto schema = whole(answer.json);
  if (schema) return Fetched{std::move(*schema), {}};
  if (catalogue_entry(schema.error().code).name.front() != 'A')
    return std::unexpected(std::move(schema).error());
  return Fetched{nullptr, fmt::format("the registry's schema is none: {}", schema.error().message)};
}

// ---- registering

Result<avro::SchemaId> Confluent::id_of(const avro::Json& json, avro::Framing framing) const {
  if (framing == avro::Framing::confluent) {
    const int64_t id = number_of(json, "id").value_or(-1);
    if (id < 0 || id > kIdMax) return std::unexpected(nonsense("no id in an answer"));
    return avro::SchemaId{framing, 0, static_cast<uint64_t>(id)};
  }
  avro::SchemaId id{framing, 0, 0};
  if (!avro::parse_uuid(text_of(json, "guid"), id)) {
    return fail("L144"_code, fmt::format("{} gives schemas no GUIDs", where()))
        .because("registries do since Confluent Platform 8.0")
        .cure("write framing: confluent, which needs ids only");
  }
  return id;
}

Result<std::optional<avro::SchemaId>> Confluent::look_up(const std::string& subject,
                                                         avro::Framing framing,
                                                         const avro::Schema& schema) {
  PENSTOCK_TRY(answer, ask("POST", "/subjects/" + http::percent_encoded(subject), body_of(schema)));
  if (answer.status == 404) return std::optional<avro::SchemaId>();
  if (!answer.good())
    return std::unexpected(nonsense(words_of(answer.json, "a schema cannot be looked up")));
  PENSTOCK_TRY(id, id_of(answer.json, framing));
  return std::optional(id);
}

Result<avro::SchemaId> Confluent::enroll(const std::string& subject, avro::Framing framing,
                                         const avro::Schema& schema) {
  PENSTOCK_TRY(answer,
               ask("POST", fmt::format("/subjects/{}/versions", http::percent_encoded(subject)),
                   body_of(schema)));
  if (answer.good() && framing == avro::Framing::confluent) return id_of(answer.json, framing);
  if (answer.good()) {
    PENSTOCK_TRY(known, look_up(subject, framing, schema));
    if (!known) return std::unexpected(nonsense("a schema is gone that was registered"));
    return *known;
  }
  const std::string words = words_of(answer.json, "no reason given");
  // The registry's verdict stands; ours says which field it is.
  auto before = past(subject);
  if (before) {
    if (auto error = objection(*before, subject, schema)) return std::unexpected(*std::move(error));
  }
  return fail("L142"_code,
              fmt::format("{} refuses the schema for subject {}: {}", where(), subject, words));
}

Result<Past> Confluent::past(const std::string& subject) {
  const std::string encoded = http::percent_encoded(subject);
  Past past;
  PENSTOCK_TRY(own, ask("GET", "/config/" + encoded));
  past.compatibility = text_of(own.json, "compatibilityLevel");
  if (past.compatibility.empty()) {
    PENSTOCK_TRY(all, ask("GET", "/config"));
    past.compatibility = text_of(all.json, "compatibilityLevel");
  }
  PENSTOCK_TRY(versions, ask("GET", fmt::format("/subjects/{}/versions", encoded)));
  if (!versions.good()) return past;
  const auto& numbers = versions.json.items;
  const size_t wanted = past.compatibility.ends_with("_TRANSITIVE") ? kVersionsMax : 1;
  for (size_t i = 0; i < std::min(wanted, numbers.size()); ++i) {
    const std::string& number = numbers[numbers.size() - 1 - i].text;
    PENSTOCK_TRY(one, ask("GET", fmt::format("/subjects/{}/versions/{}", encoded, number)));
    if (!one.good() || !is_avro(one.json)) continue;
    PENSTOCK_TRY(schema, whole(one.json));
    past.versions.push_back({number, std::move(schema)});
  }
  return past;
}

}  // namespace penstock::registry
