// row_text.h — the rows of a csv or jsonl text, and each as the Avro datum of a record.
//
// csv: RFC 4180: a header, quotes, CRLF or LF, an optional byte order mark. jsonl: an object per
// line; empty lines are no rows. Columns meet fields by name; a field without a column takes its
// default, or null.
//
// Thread      one owner.
// Lifetime    the text outlives the reader.
// Limits      a row ≤ 1 MiB, 2,000 columns.
// Errors      F002 a row that does not fit, F003 malformed text, F006 columns that do not fit; with
//             file, line, column. After F002 next() goes on with the following row.
//
//     PENSTOCK_TRY(rows, RowText::open(text, "a.csv", Format::csv, schema));
//     while (rows.next()) { auto fits = rows.encode(datum); … }
#pragma once

#include "avro/schema.h"
#include "base/error.h"
#include "file/rows.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::file {

inline constexpr size_t kMaxRowBytes = 1 << 20;

enum class Format : uint8_t { csv, jsonl };
// By the ending of the name; nullopt for others.
std::optional<Format> format_of(std::string_view path);
// The whole file (F001); at most 1 GiB.
Result<std::string> read_file(const std::string& path);

// One cell and where it stands; a row may have several lines.
struct Cell {
  std::string text;
  uint32_t line = 1, column = 1;  // from 1, column in bytes
  size_t line_start = 0;          // of that line, in the text
};

class RowText final : public Rows {
 public:
  static Result<RowText> open(std::string_view text, std::string name, Format format,
                              avro::SchemaPtr schema);
  // Finds the next row; false at the end, an error (F003) when the text is malformed.
  Result<bool> next() override;
  // Appends the row's datum to `out`; on F002 `out` is as before.
  Result<void> encode(std::string& out) override;
  uint32_t line() const { return row_line_; }
  Place row_place() const override { return place(); }

 private:
  RowText() = default;
  Result<void> read_header();
  Result<bool> next_csv();
  Result<bool> next_jsonl();
  bool read_cell(Cell& cell);
  Result<void> encode_csv(std::string& out);
  Result<void> encode_jsonl(std::string& out);
  // At the cell; without one, at the row's beginning.
  Failure malformed(std::string what, const Cell* cell = nullptr) const;
  Place place(const Cell* cell = nullptr) const;

  std::string_view text_;
  std::string name_;
  Format format_ = Format::csv;
  avro::SchemaPtr schema_;
  size_t at_ = 0;
  uint32_t line_ = 1;      // of at_
  size_t line_start_ = 0;  // of line_
  size_t row_start_ = 0;
  uint32_t row_line_ = 1;
  std::string_view row_;     // jsonl: the line
  std::vector<Cell> cells_;  // csv; reused
  size_t cell_count_ = 0;
  size_t header_count_ = 0;
  std::vector<std::optional<uint32_t>> column_of_;  // by field
};

// The header's names, for tables.
Result<std::vector<std::string>> csv_header(std::string_view text, const std::string& name);

}  // namespace penstock::file
