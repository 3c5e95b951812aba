#include "registry/glue.h"

#include "aws/answer.h"
#include "aws/signer.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace penstock::registry {
namespace {

constexpr int64_t kAskMillis = 5'000;
constexpr int kLooksMax = 40;  // at a version that is being checked

bool is_missing(std::string_view code) { return code == "EntityNotFoundException"; }

bool passes(unsigned status, std::string_view code) {
  return status >= 500 || status == 429 || code.contains("Throttl") ||
         code == "ConcurrentModificationException" || code == "OperationTimeoutException" ||
         code == "InternalServiceException";
}

std::string status_of(const avro::Json& json) {
  std::string status = text_of(json, "Status");
  return status.empty() ? text_of(json, "SchemaVersionStatus") : status;
}

}  // namespace

Result<std::unique_ptr<Glue>> Glue::make(GlueSettings settings, const Clock& clock) {
  PENSTOCK_TRY(client, http::Client::make({.connections_per_host = 4}));
  PENSTOCK_TRY(session, aws::Session::make(aws::machine(), *client, clock));
  PENSTOCK_TRY(url, settings.endpoint.empty() ? session->endpoint("glue", settings.region)
                                              : http::parse_url(settings.endpoint));
  std::string region = settings.region.empty() ? session->region() : settings.region;
  PENSTOCK_TRY(identity, aws::Identity::make(std::move(session)));
  return std::unique_ptr<Glue>(new Glue(std::move(settings), std::move(client), std::move(identity),
                                        std::move(url), std::move(region)));
}

std::string Glue::subject_of(std::string_view topic, const avro::Schema& schema) const {
  switch (settings_.subjects) {
    case Subjects::record:
      return schema.root().name;
    case Subjects::topic_record:
      return fmt::format("{}-{}", topic, schema.root().name);
    case Subjects::topic:
      break;
  }
  return std::string(topic);
}

Error Glue::nonsense(const std::string& what) const {
  return fail("L144"_code, fmt::format("{}: {}", where(), what)).take();
}

std::string Glue::schema_id(const std::string& subject) const {
  return object_of({{"RegistryName", settings_.name}, {"SchemaName", subject}});
}

Result<Glue::Answer> Glue::ask(std::string_view action, std::string body) {
  http::Request request{.method = "POST", .url = url_, .body = std::move(body)};
  request.headers.push_back({"Content-Type", "application/x-amz-json-1.1"});
  request.headers.push_back({"X-Amz-Target", fmt::format("AWSGlue.{}", action)});
  request.timeout_millis = kAskMillis;
  request.max_answer_bytes = 1 << 20;
  request.repeatable = true;  // a schema registered twice is the same version
  PENSTOCK_TRY(credentials, identity_->obtain());
  aws::Signer signer({region_, "glue"});
  signer.sign(request, *credentials, identity_->session().now());
  const http::Outcome outcome = client_->perform(std::move(request));
  const std::string what = fmt::format("{}: {}", where(), action);
  if (!outcome) {
    const Error error = http::error_of(outcome.error(), what);
    return fail("L140"_code, error.message).cure(error.cure);
  }
  identity_->session().note(*outcome);
  Answer answer;
  auto json = avro::read_json(outcome->body);
  if (outcome->status == 200 && json) {
    answer.json = std::move(*json);
    return answer;
  }
  const aws::Refusal refusal = aws::refusal_of(*outcome);
  const std::string told = fmt::format("{}: {} {}", what, refusal.code, refusal.message);
  if (passes(outcome->status, refusal.code)) return fail("L140"_code, told);
  const bool credentials_wrong = aws::is_about_credentials(refusal.code);
  if (credentials_wrong) identity_->doubt();
  if (credentials_wrong || outcome->status == 403 || refusal.code.starts_with("AccessDenied"))
    return fail("L141"_code, told);
  if (!json || refusal.code.empty())
    return std::unexpected(
        nonsense(fmt::format("{}: {} without a reason", action, outcome->status)));
  answer.code = refusal.code;
  answer.words = refusal.message;
  return answer;
}

Result<Registry::Fetched> Glue::fetch(const avro::SchemaId& id) {
  PENSTOCK_TRY(answer,
               ask("GetSchemaVersion", object_of({{"SchemaVersionId", avro::uuid_text(id)}})));
  if (!answer.code.empty())
    return Fetched{nullptr, fmt::format("Glue knows no such schema: {}", answer.words)};
  const std::string format = text_of(answer.json, "DataFormat");
  if (format != "AVRO")
    return Fetched{nullptr, fmt::format("what Glue calls so is of format {}, not Avro", format)};
  auto schema = avro::parse(text_of(answer.json, "SchemaDefinition"));
  if (schema) return Fetched{std::move(*schema), {}};
  return Fetched{nullptr, fmt::format("Glue's schema is none: {}", schema.error().message)};
}

