#include "store/dynamodb/version.h"

#include "base/check.h"

#include <bit>

namespace penstock::store::dynamodb {
namespace {

const avro::Node& inner(const avro::Node& type) {
  const avro::Node* branch = type.nullable_branch();
  return branch != nullptr ? *branch : type;
}

void append_big_endian(uint64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

// 20 bytes hold every decimal that fits a number of 38 digits.
void append_ordered_decimal(std::string_view unscaled, std::string& out) {
  constexpr size_t kBytes = 20;
  const bool negative = !unscaled.empty() && (unscaled[0] & 0x80) != 0;
  const size_t cut = unscaled.size() > kBytes ? unscaled.size() - kBytes : 0;
  std::string wide(kBytes - (unscaled.size() - cut), negative ? '\xff' : '\0');
  wide += unscaled.substr(cut);
  wide[0] = static_cast<char>(wide[0] ^ '\x80');
  out += wide;
}

}  // namespace

bool can_be_newest(const avro::Node& type) {
  return avro::slot_shape(inner(type)).kind != row::Kind::datum;
}

void append_ordered_whole(int64_t value, std::string& out) {
  append_big_endian(static_cast<uint64_t>(value) ^ (uint64_t{1} << 63), out);
}

// A zero inside is followed by 255, the end is two zeros: no text is the beginning of another.
void append_ordered_bytes(std::string_view bytes, std::string& out) {
  for (const char byte : bytes) {
    out += byte;
    if (byte == '\0') out += '\xff';
  }
  out.append(2, '\0');
}

void append_ordered(const avro::Node& type, const row::Column& column, uint32_t row,
                    std::string& out) {
  switch (column.kind) {
    case row::Kind::boolean:
      out += static_cast<char>(column.booleans[row]);
      return;
    case row::Kind::int64:
      append_ordered_whole(column.int64s[row], out);
      return;
    case row::Kind::float64: {
      const double value = column.float64s[row] == 0 ? 0.0 : column.float64s[row];
      const auto bits = std::bit_cast<uint64_t>(value);
      append_big_endian((bits >> 63) != 0 ? ~bits : bits ^ (uint64_t{1} << 63), out);
      return;
    }
    case row::Kind::string:
      append_ordered_bytes(column.views[row], out);
      return;
    case row::Kind::bytes:
      if (inner(type).logical == avro::Logical::decimal) {
        append_ordered_decimal(column.views[row], out);
      } else {
        append_ordered_bytes(column.views[row], out);
      }
      return;
    case row::Kind::datum:
      PENSTOCK_CHECK(false);
  }
}

}  // namespace penstock::store::dynamodb
