#include "store/dynamodb/dynamodb_store.h"

#include "base/json_write.h"
#include "store/dynamodb/answer.h"
#include "store/dynamodb/table.h"
#include "store/thread/threaded_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

namespace penstock::store::dynamodb {
namespace {

const std::vector<KeyPart>& positions_key() {
  static const std::vector<KeyPart> key = {{"id", "S"}};
  return key;
}

// Calls `take` with each page, `pages` at most; true when that was all.
Result<bool> scan(Caller& caller, const std::string& table, std::string_view extra, uint32_t pages,
                  const std::function<Result<void>(ScanPage)>& take) {
  std::string next;
  for (uint32_t page = 0; page < pages; ++page) {
    std::string body = R"({"TableName":)";
    append_json_string(table, body);
    body += R"(,"ConsistentRead":true)";
    body += extra;
    if (!next.empty()) body += R"(,"ExclusiveStartKey":)" + next;
    body += '}';
    const Reply reply = caller.perform("Scan", std::move(body));
    if (reply.code == "ResourceNotFoundException") return true;
    if (reply.trouble != Trouble::none)
      return std::unexpected(
          to_error(reply, fmt::format("{}, table \"{}\"", caller.access().where, table)));
    PENSTOCK_TRY(got, page_of(reply.body));
    next = got.next;
    PENSTOCK_TRY_VOID(take(std::move(got)));
    if (next.empty()) return true;
  }
  return false;
}

std::string text_of(const Values& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? std::string() : found->second.text;
}

int64_t number_of(const Values& values, std::string_view name) {
  const std::string text = text_of(values, name);
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string row_json(const flow::StoreTable& table, const Values& values) {
  std::string row = "{";
  for (const avro::Field& field : table.schema->root().fields) {
    if (row.size() > 1) row += ',';
    append_json_string(field.name, row);
    row += ':';
    const auto found = values.find(field.name);
    if (found == values.end()) {
      row += "null";
    } else if (found->second.type == "S") {
      append_json_string(found->second.text, row);
    } else if (found->second.type == "B") {
      // Avro's JSON: each byte is the code point of its value.
      std::string text;
      for (const char byte : found->second.text) {
        const auto code = static_cast<unsigned char>(byte);
        if (code >= 0x80) text += static_cast<char>(0xc0 | code >> 6);
        text += code < 0x80 ? byte : static_cast<char>(0x80 | (code & 0x3f));
      }
      append_json_string(text, row);
    } else {
      row += found->second.text;
    }
  }
  return row + "}";
}

}  // namespace

Result<std::unique_ptr<DynamoDbStore>> DynamoDbStore::open(StoreSettings settings,
                                                           const Clock& clock,
                                                           aws::Surroundings here) {
  auto access = std::make_shared<Access>();
  http::ClientOptions options;
  if (const auto file = here.variable("AWS_CA_BUNDLE")) options.authorities = *file;
  PENSTOCK_TRY(client, http::Client::make(std::move(options)));
  access->client = std::move(client);
  PENSTOCK_TRY(session, aws::Session::make(std::move(here), *access->client, clock));
  access->session = session;
  access->region = settings.region.empty() ? session->region() : settings.region;
  if (settings.endpoint.empty()) {
    PENSTOCK_TRY(url, session->endpoint("dynamodb", access->region));
    access->url = std::move(url);
    access->where = "DynamoDB in " + access->region;
  } else {
    PENSTOCK_TRY(url, http::parse_url(settings.endpoint));
    access->url = std::move(url);
    access->where = "DynamoDB at " + settings.endpoint;
    if (access->region.empty()) access->region = "us-east-1";  // part of the signature only
  }
  PENSTOCK_TRY(identity, aws::Identity::make(session));
  access->identity = std::move(identity);
  PENSTOCK_TRY_VOID(access->identity->obtain());
  return std::unique_ptr<DynamoDbStore>(
      new DynamoDbStore(std::move(settings), std::move(access), clock));
}

Result<void> DynamoDbStore::ensure_table(Caller& caller, const std::string& table,
                                         const std::vector<KeyPart>& key) const {
  auto there = check_table(caller, table, key);
  if (there || there.error().code != "S031"_code) return there;
  if (settings_.create) return create_table(caller, table, key);
  return fail("S031"_code, fmt::format("{} has no table \"{}\"", access_->where, table))
      .cure(fmt::format("write create: true in the store's line, or make the table with the key {}",
                        describe_key(key)));
}

Result<void> DynamoDbStore::create_missing(const flow::StoreTable& table) {
  PENSTOCK_TRY(key, key_parts(table));
  Caller caller(access_);
  PENSTOCK_TRY_VOID(ensure_table(caller, kPositionsTable, positions_key()));
  for (const std::string& name : names_of(table)) {
    PENSTOCK_TRY_VOID(ensure_table(caller, name, key));
    if (settings_.expire_after_millis) PENSTOCK_TRY_VOID(ensure_expiry(caller, name));
  }
  return {};
}

Result<std::vector<std::string>> DynamoDbStore::describe(const StoreSettings& settings,
                                                         const flow::StoreTable& table) {
  PENSTOCK_TRY(key, key_parts(table));
  std::vector<std::string> lines = {describe_table(kPositionsTable, positions_key(), false)};
  for (const std::string& name : names_of(table))
    lines.push_back(describe_table(name, key, settings.expire_after_millis.has_value()));
  return lines;
}

Result<std::vector<std::string>> DynamoDbStore::compare(const flow::StoreTable& table) {
  PENSTOCK_TRY(key, key_parts(table));
  Caller caller(access_);
  PENSTOCK_TRY(lines, compare_table(caller, kPositionsTable, positions_key(), false));
  for (const std::string& name : names_of(table)) {
    PENSTOCK_TRY(more, compare_table(caller, name, key, settings_.expire_after_millis.has_value()));
    lines.insert(lines.end(), more.begin(), more.end());
  }
  return std::move(lines);
}

std::vector<flow::StoreFigure> DynamoDbStore::figures() const {
  const Usage& usage = *access_->usage;
  return {{"write_units_total", "Write capacity that DynamoDB counted, in units.",
           static_cast<double>(usage.millis_of_units) / 1000.0},
          {"requests_total", "Requests to the store, repeats included.",
           static_cast<double>(usage.requests)},
          {"throttled_total", "Answers that asked to come back more slowly.",
           static_cast<double>(usage.throttled)}};
}

Result<std::unique_ptr<flow::StoreSink>> DynamoDbStore::open_sink(const flow::StoreSpec& spec,
                                                                  flow::Waker& waker) {
  SinkOptions options{settings_.retry, settings_.immutable, settings_.expire_after_millis,
                      mix(static_cast<uint64_t>(clock_.now().value))};
  PENSTOCK_TRY(session, Session::make(access_, spec, options, clock_));
  return std::make_unique<store::ThreadedStoreSink>(std::move(session), waker);
}

Result<flow::StoreState> DynamoDbStore::state(const flow::StoreSpec& spec) {
  Caller caller(access_);
  flow::StoreState state;
  std::vector<std::pair<std::string, flow::GroupPosition>> found;
  const auto take = [&](ScanPage page) -> Result<void> {
    for (const Values& values : page.items) {
      const bool ours = text_of(values, "pipeline") == spec.pipeline &&
                        text_of(values, "store") == spec.store &&
                        (spec.stage.empty() || text_of(values, "stage") == spec.stage);
      if (!ours) continue;
      const bool committed = values.contains("fates");
      const auto fates = committed ? flow::fates_from_text(text_of(values, "fates"))
                                   : std::optional(flow::Fates());
      if (!fates) return fail("S033"_code, "the fates of a position are not readable");
      found.emplace_back(text_of(values, "stage"),
                         flow::GroupPosition{text_of(values, "topic"),
                                             static_cast<int32_t>(number_of(values, "partition")),
                                             Offset{number_of(values, "next")}, *fates});
    }
    return {};
  };
  PENSTOCK_TRY_VOID(scan(caller, kPositionsTable, "", UINT32_MAX, take));
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second.topic, a.second.partition) <
           std::tie(b.first, b.second.topic, b.second.partition);
  });
  for (auto& [stage, position] : found) state.positions.push_back(std::move(position));
  if (spec.table.table.empty()) return state;
  uint64_t rows = 0;
  bool all = true;
  for (const std::string& name : names_of(spec.table)) {
    PENSTOCK_TRY(whole, scan(caller, name, R"(,"Select":"COUNT")", kCountPagesMax,
                             [&](ScanPage page) -> Result<void> {
                               rows += page.count;
                               return {};
                             }));
    all = all && whole;
  }
  if (all) state.rows = rows;
  return state;
}

Result<std::vector<std::string>> DynamoDbStore::newest(const flow::StoreTable& table,
                                                       uint32_t limit,
                                                       const std::optional<flow::RowFilter>& of) {
  Caller caller(access_);
  std::vector<Values> all;
  const auto take = [&](ScanPage page) -> Result<void> {
    for (Values& values : page.items) {
      const auto value = of ? values.find(of->field) : values.end();
      if (of && (value == values.end() || value->second.text != of->value)) continue;
      all.push_back(std::move(values));
    }
    return {};
  };
  for (const std::string& name : names_of(table))
    PENSTOCK_TRY_VOID(scan(caller, name, "", kCountPagesMax, take));
  std::stable_sort(all.begin(), all.end(), [](const Values& a, const Values& b) {
    return text_of(a, kVersionAttribute) > text_of(b, kVersionAttribute);
  });
  std::vector<std::string> rows;
  for (size_t i = 0; i < all.size() && i < limit; ++i) rows.push_back(row_json(table, all[i]));
  return rows;
}

}  // namespace penstock::store::dynamodb
