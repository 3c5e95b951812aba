#include "store/dynamodb/item.h"

#include "base/json_write.h"
#include "store/dynamodb/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace penstock::store::dynamodb {
namespace {

constexpr size_t kKeyBytesMax[] = {2048, 1024};

Failure no_key(std::string message, std::string cure) {
  return fail("S008"_code, std::move(message)).cure(std::move(cure));
}

}  // namespace

Result<std::vector<KeyPart>> key_parts(const flow::StoreTable& table) {
  if (table.key.empty()) return std::vector<KeyPart>{{std::string(kRowAttribute), "S"}};
  if (table.key.size() > 2) {
    return no_key(fmt::format("table \"{}\" has a key of {} fields", table.table, table.key.size()),
                  "DynamoDB's keys have a partition key and at most a sort key: join the others "
                  "into one field by a set step");
  }
  std::vector<KeyPart> parts;
  for (const std::string& name : table.key) {
    const avro::Field* field = table.schema->root().field(name);
    if (field == nullptr)
      return fail("S008"_code,
                  fmt::format("key \"{}\" of table \"{}\" is no field", name, table.table));
    const std::string_view type = key_type(*field->type);
    if (type.empty()) {
      return no_key(fmt::format("key \"{}\" of table \"{}\" is {}", name, table.table,
                                avro::describe(*field->type)),
                    "DynamoDB's keys are text, numbers or bytes");
    }
    parts.push_back({name, std::string(type)});
  }
  return parts;
}

Result<ItemMaker> ItemMaker::make(const flow::StoreSpec& spec, bool immutable) {
  const flow::StoreTable& table = spec.table;
  PENSTOCK_TRY(parts, key_parts(table));
  ItemMaker maker;
  maker.schema_ = table.schema;
  maker.lineages_ = spec.lineages;
  maker.append_ = table.merge == flow::Merge::append;
  maker.versioned_ = !maker.append_ && !immutable;
  for (const avro::Field& field : table.schema->root().fields) {
    Column column;
    column.name = field.name;
    column.head = ",";
    append_json_string(field.name, column.head);
    column.head += ':';
    column.type = field.type;
    for (size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].name == field.name) column.key_part = static_cast<int>(i);
    }
    column.newest = field.name == table.newest_by;
    if (column.newest && !can_be_newest(*field.type)) {
      return no_key(fmt::format("newest_by \"{}\" is {}", field.name, avro::describe(*field.type)),
                    "name a number, a time or a text");
    }
    maker.columns_.push_back(std::move(column));
  }
  return maker;
}

bool ItemMaker::encode(const flow::StoreRows& rows, uint32_t row, std::optional<int64_t> expires,
                       Item& item, Refusal& refusal) const {
  item.row = rows.ids[row];
  item.json = "{";
  size_t size = 0;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (append(columns_[i], rows.columns[i], row, item, size, refusal)) continue;
    refusal.detail = fmt::format("field \"{}\" {}", columns_[i].name, refusal.detail);
    return false;
  }
  append_origin(item.row, item);
  if (expires) {
    fmt::format_to(std::back_inserter(item.json), R"(,"{}":{{"N":"{}"}})", kExpiryAttribute,
                   *expires);
    size += kExpiryAttribute.size() + 7;
  }
  if (!item.version.empty()) {
    item.json += fmt::format(R"(,"{}":{{"B":")", kVersionAttribute);
    append_base64(item.version, item.json);
    item.json += "\"}";
    size += kVersionAttribute.size() + item.version.size();
  }
  if (append_) size += kRowAttribute.size() + item.key.size();
  if (size > kItemBytesMax) {
    refusal = {"store.too_large",
               fmt::format("the item has {} bytes, DynamoDB takes {}", size, kItemBytesMax)};
    return false;
  }
  if (item.json.size() > 1 && item.json[1] == ',') item.json.erase(1, 1);
  item.json += '}';
  return true;
}

bool ItemMaker::append(const Column& column, const row::Column& values, uint32_t row, Item& item,
                       size_t& size, Refusal& refusal) const {
  const bool needed = column.key_part >= 0 || (column.newest && versioned_);
  if (values.is_null(row)) {
    if (needed) refusal = {"store.not_null", "is null"};
    return !needed;
  }
  const size_t before = item.json.size();
  item.json += column.head;
  const size_t at = item.json.size();
  const size_t size_before = size;
  if (!append_attribute(*column.type, values, row, item.json, size, refusal)) return false;
  if (item.json.size() == at) {  // a union's null
    item.json.resize(before);
    size = size_before;
    return true;
  }
  if (column.key_part >= 0) {
    const size_t bytes = size - size_before;
    if (bytes == 0) return refusal = {"store.empty_key", "is empty, and a part of the key"}, false;
    if (bytes > kKeyBytesMax[column.key_part])
      return refusal = {"store.too_large", "is too long for a key"}, false;
    // In the order of the fields, which is the same for all rows.
    item.key.append(item.json, at);
  }
  if (column.newest && versioned_) append_ordered(*column.type, values, row, item.version);
  size += column.name.size();
  return true;
}

void ItemMaker::append_origin(flow::RowId id, Item& item) const {
  const std::string& lineage = lineages_[id.partition.topic];
  if (append_) {
    item.key = fmt::format("{}/{}/{}", lineage, id.partition.index, id.offset.value);
    item.json += fmt::format(R"(,"{}":{{"S":)", kRowAttribute);
    append_json_string(item.key, item.json);
    item.json += '}';
  }
  if (!versioned_) return;
  const bool only = item.version.empty();
  append_ordered_bytes(lineage, item.version);
  if (only) item.origin = item.version.size();
  append_ordered_whole(id.offset.value, item.version);
}

}  // namespace penstock::store::dynamodb
