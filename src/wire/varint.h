// varint.h — zigzag varints of the record format: 7 bits a byte, the least first.
//
// Thread      free functions; no allocation, no reads outside [at, end).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace penstock::wire {

inline constexpr size_t kMaxVarintBytes = 10;

inline uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}

inline size_t varint_bytes(int64_t value) {
  return (static_cast<size_t>(std::bit_width(zigzag(value) | 1)) + 6) / 7;
}

// Writes at most kMaxVarintBytes; returns the place behind.
inline char* put_varint(char* at, int64_t value) {
  uint64_t rest = zigzag(value);
  for (; rest >= 0x80; rest >>= 7) *at++ = static_cast<char>(rest | 0x80);
  *at++ = static_cast<char>(rest);
  return at;
}

// Reads one; false when it is cut off or longer than ten bytes. `at` moves only on success.
inline bool get_varint(const char*& at, const char* end, int64_t& value) {
  uint64_t bits = 0;
  const char* p = at;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (p == end) return false;
    const auto byte = static_cast<unsigned char>(*p++);
    if (shift == 63 && byte > 1) return false;  // above 64 bits
    bits |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      value = static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
      at = p;
      return true;
    }
  }
  return false;
}

}  // namespace penstock::wire
