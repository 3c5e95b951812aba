// answer.h — what DynamoDB's answers say; the only door to the JSON library of this room.
//
// Thread      free functions.
// Errors      S033 when an answer is not what the service documents.
#pragma once

#include "base/error.h"
#include "store/dynamodb/item.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::store::dynamodb {

struct Value {
  std::string type;  // "S", "N", "B", "BOOL", "M", "L", …
  std::string text;  // of S, N and BOOL; B decoded; M and L as plain JSON
};
using Values = std::map<std::string, Value, std::less<>>;

// Nothing when there is no such item.
Result<std::optional<Values>> item_of(std::string_view body);

struct ScanPage {
  std::vector<Values> items;
  uint64_t count = 0;
  std::string next;  // JSON for ExclusiveStartKey, "" at the end
};
Result<ScanPage> page_of(std::string_view body);

struct TableFacts {
  std::string status;  // "ACTIVE"
  std::vector<KeyPart> key;
  uint64_t write_units = 0;  // provisioned, a second; 0: on demand
};
Result<TableFacts> table_of(std::string_view body);
// {"TimeToLiveDescription": …}: the attribute, "" when there is none.
Result<std::string> expiry_of(std::string_view body);

// The items of a batch that were not processed.
Result<std::vector<Values>> unprocessed_of(std::string_view body, std::string_view table);
// Of an item's JSON, as it is sent.
Values attributes_of(std::string_view json);
// Consumed units, by searching: 0 when the answer does not say.
double capacity_of(std::string_view body);

}  // namespace penstock::store::dynamodb
