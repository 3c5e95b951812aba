// pen.h — writing Avro's primitives into memory that is known to be there.
//
// Nothing here looks at where the room ends: who writes has asked before, for kPenRoom bytes for a
// primitive, for a value's own size and kPenRoom more for bytes. A pen is two pointers, so that a
// loop keeps it in registers; output.h is the one that grows.
//
// Thread      a value.
//
//     if (pen.left() < kPenRoom) …;  pen.varint(zigzag(7));
#pragma once

#include "base/units.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace penstock::avro {

// What one primitive and a union's branch before it may take, and what copying may write beyond.
inline constexpr size_t kPenRoom = 32;

struct Pen {
  char* at = nullptr;
  char* end = nullptr;

  size_t left() const { return static_cast<size_t>(end - at); }

  [[gnu::always_inline]] void varint(uint64_t value) {
    if (value < 0x80) {
      *at++ = static_cast<char>(value);
      return;
    }
    if (value < kNineBytes) [[likely]] {
      // Seven bits to each byte, by halves; then 'more follows' on all but the last.
      uint64_t word = (value & 0x000000000fffffff) | ((value & 0x00fffffff0000000) << 4);
      word = (word & 0x00003fff00003fff) | ((word & 0x0fffc0000fffc000) << 2);
      word = (word & 0x007f007f007f007f) | ((word & 0x3f803f803f803f80) << 1);
      // The byte of the highest bit is the last one.
      const auto last = static_cast<uint32_t>(std::bit_width(word) - 1) & ~7u;
      word |= kMore & ((uint64_t{1} << last) - 1);
      std::memcpy(at, &word, sizeof word);
      at += (last >> 3) + 1;
      return;
    }
    for (; value >= 0x80; value >>= 7) *at++ = static_cast<char>(value | 0x80);
    *at++ = static_cast<char>(value);
  }
  template <class T>
  [[gnu::always_inline]] void raw(T value) {
    std::memcpy(at, &value, sizeof value);
    at += sizeof value;
  }
  // Most pieces are small: a call would cost more than the copy.
  [[gnu::always_inline]] void bytes(const char* from, size_t size) {
    if (size <= 16) {
      copy_short(at, from, size);
    } else if (size < 64) {
      copy_medium(at, from, size);
    } else {
      std::memcpy(at, from, size);
    }
    at += size;
  }
  // The same, where `readable` bytes may be read at `from`.
  [[gnu::always_inline]] void bytes_near(const char* from, size_t size, size_t readable) {
    if (size <= 16 && readable >= 16) {
      std::memcpy(at, from, 16);
      at += size;
    } else {
      bytes(from, size);
    }
  }

 private:
  static constexpr uint64_t kNineBytes = uint64_t{1} << 56;  // from here on a varint has nine
  static constexpr uint64_t kMore = 0x8080808080808080;

  static void copy_short(char* to, const char* from, size_t size) {
    if (size >= 8) {
      uint64_t head = 0;
      uint64_t tail = 0;
      std::memcpy(&head, from, 8);
      std::memcpy(&tail, from + size - 8, 8);
      std::memcpy(to, &head, 8);
      std::memcpy(to + size - 8, &tail, 8);
    } else if (size >= 4) {
      uint32_t head = 0;
      uint32_t tail = 0;
      std::memcpy(&head, from, 4);
      std::memcpy(&tail, from + size - 4, 4);
      std::memcpy(to, &head, 4);
      std::memcpy(to + size - 4, &tail, 4);
    } else {
      for (size_t each = 0; each < size; ++each) to[each] = from[each];
    }
  }
  // 16 < size < 64: whole words, the last of which may lie over the one before.
  static void copy_medium(char* to, const char* from, size_t size) {
    for (size_t each = 0; each + 16 < size; each += 16) std::memcpy(to + each, from + each, 16);
    std::memcpy(to + size - 16, from + size - 16, 16);
  }
};

}  // namespace penstock::avro
