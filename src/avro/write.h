// write.h — Avro's primitive encodings, appended to a buffer.
//
// Thread      free functions.
#pragma once

#include "base/units.h"

#include <bit>
#include <cstdint>
#include <string>

namespace penstock::avro {

// int and long: zigzag varint, 1 to 10 bytes.
inline void append_long(int64_t value, std::string& out) {
  uint64_t zigzag = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  for (; zigzag >= 0x80; zigzag >>= 7) out.push_back(static_cast<char>(zigzag | 0x80));
  out.push_back(static_cast<char>(zigzag));
}

// bytes and string: length, then the bytes.
inline void append_bytes(ByteView bytes, std::string& out) {
  append_long(static_cast<int64_t>(bytes.size()), out);
  out.append(bytes);
}

inline void append_double(double value, std::string& out) {
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(bits >> shift));
}

}  // namespace penstock::avro
