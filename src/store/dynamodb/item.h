// item.h — rows as items of one table.
//
// The key's first field is the partition key, a second one the sort key; without a key (append) the
// partition key is penstock_row, the record's place in the log. Items that may change carry
// penstock_version (version.h); those that leave after a time, penstock_expires.
//
// Thread      one; a maker is immutable after make().
// Limits      400 KiB an item, as DynamoDB counts; partition keys of 2,048 bytes, sort keys of
//             1,024.
// Errors      S008 from make(): the key is no key of DynamoDB's. A row that does not fit is a
//             Refusal.
#pragma once

#include "flow/store.h"
#include "store/dynamodb/attribute.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace penstock::store::dynamodb {

inline constexpr size_t kItemBytesMax = 400 * 1024;
inline constexpr std::string_view kVersionAttribute = "penstock_version";
inline constexpr std::string_view kExpiryAttribute = "penstock_expires";
inline constexpr std::string_view kRowAttribute = "penstock_row";

struct KeyPart {
  std::string name;
  std::string type;  // "S", "N", "B"
  bool operator==(const KeyPart&) const = default;
};
// One or two; S008 for keys that DynamoDB can not have.
Result<std::vector<KeyPart>> key_parts(const flow::StoreTable& table);

struct Item {
  std::string json;     // {"meter_id":{"S":"m1"},…}
  std::string key;      // its key's attributes, as text: equal for equal keys
  std::string version;  // empty: whoever has the key has the item
  size_t origin = 0;    // bytes at the version's beginning that name the lineage (upsert), or 0
  flow::RowId row;
  uint32_t table = 0;  // which of the store's tables it is for
};

class ItemMaker {
 public:
  // `immutable`: the key determines the item, so there is no version.
  static Result<ItemMaker> make(const flow::StoreSpec& spec, bool immutable);

  // `expires`: seconds since 1970.
  bool encode(const flow::StoreRows& rows, uint32_t row, std::optional<int64_t> expires, Item& item,
              Refusal& refusal) const;

 private:
  struct Column {
    std::string name;
    std::string head;  // "name": with a comma before
    const avro::Node* type = nullptr;
    int key_part = -1;
    bool newest = false;
  };
  bool append(const Column& column, const row::Column& values, uint32_t row, Item& item,
              size_t& size, Refusal& refusal) const;
  void append_origin(flow::RowId id, Item& item) const;

  avro::SchemaPtr schema_;
  std::vector<Column> columns_;
  std::vector<std::string> lineages_;
  bool append_ = false;
  bool versioned_ = false;
};

}  // namespace penstock::store::dynamodb
