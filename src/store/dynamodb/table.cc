#include "store/dynamodb/table.h"

#include "base/json_write.h"
#include "store/dynamodb/answer.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

namespace penstock::store::dynamodb {
namespace {

std::string name_body(const std::string& table) {
  std::string body = R"({"TableName":)";
  append_json_string(table, body);
  return body + "}";
}

Result<TableFacts> facts_of(Caller& caller, const std::string& table) {
  const Reply reply = caller.perform("DescribeTable", name_body(table));
  if (reply.trouble != Trouble::none)
    return std::unexpected(
        to_error(reply, fmt::format("{}, table \"{}\"", caller.access().where, table)));
  return table_of(reply.body);
}

Result<std::string> expiry_attribute(Caller& caller, const std::string& table) {
  const Reply reply = caller.perform("DescribeTimeToLive", name_body(table));
  if (reply.trouble != Trouble::none)
    return std::unexpected(
        to_error(reply, fmt::format("{}, table \"{}\"", caller.access().where, table)));
  return expiry_of(reply.body);
}

}  // namespace

std::vector<std::string> names_of(const flow::StoreTable& table) {
  return table.each.empty() ? std::vector<std::string>{table.table} : table.each;
}

std::string describe_key(const std::vector<KeyPart>& key) {
  std::string text;
  for (const KeyPart& part : key) {
    text += fmt::format("{}{} ({}, {} key)", text.empty() ? "" : ", ", part.name, part.type,
                        &part == key.data() ? "partition" : "sort");
  }
  return text;
}

Result<void> check_table(Caller& caller, const std::string& table,
                         const std::vector<KeyPart>& key) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTableMillis);
  while (true) {
    PENSTOCK_TRY(facts, facts_of(caller, table));
    if (facts.key != key) {
      return fail("S002"_code, fmt::format("{}, table \"{}\" has the key {}; the records need {}",
                                           caller.access().where, table, describe_key(facts.key),
                                           describe_key(key)));
    }
    if (facts.status != "CREATING") return {};
    if (std::chrono::steady_clock::now() > deadline)
      return fail("S032"_code, fmt::format("{}, table \"{}\" is still being made",
                                           caller.access().where, table));
    // The service has no way to tell when it is ready but to be asked.
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

Result<void> create_table(Caller& caller, const std::string& table,
                          const std::vector<KeyPart>& key) {
  std::string schema, types;
  for (const KeyPart& part : key) {
    const bool first = &part == key.data();
    std::string name;
    append_json_string(part.name, name);
    schema += fmt::format(R"({}{{"AttributeName":{},"KeyType":"{}"}})", first ? "" : ",", name,
                          first ? "HASH" : "RANGE");
    types += fmt::format(R"({}{{"AttributeName":{},"AttributeType":"{}"}})", first ? "" : ",", name,
                         part.type);
  }
  std::string body = name_body(table);
  body.pop_back();
  body += fmt::format(
      R"(,"KeySchema":[{}],"AttributeDefinitions":[{}],"BillingMode":"PAY_PER_REQUEST"}})", schema,
      types);
  const Reply reply = caller.perform("CreateTable", std::move(body));
  if (reply.trouble != Trouble::none && reply.code != "ResourceInUseException")
    return std::unexpected(
        to_error(reply, fmt::format("{}, table \"{}\"", caller.access().where, table)));
  return check_table(caller, table, key);
}

Result<void> ensure_expiry(Caller& caller, const std::string& table) {
  const std::string where = fmt::format("{}, table \"{}\"", caller.access().where, table);
  PENSTOCK_TRY(attribute, expiry_attribute(caller, table));
  if (attribute == kExpiryAttribute) return {};
  if (!attribute.empty())
    return fail("S002"_code, fmt::format("{} lets items expire by \"{}\"", where, attribute))
        .cure(fmt::format("leave expire_after: out, or let the table's items expire by {}",
                          kExpiryAttribute));
  std::string body = name_body(table);
  body.pop_back();
  body += fmt::format(R"(,"TimeToLiveSpecification":{{"Enabled":true,"AttributeName":"{}"}}}})",
                      kExpiryAttribute);
  const Reply set = caller.perform("UpdateTimeToLive", std::move(body));
  if (set.trouble != Trouble::none) return std::unexpected(to_error(set, where));
  return {};
}

std::string describe_table(const std::string& table, const std::vector<KeyPart>& key,
                           bool expires) {
  return fmt::format("table \"{}\": key {}; on demand{}", table, describe_key(key),
                     expires ? fmt::format("; items leave by {}", kExpiryAttribute) : "");
}

Result<std::vector<std::string>> compare_table(Caller& caller, const std::string& table,
                                               const std::vector<KeyPart>& key, bool expires) {
  std::vector<std::string> lines;
  const auto tell = [&](std::string_view what) {
    lines.push_back(fmt::format("table \"{}\" {}", table, what));
  };
  auto facts = facts_of(caller, table);
  if (!facts && facts.error().code == "S031"_code) {
    tell("is not there");
    return lines;
  }
  if (!facts) return std::unexpected(std::move(facts).error());
  if (facts->key != key) {
    tell(fmt::format("has the key {}; the records need {}: name another table",
                     describe_key(facts->key), describe_key(key)));
  }
  if (facts->write_units > 0) {
    tell(fmt::format("is provisioned for {} write units a second: what is above waits",
                     facts->write_units));
  }
  PENSTOCK_TRY(attribute, expiry_attribute(caller, table));
  if (expires && attribute != kExpiryAttribute) {
    tell(attribute.empty() ? "lets no item expire yet"
                           : fmt::format("lets items expire by \"{}\"", attribute));
  }
  if (!expires && !attribute.empty())
    tell(fmt::format("lets items expire by \"{}\"; the pipeline does not ask for it", attribute));
  return lines;
}

}  // namespace penstock::store::dynamodb
