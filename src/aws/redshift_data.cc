#include "aws/redshift_data.h"

#include "aws/answer.h"
#include "aws/json_value.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace penstock::aws {
namespace {

using Kind = JsonValue::Kind;
using std::chrono::steady_clock;

constexpr int64_t kCallMillis = 20'000;
constexpr int64_t kPauseFirstMillis = 20, kPauseLastMillis = 1'000;
constexpr std::array<std::string_view, 5> kThrottles = {
    "ThrottlingException", "ActiveStatementsExceededException", "ActiveSessionsExceededException",
    "ActiveWaitingRequestsExceededException", "TooManyRequestsException"};

constexpr std::string_view kFrom = "Redshift's Data API";

Failure unreadable(std::string_view why) {
  return fail("W006"_code, fmt::format("the answer of {} cannot be read: {}", kFrom, why));
}

Result<JsonValue> parse(std::string_view text) {
  std::optional<JsonValue> told = parse_json(text);
  if (!told || told->kind != Kind::object) return unreadable("it is no JSON object");
  return *std::move(told);
}

void add_member(std::string_view name, std::string_view text, std::string& out) {
  if (text.empty()) return;
  out += out.size() == 1 ? "\"" : ",\"";
  out += name;
  out += "\":";
  append_json_string(text, out);
}

std::string with_id(std::string_view id, std::string_view next = {}) {
  std::string body = "{";
  add_member("Id", id, body);
  add_member("NextToken", next, body);
  return body + "}";
}

// Nothing while it goes on.
std::optional<DataEnd> end_of(std::string_view status) {
  if (status == "FINISHED") return DataEnd::finished;
  if (status == "FAILED") return DataEnd::failed;
  if (status == "ABORTED") return DataEnd::aborted;
  return std::nullopt;
}

DataStatement statement_of(const JsonValue& told, DataEnd otherwise) {
  return {told.text_of("Id"), end_of(told.text_of("Status")).value_or(otherwise),
          told.whole_of("ResultRows"), told.truth_of("HasResultSet"), told.text_of("Error")};
}

// A cell: {"isNull": true}, {"longValue": 1}, {"stringValue": "x"} …
Result<std::optional<std::string>> cell_of(const JsonValue& cell) {
  if (cell.kind != Kind::object || cell.items.size() != 1) {
    return unreadable("a value has another form");
  }
  const JsonValue& value = cell.items[0];
  if (cell.names[0] == "isNull") return std::nullopt;
  if (cell.names[0] == "blobValue") return unreadable("bytes are not taken as a value");
  switch (value.kind) {
    case Kind::text:
      return value.text;
    case Kind::boolean:
      return value.truth ? "t" : "f";
    case Kind::whole:
      return fmt::to_string(value.whole);
    case Kind::number:
      return fmt::to_string(value.number);
    default:
      return unreadable("a value has another form");
  }
}

Result<DataRow> row_of(const JsonValue& record) {
  if (record.kind != Kind::list) return unreadable("a row has another form");
  DataRow row;
  for (const JsonValue& cell : record.items) {
    PENSTOCK_TRY(value, cell_of(cell));
    row.push_back(std::move(value));
  }
  return row;
}

}  // namespace

Result<std::unique_ptr<RedshiftData>> RedshiftData::open(Identity& identity, RedshiftAccess access,
                                                         RetryOptions retry) {
  PENSTOCK_TRY(url, identity.session().endpoint("redshift-data", access.place.region));
  PENSTOCK_TRY_VOID(identity.obtain());
  return std::unique_ptr<RedshiftData>(
      new RedshiftData(identity, std::move(access), std::move(url), retry));
}

RedshiftData::RedshiftData(Identity& identity, RedshiftAccess access, http::Url url,
                           RetryOptions retry)
    : identity_(identity),
      access_(std::move(access)),
      url_(std::move(url)),
      repeater_(identity.session().client(), retry),
      signer_({.region = access_.place.region.empty() ? identity.session().region()
                                                      : access_.place.region,
               .service = "redshift-data"}) {}

http::Request RedshiftData::request(std::string_view operation, const std::string& body) {
  http::Request request{.method = "POST", .url = url_, .body = body};
  request.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                     {"X-Amz-Target", fmt::format("RedshiftData.{}", operation)}};
  request.timeout_millis = kCallMillis;
  request.max_answer_bytes = 8 * 1024 * 1024;
  request.repeatable = true;
  if (const SharedCredentials mine = identity_.current())
    signer_.sign(request, *mine, identity_.session().now());
  return request;
}

Result<std::string> RedshiftData::call(std::string_view operation, const std::string& body) {
  const std::string what = fmt::format("{} {}", kFrom, operation);
  Result<std::string> answer = fail("W004"_code, what + ": stopped");
  const auto read = [&](http::Outcome outcome, bool) {
    if (!outcome) {
      answer = std::unexpected(http::error_of(outcome.error(), what));
      return Verdict::again;
    }
    identity_.session().note(*outcome);
    if (outcome->status == 200) {
      answer = std::move(outcome->body);
      return Verdict::settled;
    }
    const std::string code = refusal_of(*outcome).code;
    if (is_about_credentials(code)) identity_.doubt();
    answer = std::unexpected(refused(*outcome, what));
    if (std::ranges::find(kThrottles, code) != kThrottles.end() || outcome->status == 429)
      return Verdict::again_later;
    const bool passing = outcome->status >= 500 || code == "RequestTimeTooSkewed" ||
                         code.starts_with("ExpiredToken") || code == "InternalServerException";
    return passing ? Verdict::again : Verdict::settled;
  };
  if (!repeater_.perform([&] { return request(operation, body); }, read)) {
    return fail("W004"_code, what + ": stopped");
  }
  return answer;
}

