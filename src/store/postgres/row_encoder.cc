#include "store/postgres/row_encoder.h"

#include "base/arena.h"
#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace penstock::store::postgres {
namespace {

using namespace std::string_view_literals;

// -1, 0 or 1; text and bytes as memcmp has it, which is COLLATE "C".
int compare(const row::Column& a, uint32_t i, const row::Column& b, uint32_t j) {
  const auto order = [](const auto& x, const auto& y) { return x < y ? -1 : (y < x ? 1 : 0); };
  switch (a.kind) {
    case row::Kind::boolean:
      return order(a.booleans[i], b.booleans[j]);
    case row::Kind::int64:
      return order(a.int64s[i], b.int64s[j]);
    case row::Kind::float64:
      return order(a.float64s[i], b.float64s[j]);
    default:
      return order(a.views[i], b.views[j]);
  }
}

}  // namespace

RowEncoder::RowEncoder(const flow::StoreTable& table) : table_(table) {
  const auto& fields = table_.schema->root().fields;
  for (uint32_t i = 0; i < fields.size(); ++i) {
    const bool in_key = std::ranges::find(table_.key, fields[i].name) != table_.key.end();
    const bool is_newest = table_.newest_by == fields[i].name;
    columns_.push_back(column_type(*fields[i].type, in_key || is_newest));
    if (in_key) key_.push_back(i);
    if (is_newest) newest_ = i;
  }
}

std::string_view RowEncoder::header() { return "PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"sv; }
std::string_view RowEncoder::trailer() { return "\xff\xff"sv; }

flow::RowId RowEncoder::id(uint32_t row) const { return ids_[row]; }

ByteView RowEncoder::bytes(uint32_t begin, uint32_t end) const {
  const size_t from = begin == 0 ? 0 : ends_[begin - 1];
  const size_t to = end == 0 ? 0 : ends_[end - 1];
  return ByteView(bytes_).substr(from, to - from);
}

std::pair<uint32_t, uint32_t> RowEncoder::range(uint32_t table) const {
  const auto range = std::ranges::equal_range(winners_, table, {}, &Row::table);
  return {static_cast<uint32_t>(range.begin() - winners_.begin()),
          static_cast<uint32_t>(range.end() - winners_.begin())};
}

void RowEncoder::encode(std::span<const flow::StoreRows> rows,
                        const std::set<flow::RowId>& refused) {
  winners_.clear();
  ids_.clear();
  ends_.clear();
  bytes_.clear();
  rejected_.clear();
  choose(rows, refused);
  if (!table_.each.empty()) std::ranges::stable_sort(winners_, {}, &Row::table);
  for (uint32_t i = 0; i < winners_.size(); ++i) {
    const Row& winner = winners_[i];
    encode_row(rows[winner.rows], winner.row, i);
  }
}

void RowEncoder::choose(std::span<const flow::StoreRows> rows,
                        const std::set<flow::RowId>& refused) {
  Arena arena;
  std::unordered_map<std::string_view, size_t> places;
  std::string key;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    PENSTOCK_CHECK(rows[i].columns.size() == columns_.size());
    if (!key_.empty()) places.reserve(places.size() + rows[i].count);
    for (uint32_t j = 0; j < rows[i].count; ++j) {
      if (!refused.empty() && refused.contains(rows[i].ids[j])) continue;
      const Row row{i, j, rows[i].table};
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
}

bool RowEncoder::append_key(const flow::StoreRows& rows, uint32_t row, std::string& key,
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
  append_int32(static_cast<int32_t>(rows.table), key);
  for (const uint32_t field : key_) {
    if (!usable(field)) return false;
    const row::Column& column = rows.columns[field];
    switch (column.kind) {
      case row::Kind::boolean:
        key += static_cast<char>(column.booleans[row]);
        break;
      case row::Kind::int64:
      case row::Kind::float64:
        append_int64(column.int64s[row], key);
        break;
      default:
        append_int64(static_cast<int64_t>(column.views[row].size()), key);
        key += column.views[row];
    }
  }
  return table_.merge != flow::Merge::newest_by || usable(newest_);
}

bool RowEncoder::replaces(std::span<const flow::StoreRows> rows, const Row& old,
                          const Row& row) const {
  if (table_.merge != flow::Merge::newest_by) return true;
  return compare(rows[old.rows].columns[newest_], old.row, rows[row.rows].columns[newest_],
                 row.row) <= 0;
}

void RowEncoder::encode_row(const flow::StoreRows& rows, uint32_t row, uint32_t place) {
  const auto& fields = table_.schema->root().fields;
  append_int16(static_cast<int16_t>(columns_.size() + 1), bytes_);
  append_int32(4, bytes_);
  append_int32(static_cast<int32_t>(place), bytes_);
  std::string_view reason;
  std::string why;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (append_cell(columns_[i], rows.columns[i], row, bytes_, reason, why)) continue;
    rejected_.push_back(
        {rows.ids[row], std::string(reason), fmt::format("column \"{}\" {}", fields[i].name, why)});
    break;
  }
  ids_.push_back(rows.ids[row]);
  ends_.push_back(bytes_.size());
}

}  // namespace penstock::store::postgres
