#include "step/key_hash.h"

#define XXH_INLINE_ALL
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include <bit>
#include <cmath>
#include <limits>

namespace penstock::step {
namespace {

void append_number(uint64_t bits, std::string& key) {
  char bytes[sizeof bits];
  for (size_t i = 0; i < sizeof bits; ++i) bytes[i] = static_cast<char>(bits >> (8 * i));
  key.append(bytes, sizeof bytes);
}

// All zeros are one value, and so are all NaNs.
uint64_t double_bits(double value) {
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  if (value == 0.0) value = 0.0;  // also of -0.0
  return std::bit_cast<uint64_t>(value);
}

}  // namespace

void append_canonical(const row::Column& column, uint32_t row, std::string& key) {
  if (column.is_null(row)) {
    key += '\0';
    return;
  }
  key += '\1';
  switch (column.kind) {
    case row::Kind::boolean:
      key += static_cast<char>(column.booleans[row]);
      return;
    case row::Kind::int64:
      return append_number(static_cast<uint64_t>(column.int64s[row]), key);
    case row::Kind::float64:
      return append_number(double_bits(column.float64s[row]), key);
    case row::Kind::string:
    case row::Kind::bytes:
    case row::Kind::datum:
      break;
  }
  append_number(column.views[row].size(), key);
  key += column.views[row];
}

Hash128 hash_of(ByteView bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

uint64_t short_hash_of(ByteView bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace penstock::step