std::string RedshiftData::run_body(std::span<const std::string> sqls,
                                   std::string_view token) const {
  std::string body = "{";
  add_member(access_.place.serverless ? "WorkgroupName" : "ClusterIdentifier", access_.place.name,
             body);
  add_member("Database", access_.database, body);
  add_member("SecretArn", access_.secret, body);
  if (!access_.place.serverless && access_.secret.empty()) add_member("DbUser", access_.user, body);
  add_member("ClientToken", token, body);
  if (sqls.size() == 1) {
    add_member("Sql", sqls[0], body);
    return body + "}";
  }
  body += R"(,"Sqls":[)";
  for (const std::string& sql : sqls) {
    if (&sql != &sqls.front()) body += ',';
    append_json_string(sql, body);
  }
  return body + "]}";
}

Result<DataRun> RedshiftData::run(std::span<const std::string> sqls, std::string_view token,
                                  int64_t millis) {
  const bool fit = !sqls.empty() && sqls.size() <= kDataStatementsMax &&
                   std::ranges::all_of(sqls, [](const std::string& sql) {
                     return !sql.empty() && sql.size() <= kDataStatementBytesMax;
                   });
  if (!fit) {
    return fail("W004"_code, fmt::format("{} takes 1 to {} statements of at most {} bytes", kFrom,
                                         kDataStatementsMax, kDataStatementBytesMax));
  }
  PENSTOCK_TRY(begun, call(sqls.size() == 1 ? "ExecuteStatement" : "BatchExecuteStatement",
                           run_body(sqls, token)));
  PENSTOCK_TRY(told, parse(begun));
  const std::string id = told.text_of("Id");
  if (id.empty()) return unreadable("it names no Id");
  PENSTOCK_TRY(ended, wait(id, millis));
  if (ended) return *std::move(ended);
  // It may have ended meanwhile: what counts is what is found afterwards.
  (void)call("CancelStatement", with_id(id));
  PENSTOCK_TRY(late, wait(id, millis));
  if (late) return *std::move(late);
  return fail("W004"_code, fmt::format("{}: a run has not ended after {} ms", kFrom, 2 * millis));
}

// Nothing when it has not ended in time.
Result<std::optional<DataRun>> RedshiftData::wait(const std::string& id, int64_t millis) {
  const auto until = steady_clock::now() + std::chrono::milliseconds(millis);
  int64_t pause = kPauseFirstMillis;
  while (true) {
    PENSTOCK_TRY(run, look(id));
    if (run || steady_clock::now() >= until) return std::move(run);
    if (!repeater_.pause(pause)) return fail("W004"_code, fmt::format("{}: stopped", kFrom));
    pause = std::min(kPauseLastMillis, pause * 3 / 2);
  }
}

Result<std::optional<DataRun>> RedshiftData::look(const std::string& id) {
  PENSTOCK_TRY(answer, call("DescribeStatement", with_id(id)));
  PENSTOCK_TRY(told, parse(answer));
  const std::string status = told.text_of("Status");
  const std::optional<DataEnd> end = end_of(status);
  if (!end) {
    const bool going = status == "SUBMITTED" || status == "PICKED" || status == "STARTED";
    if (going) return std::nullopt;
    return unreadable(fmt::format("a status {}", penstock::quoted(status)));
  }
  DataRun run{*end, told.text_of("Error"), {}};
  const JsonValue* parts = told.member("SubStatements");
  if (parts == nullptr || parts->items.empty()) {
    DataStatement only = statement_of(told, *end);
    only.id = id;
    run.statements.push_back(std::move(only));
    return run;
  }
  for (const JsonValue& part : parts->items) {
    if (part.kind != Kind::object) return unreadable("a statement has another form");
    run.statements.push_back(statement_of(part, *end));
    if (run.error.empty()) run.error = part.text_of("Error");
  }
  return run;
}

Result<std::vector<DataRow>> RedshiftData::rows(const DataStatement& statement, size_t rows_max) {
  std::vector<DataRow> rows;
  std::string next;
  do {
    PENSTOCK_TRY(answer, call("GetStatementResult", with_id(statement.id, next)));
    PENSTOCK_TRY(told, parse(answer));
    const JsonValue* records = told.member("Records");
    if (records == nullptr || records->kind != Kind::list) return unreadable("it has no Records");
    for (const JsonValue& record : records->items) {
      if (rows.size() == rows_max) return unreadable(fmt::format("above {} rows", rows_max));
      PENSTOCK_TRY(row, row_of(record));
      rows.push_back(std::move(row));
    }
    const std::string before = std::exchange(next, told.text_of("NextToken"));
    if (!next.empty() && next == before) return unreadable("the same page again");
  } while (!next.empty());
  return rows;
}

}  // namespace penstock::aws
