// cursor.h — reading Avro's primitives from bytes that nobody vouches for.
//
// Each read either advances the cursor past a whole, valid value and returns Fault::none, or
// returns what is wrong and leaves the cursor at or before the offending value. Nothing is read at
// or beyond `end`.
//
// Thread      a value.
// Limits      bounds.h.
//
//     Cursor in{datum.data(), datum.data() + datum.size()};
//     ByteView name;
//     if (Fault fault = read_string(in, name); fault != Fault::none) return fault_text(fault);
#pragma once

#include "avro/bounds.h"
#include "avro/utf8.h"
#include "base/units.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace penstock::avro {

static_assert(std::endian::native == std::endian::little);

enum class Fault : uint8_t {
  none,
  truncated,    // the bytes end inside a value
  varint,       // more than 10 bytes, or more than 64 bits
  int_range,    // an int beyond 32 bits
  boolean,      // neither 0 nor 1
  length,       // a negative length
  utf8,         // text that is not UTF-8
  enum_index,   // no such symbol
  union_index,  // no such branch
  block,        // a block's byte size does not match its items
  zero_size,    // too many items of no size
  depth,        // nested too deeply
  trailing,     // bytes after the datum's end
  unresolved,   // the reader's schema has no place for this value
  too_large,    // the datum, or what it would become after resolution
};
// "avro.truncated": the reason of a Reject.
std::string_view fault_reason(Fault fault);
// For people, without a full stop: "the bytes end inside a value".
std::string_view fault_text(Fault fault);

struct Cursor {
  const char* at;
  const char* end;
  const char* begin = nullptr;  // where known, bytes from here on may be looked at again
  size_t left() const { return static_cast<size_t>(end - at); }
};

struct Varint {
  uint64_t value;
  const char* next;  // nullptr: `value` is the Fault
};
// Byte by byte, for the end of the input and for values of more than eight bytes.
Varint read_varint_slow(const char* at, const char* end);

constexpr int64_t unzigzag(uint64_t value) {
  return static_cast<int64_t>((value >> 1) ^ (0 - (value & 1)));
}
constexpr uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}

inline constexpr uint64_t kVarintMore = 0x8080808080808080;

// The next eight bytes; what lies beyond the end reads as bytes that ask for more. False: cannot be
// looked at so.
[[gnu::always_inline]] inline bool peek_word(const Cursor& in, uint64_t& word) {
  const size_t left = in.left();
  if (left >= 8) [[likely]] {
    std::memcpy(&word, in.at, 8);
    return true;
  }
  if (left == 0 || in.begin == nullptr || in.end - in.begin < 8) return false;
  std::memcpy(&word, in.end - 8, 8);
  word = (word >> (64 - 8 * left)) | (~uint64_t{0} << (8 * left));
  return true;
}

[[gnu::always_inline]] inline Fault read_varint(Cursor& in, uint64_t& value) {
  if (in.at != in.end && static_cast<int8_t>(*in.at) >= 0) {
    value = static_cast<uint8_t>(*in.at++);
    return Fault::none;
  }
  uint64_t word = 0;
  if (peek_word(in, word)) [[likely]] {
    const uint64_t stops = ~word & kVarintMore;
    if (stops != 0) [[likely]] {
      in.at += (std::countr_zero(stops) >> 3) + 1;
      word &= (stops ^ (stops - 1)) & ~kVarintMore;
      word = (word & 0x007f007f007f007f) | ((word & 0x7f007f007f007f00) >> 1);
      word = (word & 0x00003fff00003fff) | ((word & 0x3fff00003fff0000) >> 2);
      value = (word & 0x000000000fffffff) | ((word & 0x0fffffff00000000) >> 4);
      return Fault::none;
    }
  }
  const Varint slow = read_varint_slow(in.at, in.end);
  if (slow.next == nullptr) [[unlikely]]
    return static_cast<Fault>(slow.value);
  value = slow.value;
  in.at = slow.next;
  return Fault::none;
}

[[gnu::always_inline]] inline Fault read_long(Cursor& in, int64_t& value) {
  uint64_t raw = 0;
  const Fault fault = read_varint(in, raw);
  value = unzigzag(raw);
  return fault;
}

[[gnu::always_inline]] inline Fault read_int(Cursor& in, int64_t& value) {
  uint64_t raw = 0;
  if (const Fault fault = read_varint(in, raw); fault != Fault::none) [[unlikely]]
    return fault;
  value = unzigzag(raw);
  return raw <= UINT32_MAX ? Fault::none : Fault::int_range;
}

[[gnu::always_inline]] inline Fault skip_long(Cursor& in) {
  uint64_t word = 0;
  if (peek_word(in, word)) [[likely]] {
    const uint64_t stops = ~word & kVarintMore;
    if (stops != 0) [[likely]] {
      in.at += (std::countr_zero(stops) >> 3) + 1;
      return Fault::none;
    }
  }
  const Varint slow = read_varint_slow(in.at, in.end);
  if (slow.next == nullptr) [[unlikely]]
    return static_cast<Fault>(slow.value);
  in.at = slow.next;
  return Fault::none;
}

[[gnu::always_inline]] inline Fault skip_bytes(Cursor& in, size_t size) {
  if (in.left() < size) [[unlikely]]
    return Fault::truncated;
  in.at += size;
  return Fault::none;
}

// An enum's or union's index: 0 <= index < limit.
[[gnu::always_inline]] inline Fault read_index(Cursor& in, uint32_t limit, Fault otherwise,
                                               uint32_t& index) {
  uint64_t raw = 0;
  if (const Fault fault = read_varint(in, raw); fault != Fault::none) [[unlikely]]
    return fault;
  if ((raw & 1) != 0 || (raw >> 1) >= limit) [[unlikely]]
    return otherwise;
  index = static_cast<uint32_t>(raw >> 1);
  return Fault::none;
}

[[gnu::always_inline]] inline Fault read_bytes(Cursor& in, ByteView& value) {
  uint64_t raw = 0;
  if (const Fault fault = read_varint(in, raw); fault != Fault::none) [[unlikely]]
    return fault;
  if ((raw & 1) != 0) [[unlikely]]
    return Fault::length;
  const uint64_t size = raw >> 1;
  if (size > in.left()) [[unlikely]]
    return Fault::truncated;
  value = {in.at, size};
  in.at += size;
  return Fault::none;
}

[[gnu::always_inline]] inline Fault read_string(Cursor& in, ByteView& value) {
  if (const Fault fault = read_bytes(in, value); fault != Fault::none) [[unlikely]]
    return fault;
  return valid_utf8(value.data(), value.size()) ? Fault::none : Fault::utf8;
}

[[gnu::always_inline]] inline Fault read_boolean(Cursor& in, uint8_t& value) {
  if (in.at == in.end) [[unlikely]]
    return Fault::truncated;
  value = static_cast<uint8_t>(*in.at);
  if (value > 1) [[unlikely]]
    return Fault::boolean;
  ++in.at;
  return Fault::none;
}

template <class T>
[[gnu::always_inline]] inline Fault read_float(Cursor& in, T& value) {
  if (in.left() < sizeof(T)) [[unlikely]]
    return Fault::truncated;
  std::memcpy(&value, in.at, sizeof(T));
  in.at += sizeof(T);
  return Fault::none;
}

// The head of one block of an array or map. count = 0: the end. `block_end` is nullptr where the
// block does not say its size; else the items must end exactly there. count × min_item_bytes fits
// the remaining bytes.
Fault read_block(Cursor& in, uint32_t min_item_bytes, uint64_t& count, const char*& block_end);

}  // namespace penstock::avro
