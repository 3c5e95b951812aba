#include "flow/key_text.h"

#include "avro/write.h"

#include <charconv>

namespace penstock::flow {
namespace {

void append_part(std::string_view text, bool alone, std::string& out) {
  if (alone) {
    out.append(text);
  } else {
    avro::append_bytes(text, out);
  }
}

}  // namespace

bool can_be_key(row::Kind kind) { return kind != row::Kind::float64 && kind != row::Kind::datum; }

bool append_key(const row::Batch& batch, std::span<const uint32_t> slots, uint32_t row,
                std::string& out) {
  const size_t before = out.size();
  const bool alone = slots.size() == 1;
  for (const uint32_t slot : slots) {
    const row::Column& column = batch.columns[slot];
    if (column.is_null(row)) {
      out.resize(before);
      return false;
    }
    char digits[24];
    std::string_view text;
    if (column.kind == row::Kind::int64) {
      const auto end = std::to_chars(digits, digits + sizeof digits, column.int64s[row]);
      text = {digits, static_cast<size_t>(end.ptr - digits)};
    } else if (column.kind == row::Kind::boolean) {
      text = column.booleans[row] != 0 ? "true" : "false";
    } else {
      text = column.views[row];
    }
    append_part(text, alone, out);
  }
  return true;
}

void append_key(std::span<const std::string_view> texts, std::string& out) {
  for (const std::string_view text : texts) append_part(text, texts.size() == 1, out);
}

}  // namespace penstock::flow
