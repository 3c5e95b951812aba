// table.h — tables of DynamoDB: looked at, made, waited for.
//
// Thread      free functions that wait.
// Errors      S002 (another key), S030 (refused), S031 (not there), S032 (later), S033.
#pragma once

#include "flow/store.h"
#include "store/dynamodb/caller.h"
#include "store/dynamodb/item.h"

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::store::dynamodb {

inline constexpr int64_t kTableMillis = 120'000;  // until a table that is made can be used

// Of each of a store's tables.
std::vector<std::string> names_of(const flow::StoreTable& table);
// "meter_id (S, partition key), at (S, sort key)"
std::string describe_key(const std::vector<KeyPart>& key);
// S031 when it is not there.
Result<void> check_table(Caller& caller, const std::string& table, const std::vector<KeyPart>& key);
// On demand. Somebody else may make it at the same time.
Result<void> create_table(Caller& caller, const std::string& table,
                          const std::vector<KeyPart>& key);
// Items leave by penstock_expires.
Result<void> ensure_expiry(Caller& caller, const std::string& table);

// What create_table() and ensure_expiry() would make, in a line.
std::string describe_table(const std::string& table, const std::vector<KeyPart>& key, bool expires);
// For people: in what the table differs from that, a line each.
Result<std::vector<std::string>> compare_table(Caller& caller, const std::string& table,
                                               const std::vector<KeyPart>& key, bool expires);

}  // namespace penstock::store::dynamodb
