#include "store/rows/winners.h"

#include "base/arena.h"
#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace penstock::store {
namespace {

void append_int64(int64_t value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// A number's bytes without those that only repeat its sign: two of one value are one key.
ByteView shortest_decimal(ByteView bytes) {
  const auto high = [](char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; };
  while (bytes.size() > 1 &&
         ((bytes[0] == '\0' && !high(bytes[1])) || (bytes[0] == '\xff' && high(bytes[1]))))
    bytes.remove_prefix(1);
  return bytes;
}

bool is_decimal(const avro::Field& field) {
  const avro::Node* inner = field.type->nullable_branch();
  return (inner != nullptr ? inner : field.type)->logical == avro::Logical::decimal;
}

}  // namespace

Winners::Winners(flow::StoreTable table, Blanks blanks)
    : table_(std::move(table)), blanks_(blanks) {
  const auto& fields = table_.schema->root().fields;
  for (uint32_t i = 0; i < fields.size(); ++i) {
    if (std::ranges::find(table_.key, fields[i].name) != table_.key.end()) key_.push_back(i);
    if (table_.newest_by == fields[i].name) newest_ = i;
  }
}

std::pair<uint32_t, uint32_t> Winners::range(uint32_t table) const {
  const auto range = std::ranges::equal_range(winners_, table, {}, &Winner::table);
  return {static_cast<uint32_t>(range.begin() - winners_.begin()),
          static_cast<uint32_t>(range.end() - winners_.begin())};
}

void Winners::choose(std::span<const flow::StoreRows> rows, const std::set<flow::RowId>& refused) {
  winners_.clear();
  rejected_.clear();
  Arena arena;
  std::unordered_map<std::string_view, size_t> places;
  std::string key;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    PENSTOCK_CHECK(rows[i].columns.size() == table_.schema->root().fields.size());
    if (!key_.empty()) places.reserve(places.size() + rows[i].count);
    for (uint32_t j = 0; j < rows[i].count; ++j) {
      if (!refused.empty() && refused.contains(rows[i].ids[j])) continue;
      const Winner row{i, j, rows[i].table};
      if (key_.empty()) {
        winners_.push_back(row);
        continue;
      }
      flow::RejectedRow bad{rows[i].ids[j], {}, {}};
      if (!append_key(rows[i], j, key, bad)) {
        rejected_.push_back(std::move(bad));
        continue;
      }
      if (const auto found = places.find(key); found == places.end()) {
        places.emplace(arena.copy(key), winners_.size());
        winners_.push_back(row);
      } else if (replaces(rows, winners_[found->second], row)) {
        winners_[found->second] = row;
      }
    }
  }
  if (!table_.each.empty()) std::ranges::stable_sort(winners_, {}, &Winner::table);
}

ByteView Winners::text_of(const row::Column& column, uint32_t row) const {
  ByteView text = column.views[row];
  if (blanks_ == Blanks::trailing_ignored && column.kind == row::Kind::string) {
    while (text.ends_with(' ')) text.remove_suffix(1);
  }
  return text;
}

bool Winners::append_key(const flow::StoreRows& rows, uint32_t row, std::string& key,
                         flow::RejectedRow& rejected) const {
  const auto usable = [&](uint32_t field) {
    const row::Column& column = rows.columns[field];
    const std::string& name = table_.schema->root().fields[field].name;
    if (column.is_null(row)) {
      rejected.reason = "store.not_null";
      rejected.detail = fmt::format("column \"{}\" is null", name);
    } else if (column.kind == row::Kind::float64 && std::isnan(column.float64s[row])) {
      rejected.reason = "store.not_a_number";
      rejected.detail = fmt::format("column \"{}\" is not a number", name);
    }
    return rejected.reason.empty();
  };
  key.clear();
  append_int64(rows.table, key);
  for (const uint32_t field : key_) {
    if (!usable(field)) return false;
    const row::Column& column = rows.columns[field];
    switch (column.kind) {
      case row::Kind::boolean:
        key += static_cast<char>(column.booleans[row]);
        break;
      case row::Kind::int64:
        append_int64(column.int64s[row], key);
        break;
      case row::Kind::float64:  // -0.0 is 0.0 to every server
        append_int64(column.float64s[row] == 0.0 ? 0 : column.int64s[row], key);
        break;
      default:
        ByteView text = text_of(column, row);
        if (is_decimal(table_.schema->root().fields[field])) text = shortest_decimal(text);
        append_int64(static_cast<int64_t>(text.size()), key);
        key += text;
    }
  }
  return table_.merge != flow::Merge::newest_by || usable(newest_);
}

bool Winners::replaces(std::span<const flow::StoreRows> rows, const Winner& old,
                       const Winner& row) const {
  if (table_.merge != flow::Merge::newest_by) return true;
  return compare(rows[old.rows].columns[newest_], old.row, rows[row.rows].columns[newest_],
                 row.row) <= 0;
}

// -1, 0 or 1; text and bytes as memcmp has it.
int Winners::compare(const row::Column& a, uint32_t i, const row::Column& b, uint32_t j) const {
  const auto order = [](const auto& x, const auto& y) { return x < y ? -1 : (y < x ? 1 : 0); };
  switch (a.kind) {
    case row::Kind::boolean:
      return order(a.booleans[i], b.booleans[j]);
    case row::Kind::int64:
      return order(a.int64s[i], b.int64s[j]);
    case row::Kind::float64:
      return order(a.float64s[i], b.float64s[j]);
    default:
      return order(text_of(a, i), text_of(b, j));
  }
}

}  // namespace penstock::store
