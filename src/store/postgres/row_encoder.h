// row_encoder.h — an epoch's rows as one COPY: which of them are written, and their bytes.
//
// Of rows with one key only the one that wins is written (two of them in one statement are an error
// of PostgreSQL's). Rows that no server needs to be asked about are refused here.
//
// Thread      one.
// Lifetime    what encode() was given is read during the call only; bytes until the next call.
//
//     encoder.encode(rows, refused);
//     if (encoder.rejected().empty()) db.put(encoder.header()), db.put(encoder.bytes(0, n)), …
#pragma once

#include "flow/store.h"
#include "store/postgres/column_type.h"
#include "store/rows/winners.h"

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::store::postgres {

class RowEncoder {
 public:
  explicit RowEncoder(const flow::StoreTable& table);

  void encode(std::span<const flow::StoreRows> rows, const std::set<flow::RowId>& refused);

  // The rows that are written, in order of their table (StoreRows::table) and then as they came;
  // the stage's column "ord" counts them.
  uint32_t count() const { return static_cast<uint32_t>(winners_.all().size()); }
  flow::RowId id(uint32_t row) const;
  // Rows of one table: [first, second).
  std::pair<uint32_t, uint32_t> range(uint32_t table) const { return winners_.range(table); }
  const std::vector<flow::RejectedRow>& rejected() const { return rejected_; }

  static std::string_view header();
  ByteView bytes(uint32_t begin, uint32_t end) const;  // of rows [begin, end)
  static std::string_view trailer();

 private:
  void encode_row(const flow::StoreRows& rows, uint32_t row, uint32_t place);

  flow::StoreTable table_;
  std::vector<ColumnType> columns_;
  Winners winners_;
  std::vector<flow::RowId> ids_;
  std::vector<size_t> ends_;
  std::string bytes_;
  std::vector<flow::RejectedRow> rejected_;
};

}  // namespace penstock::store::postgres