Result<std::optional<avro::SchemaId>> Glue::look_up(const std::string& subject, avro::Framing,
                                                    const avro::Schema& schema) {
  std::string body = object_of({{"SchemaDefinition", schema.json()}});
  body.pop_back();
  PENSTOCK_TRY(answer, ask("GetSchemaByDefinition",
                           fmt::format("{},\"SchemaId\":{}}}", body, schema_id(subject))));
  if (is_missing(answer.code)) return std::optional<avro::SchemaId>();
  PENSTOCK_TRY(id, settled(subject, schema, std::move(answer)));
  return std::optional(id);
}

Error Glue::refused(const std::string& subject, const avro::Schema& schema, std::string words) {
  auto before = past(subject);
  if (before) {
    if (auto error = objection(*before, subject, schema)) return *std::move(error);
  }
  return fail("L142"_code, fmt::format("{} refuses the schema for {}: {}", where(), subject, words))
      .take();
}

// A version is checked after it was registered: until then it is PENDING.
Result<avro::SchemaId> Glue::settled(const std::string& subject, const avro::Schema& schema,
                                     Answer answer) {
  avro::SchemaId id{avro::Framing::glue, 0, 0};
  for (int look = 0; look < kLooksMax; ++look) {
    if (!answer.code.empty())
      return std::unexpected(refused(subject, schema, std::move(answer.words)));
    const std::string status = status_of(answer.json);
    if (status == "FAILURE")
      return std::unexpected(refused(subject, schema, "the version's status is FAILURE"));
    if (!avro::parse_uuid(text_of(answer.json, "SchemaVersionId"), id))
      return std::unexpected(nonsense("no SchemaVersionId in an answer"));
    if (status == "AVAILABLE") return id;
    std::this_thread::sleep_for(settings_.between_looks);
    PENSTOCK_TRY(next,
                 ask("GetSchemaVersion", object_of({{"SchemaVersionId", avro::uuid_text(id)}})));
    answer = std::move(next);
  }
  return fail("L140"_code, fmt::format("{}: the version of {} stays PENDING", where(), subject));
}

Result<avro::SchemaId> Glue::enroll(const std::string& subject, avro::Framing,
                                    const avro::Schema& schema) {
  std::string body = object_of({{"SchemaDefinition", schema.json()}});
  body.pop_back();
  PENSTOCK_TRY(answer, ask("RegisterSchemaVersion",
                           fmt::format("{},\"SchemaId\":{}}}", body, schema_id(subject))));
  if (is_missing(answer.code)) {
    std::string made = object_of({{"SchemaName", subject},
                                  {"DataFormat", "AVRO"},
                                  {"Compatibility", settings_.compatibility},
                                  {"SchemaDefinition", schema.json()}});
    made.pop_back();
    PENSTOCK_TRY(first,
                 ask("CreateSchema", fmt::format("{},\"RegistryId\":{}}}", made,
                                                 object_of({{"RegistryName", settings_.name}}))));
    answer = std::move(first);
  }
  return settled(subject, schema, std::move(answer));
}

Result<Past> Glue::past(const std::string& subject) {
  Past past;
  const std::string id = fmt::format("{{\"SchemaId\":{}", schema_id(subject));
  PENSTOCK_TRY(schema, ask("GetSchema", id + "}"));
  if (!schema.code.empty()) return past;
  past.compatibility = text_of(schema.json, "Compatibility");
  const int64_t latest = number_of(schema.json, "LatestSchemaVersion").value_or(0);
  const bool all = past.compatibility.ends_with("_ALL");
  const int64_t wanted = all ? static_cast<int64_t>(kVersionsMax) : 1;
  for (int64_t number = latest; number > std::max<int64_t>(0, latest - wanted); --number) {
    PENSTOCK_TRY(
        one, ask("GetSchemaVersion",
                 fmt::format("{},\"SchemaVersionNumber\":{{\"VersionNumber\":{}}}}}", id, number)));
    auto parsed = avro::parse(text_of(one.json, "SchemaDefinition"));
    if (!one.code.empty() || status_of(one.json) == "FAILURE" || !parsed) continue;
    past.versions.push_back({std::to_string(number), std::move(*parsed)});
  }
  return past;
}

}  // namespace penstock::registry
