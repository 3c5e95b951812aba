// winners.h — which rows of an epoch are written: all, or of each key the one that wins.
//
// For stores in which two rows of one key in one statement are an error. Rows that no server needs
// to be asked about (a null in the key) are refused here.
//
// Thread      one.
// Lifetime    the rows are read during choose() only.
//
//     Winners winners(table);
//     winners.choose(rows, refused);
//     for (const Winner& one : winners.all()) write(rows[one.rows], one.row);
#pragma once

#include "flow/store.h"

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace penstock::store {

struct Winner {
  uint32_t rows, row;  // which of the rows() and which of its rows
  uint32_t table;      // StoreRows::table
};

// How the store compares text.
enum class Blanks : uint8_t {
  count,
  trailing_ignored,  // 'a' and 'a ' are one key
};

class Winners {
 public:
  explicit Winners(flow::StoreTable table, Blanks blanks = Blanks::count);

  void choose(std::span<const flow::StoreRows> rows, const std::set<flow::RowId>& refused);

  // In order of their table, and then as they came.
  const std::vector<Winner>& all() const { return winners_; }
  // Those of one table: [first, second).
  std::pair<uint32_t, uint32_t> range(uint32_t table) const;
  const std::vector<flow::RejectedRow>& rejected() const { return rejected_; }

 private:
  bool append_key(const flow::StoreRows& rows, uint32_t row, std::string& key,
                  flow::RejectedRow& rejected) const;
  bool replaces(std::span<const flow::StoreRows> rows, const Winner& old, const Winner& row) const;
  ByteView text_of(const row::Column& column, uint32_t row) const;
  int compare(const row::Column& a, uint32_t i, const row::Column& b, uint32_t j) const;

  flow::StoreTable table_;
  Blanks blanks_;
  std::vector<uint32_t> key_;
  uint32_t newest_ = 0;
  std::vector<Winner> winners_;
  std::vector<flow::RejectedRow> rejected_;
};

}  // namespace penstock::store
