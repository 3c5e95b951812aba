#include "store/dynamodb/answer.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace penstock::store::dynamodb {
namespace {

using Json = nlohmann::ordered_json;

Failure unreadable(std::string_view what) {
  return fail("S033"_code, "an answer of DynamoDB's without " + std::string(what));
}

std::string text_of(const Json& node, const char* name) {
  const auto found = node.is_object() ? node.find(name) : node.end();
  return found != node.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const Json* member(const Json& node, const char* name) {
  if (!node.is_object()) return nullptr;
  const auto found = node.find(name);
  return found == node.end() ? nullptr : &*found;
}

std::string decoded(std::string_view base64) {
  std::string bytes;
  uint32_t group = 0;
  int bits = 0;
  for (const char c : base64) {
    const int digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (digit < 0) break;
    group = group << 6 | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(group >> bits);
  }
  return bytes;
}

// An attribute's value without its types: {"M":{"a":{"N":"1"}}} is {"a":1}.
Json plain(const Json& value) {
  if (!value.is_object() || value.size() != 1) return nullptr;
  const std::string& type = value.begin().key();
  const Json& inner = value.begin().value();
  if (type == "N" && inner.is_string())
    return Json::parse(inner.get<std::string>(), nullptr, false);
  if (type == "NULL") return nullptr;
  if (type == "M" && inner.is_object()) {
    Json map = Json::object();
    for (const auto& [name, each] : inner.items()) map[name] = plain(each);
    return map;
  }
  if (type == "L" && inner.is_array()) {
    Json list = Json::array();
    for (const Json& each : inner) list.push_back(plain(each));
    return list;
  }
  return inner;
}

Values values_of(const Json& item) {
  Values values;
  if (!item.is_object()) return values;
  for (const auto& [name, node] : item.items()) {
    if (!node.is_object() || node.size() != 1) continue;
    Value value{node.begin().key(), {}};
    const Json& inner = node.begin().value();
    if (value.type == "M" || value.type == "L") {
      value.text = plain(node).dump(-1, ' ', false, Json::error_handler_t::replace);
    } else if (inner.is_boolean()) {
      value.text = inner.get<bool>() ? "true" : "false";
    } else if (inner.is_string()) {
      value.text = inner.get<std::string>();
      if (value.type == "B") value.text = decoded(value.text);
    }
    values[name] = std::move(value);
  }
  return values;
}

}  // namespace

Result<std::optional<Values>> item_of(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return unreadable("JSON");
  const Json* item = member(json, "Item");
  if (item == nullptr) return std::optional<Values>();
  return std::optional<Values>(values_of(*item));
}

Result<ScanPage> page_of(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  const Json* count = member(json, "Count");
  if (count == nullptr || !count->is_number_unsigned()) return unreadable("a Count");
  ScanPage page;
  page.count = count->get<uint64_t>();
  if (const Json* items = member(json, "Items"); items != nullptr && items->is_array()) {
    for (const Json& item : *items) page.items.push_back(values_of(item));
  }
  if (const Json* next = member(json, "LastEvaluatedKey"); next != nullptr && next->is_object())
    page.next = next->dump();
  return page;
}

Result<TableFacts> table_of(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  const Json* table = member(json, "Table");
  if (table == nullptr) table = member(json, "TableDescription");
  if (table == nullptr) return unreadable("a table's description");
  TableFacts facts;
  facts.status = text_of(*table, "TableStatus");
  const Json* schema = member(*table, "KeySchema");
  const Json* types = member(*table, "AttributeDefinitions");
  if (schema == nullptr || !schema->is_array()) return unreadable("a KeySchema");
  for (const Json& part : *schema) {
    KeyPart key{text_of(part, "AttributeName"), {}};
    if (types != nullptr && types->is_array()) {
      for (const Json& type : *types) {
        if (text_of(type, "AttributeName") == key.name) key.type = text_of(type, "AttributeType");
      }
    }
    const bool first = text_of(part, "KeyType") == "HASH";
    facts.key.insert(first ? facts.key.begin() : facts.key.end(), std::move(key));
  }
  const Json* throughput = member(*table, "ProvisionedThroughput");
  const Json* units = throughput == nullptr ? nullptr : member(*throughput, "WriteCapacityUnits");
  if (units != nullptr && units->is_number_unsigned()) facts.write_units = units->get<uint64_t>();
  return facts;
}

Result<std::string> expiry_of(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  const Json* description = member(json, "TimeToLiveDescription");
  if (description == nullptr) return unreadable("a TimeToLiveDescription");
  const std::string status = text_of(*description, "TimeToLiveStatus");
  const bool on = status == "ENABLED" || status == "ENABLING";
  return on ? text_of(*description, "AttributeName") : std::string();
}

Result<std::vector<Values>> unprocessed_of(std::string_view body, std::string_view table) {
  std::vector<Values> left;
  // Nearly always there are none, and nobody has to read the rest.
  if (body.find(R"("UnprocessedItems":{})") != body.npos) return left;
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return unreadable("JSON");
  const Json* all = member(json, "UnprocessedItems");
  const Json* of_table = all == nullptr ? nullptr : member(*all, std::string(table).c_str());
  if (of_table == nullptr || !of_table->is_array()) return left;
  for (const Json& request : *of_table) {
    const Json* put = member(request, "PutRequest");
    const Json* item = put == nullptr ? nullptr : member(*put, "Item");
    if (item == nullptr) return unreadable("the item that it did not process");
    left.push_back(values_of(*item));
  }
  return left;
}

Values attributes_of(std::string_view json) { return values_of(Json::parse(json, nullptr, false)); }

double capacity_of(std::string_view body) {
  constexpr std::string_view kName = R"("CapacityUnits":)";
  const size_t at = body.find(kName);
  if (at == body.npos) return 0;
  const std::string number(body.substr(at + kName.size(), 32));
  return std::strtod(number.c_str(), nullptr);
}

}  // namespace penstock::store::dynamodb
