#include "avro/utf8.h"

namespace penstock::avro {
namespace {

// Bytes of the well-formed sequence at `text`, or 0. Table 3-7 of the Unicode standard.
size_t sequence_bytes(const uint8_t* text, size_t left) {
  const uint8_t first = text[0];
  if (first < 0x80) return 1;
  size_t size = 0;
  uint8_t low = 0x80;
  uint8_t high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    size = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    size = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    size = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return 0;
  }
  if (left < size || text[1] < low || text[1] > high) return 0;
  for (size_t at = 2; at < size; ++at) {
    if ((text[at] & 0xC0) != 0x80) return 0;
  }
  return size;
}

}  // namespace

bool valid_utf8_slow(const char* text, size_t size_bytes) {
  const auto* at = reinterpret_cast<const uint8_t*>(text);
  while (size_bytes > 0) {
    const size_t size = sequence_bytes(at, size_bytes);
    if (size == 0) return false;
    at += size;
    size_bytes -= size;
  }
  return true;
}

}  // namespace penstock::avro
