#include "store/postgres/row_encoder.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::store::postgres {
using namespace std::string_view_literals;

RowEncoder::RowEncoder(const flow::StoreTable& table) : table_(table), winners_(table) {
  for (const avro::Field& field : table_.schema->root().fields) {
    const bool in_key = std::ranges::find(table_.key, field.name) != table_.key.end();
    columns_.push_back(column_type(*field.type, in_key || table_.newest_by == field.name));
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

void RowEncoder::encode(std::span<const flow::StoreRows> rows,
                        const std::set<flow::RowId>& refused) {
  ids_.clear();
  ends_.clear();
  bytes_.clear();
  winners_.choose(rows, refused);
  rejected_ = winners_.rejected();
  uint32_t place = 0;
  for (const Winner& winner : winners_.all()) encode_row(rows[winner.rows], winner.row, place++);
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
