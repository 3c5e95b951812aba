#include "file/row_text.h"

#include "avro/json.h"
#include "avro/json_encoder.h"
#include "avro/json_text.h"
#include "avro/utf8.h"
#include "base/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

namespace penstock::file {
namespace {

constexpr size_t kMaxColumns = 2'000;
constexpr uintmax_t kMaxFileBytes = 1u << 30;
constexpr size_t kMaxDatumBytes = 64u << 20;  // small in JSON, larger by its defaults
constexpr size_t kShownBytes = 200;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

std::optional<Format> format_of(std::string_view path) {
  if (path.ends_with(".csv")) return Format::csv;
  if (path.ends_with(".jsonl") || path.ends_with(".ndjson")) return Format::jsonl;
  return std::nullopt;
}

Result<std::string> read_file(const std::string& path) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return fail("F001"_code, fmt::format("{}: {}", path, error.message()));
  if (size > kMaxFileBytes) return fail("F001"_code, path + ": larger than 1 GiB");
  std::string text(size, '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(text.data(), static_cast<std::streamsize>(size));
  if (!in) return fail("F001"_code, path + ": cannot be read");
  return text;
}

Result<RowText> RowText::open(std::string_view text, std::string name, Format format,
                              avro::SchemaPtr schema) {
  RowText rows;
  rows.text_ = text;
  rows.name_ = std::move(name);
  rows.format_ = format;
  rows.schema_ = std::move(schema);
  if (text.starts_with(kByteOrderMark)) rows.at_ = kByteOrderMark.size();
  if (format == Format::csv) PENSTOCK_TRY_VOID(rows.read_header());
  return rows;
}

Result<void> RowText::read_header() {
  PENSTOCK_TRY(any, next_csv());
  if (!any) return malformed("the file has no header");
  header_count_ = cell_count_;
  const auto header = std::span(cells_).first(cell_count_);
  if (schema_ == nullptr) return {};
  const std::vector<avro::Field>& fields = schema_->root().fields;
  std::vector<std::string_view> names;
  for (const avro::Field& field : fields) names.push_back(field.name);
  column_of_.assign(fields.size(), std::nullopt);
  for (size_t i = 0; i < header.size(); ++i) {
    const auto found = std::find(names.begin(), names.end(), header[i].text);
    if (found == names.end()) {
      return fail("F006"_code,
                  fmt::format("column \"{}\" is no field of the records", header[i].text))
          .at(place(&header[i]))
          .hint(did_you_mean(header[i].text, names));
    }
    std::optional<uint32_t>& column = column_of_[found - names.begin()];
    if (column)
      return fail("F006"_code, fmt::format("column \"{}\" occurs twice", header[i].text))
          .at(place(&header[i]));
    column = static_cast<uint32_t>(i);
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (column_of_[i] || fields[i].has_default || fields[i].type->nullable_branch() != nullptr)
      continue;
    return fail("F006"_code, fmt::format("there is no column \"{}\"", fields[i].name)).at(place());
  }
  return {};
}

Result<bool> RowText::next() { return format_ == Format::csv ? next_csv() : next_jsonl(); }

Result<bool> RowText::next_jsonl() {
  while (at_ < text_.size()) {
    row_start_ = line_start_ = at_;
    row_line_ = line_++;
    const size_t end = std::min(text_.find('\n', at_), text_.size());
    row_ = text_.substr(at_, end - at_);
    at_ = std::min(end + 1, text_.size());
    if (row_.ends_with('\r')) row_.remove_suffix(1);
    if (row_.size() > kMaxRowBytes) return malformed("a line of more than 1 MiB");
    if (!avro::valid_utf8(row_.data(), row_.size())) return malformed("the line is not UTF-8");
    if (row_.find_first_not_of(" \t") != row_.npos) return true;
  }
  return false;
}

Result<bool> RowText::next_csv() {
  while (at_ < text_.size() && (text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n")) {
    at_ += text_[at_] == '\n' ? 1 : 2;  // an empty line is no row
    ++line_;
  }
  cell_count_ = 0;
  if (at_ >= text_.size()) return false;
  row_start_ = line_start_ = at_;
  row_line_ = line_;
  bool more = true;
  while (more) {
    if (cell_count_ == kMaxColumns) return malformed("more than 2,000 columns");
    if (cell_count_ == cells_.size()) cells_.emplace_back();
    Cell& cell = cells_[cell_count_++];
    if (!read_cell(cell)) return malformed("a quote that is not closed, or text behind it", &cell);
    if (at_ - row_start_ > kMaxRowBytes) return malformed("a row of more than 1 MiB");
    more = at_ < text_.size() && text_[at_] == ',';
    if (more) ++at_;
  }
  if (text_.substr(at_, 2) == "\r\n") ++at_;
  if (at_ < text_.size()) ++at_;
  ++line_;
  const std::string_view row = text_.substr(row_start_, at_ - row_start_);
  if (!avro::valid_utf8(row.data(), row.size())) return malformed("the row is not UTF-8");
  return true;
}

// Ends before the comma or the end of the line.
bool RowText::read_cell(Cell& cell) {
  cell.text.clear();
  cell.line = line_;
  cell.column = static_cast<uint32_t>(at_ - line_start_ + 1);
  cell.line_start = line_start_;
  if (at_ >= text_.size() || text_[at_] != '"') {
    size_t end = text_.find_first_of(",\n", at_);
    if (end == text_.npos) end = text_.size();
    cell.text = text_.substr(at_, end - at_);
    const bool last = end == text_.size() || text_[end] == '\n';
    if (last && cell.text.ends_with('\r')) {
      cell.text.pop_back();
      if (end < text_.size()) --end;
    }
    at_ = end;
    return true;
  }
  for (++at_; at_ < text_.size() && at_ - row_start_ <= kMaxRowBytes; ++at_) {
    if (text_[at_] == '"') {
      ++at_;
      if (at_ >= text_.size() || text_[at_] != '"') {
        return at_ >= text_.size() || text_[at_] == ',' || text_[at_] == '\n' ||
               text_.substr(at_, 2) == "\r\n";
      }
    } else if (text_[at_] == '\n') {
      ++line_;
      line_start_ = at_ + 1;
    }
    cell.text += text_[at_];
  }
  return false;
}

Result<void> RowText::encode(std::string& out) {
  const size_t before = out.size();
  Result<void> fits = format_ == Format::csv ? encode_csv(out) : encode_jsonl(out);
  if (!fits) out.resize(before);
  return fits;
}

Result<void> RowText::encode_jsonl(std::string& out) {
  auto json = avro::read_json(row_);
  if (!json) return fail("F002"_code, json.error()).at(place());
  if (json->kind != avro::Json::Kind::object)
    return fail("F002"_code, "the line is no JSON object").at(place());
  for (const avro::Field& field : schema_->root().fields) {
    const bool may_lack = !field.has_default && field.type->nullable_branch() != nullptr;
    if (!may_lack || json->member(field.name) != nullptr) continue;
    json->names.push_back(field.name);
    json->items.emplace_back();  // null
  }
  avro::JsonEncoder encoder(avro::JsonEncoder::Form::plain, kMaxDatumBytes, out);
  if (encoder.encode(schema_->root(), *json)) return {};
  return fail("F002"_code, encoder.why()).at(place());
}

Result<void> RowText::encode_csv(std::string& out) {
  if (cell_count_ != header_count_) {
    return fail("F002"_code,
                fmt::format("the row has {} values, the header {}", cell_count_, header_count_))
        .at(place());
  }
  const std::vector<avro::Field>& fields = schema_->root().fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!column_of_[i] && fields[i].has_default) {
      out += fields[i].default_datum;
      continue;
    }
    const Cell* cell = column_of_[i] ? &cells_[*column_of_[i]] : nullptr;
    auto fits = avro::from_text(*fields[i].type, cell == nullptr ? "" : cell->text, out);
    if (fits) continue;
    return fail("F002"_code, fmt::format("\"{}\": {}", fields[i].name, fits.error().message))
        .at(place(cell));
  }
  return {};
}

Place RowText::place(const Cell* cell) const {
  const size_t start = cell != nullptr ? cell->line_start : row_start_;
  const size_t end = std::min(text_.find('\n', start), text_.size());
  std::string_view line = text_.substr(start, std::min(end - start, kShownBytes));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return {name_, cell != nullptr ? cell->line : row_line_, cell != nullptr ? cell->column : 1, 1,
          std::string(line)};
}

Failure RowText::malformed(std::string what, const Cell* cell) const {
  return fail("F003"_code, std::move(what)).at(place(cell));
}

Result<std::vector<std::string>> csv_header(std::string_view text, const std::string& name) {
  std::string_view head = text.starts_with(kByteOrderMark) ? text.substr(3) : text;
  std::vector<std::string> names;
  std::string cell;
  bool quoted = false;
  for (size_t i = 0; i < head.size() && i < kMaxRowBytes; ++i) {
    const char c = head[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ',' || c == '\n')) {
      names.push_back(std::exchange(cell, {}));
      if (c == '\n') return names;
    } else if (quoted || c != '\r') {
      cell += c;
    }
  }
  if (quoted || (names.empty() && cell.empty()))
    return fail("F003"_code, name + ": the file has no header")
        .because("the first line of a csv file names its columns")
        .cure("write a first line: meter_id,tenant");
  names.push_back(cell);
  return names;
}

}  // namespace penstock::file
