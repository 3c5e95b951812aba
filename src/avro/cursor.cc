#include "avro/cursor.h"

namespace penstock::avro {

std::string_view fault_reason(Fault fault) {
  constexpr std::string_view kReasons[] = {
      "avro.ok",        "avro.truncated", "avro.varint",     "avro.int_range",   "avro.boolean",
      "avro.length",    "avro.utf8",      "avro.enum_index", "avro.union_index", "avro.block",
      "avro.zero_size", "avro.depth",     "avro.trailing",   "avro.unresolved",  "avro.too_large"};
  return kReasons[static_cast<size_t>(fault)];
}

std::string_view fault_text(Fault fault) {
  constexpr std::string_view kTexts[] = {"nothing is wrong",
                                         "the bytes end inside a value",
                                         "a number of more than 64 bits",
                                         "an int of more than 32 bits",
                                         "a boolean that is neither 0 nor 1",
                                         "a negative length",
                                         "a string that is not UTF-8",
                                         "an enum index without a symbol",
                                         "a union index without a branch",
                                         "a block whose byte size does not match its items",
                                         "too many items of no size",
                                         "values nested too deeply",
                                         "bytes after the end of the datum",
                                         "a value for which the reader's schema has no place",
                                         "a datum that is too large"};
  return kTexts[static_cast<size_t>(fault)];
}

Varint read_varint_slow(const char* at, const char* end) {
  uint64_t value = 0;
  for (uint32_t count = 0; count < kMaxVarintBytes; ++count) {
#ifndef PENSTOCK_PLANTED_OVERFLOW  // fuzz/ leaves it out in one program, and has to find that
    if (at == end) return {static_cast<uint64_t>(Fault::truncated), nullptr};
#endif
    const uint64_t byte = static_cast<uint8_t>(*at++);
    if (count == kMaxVarintBytes - 1 && byte > 1) break;
    value |= (byte & 0x7f) << (7 * count);
    if (byte < 0x80) return {value, at};
  }
  return {static_cast<uint64_t>(Fault::varint), nullptr};
}

Fault read_block(Cursor& in, uint32_t min_item_bytes, uint64_t& count, const char*& block_end) {
  block_end = nullptr;
  int64_t signed_count = 0;
  if (const Fault fault = read_long(in, signed_count); fault != Fault::none) return fault;
  count = static_cast<uint64_t>(signed_count);
  if (signed_count < 0) {
    count = 0 - count;
    int64_t size = 0;
    if (const Fault fault = read_long(in, size); fault != Fault::none) return fault;
    if (size < 0) return Fault::length;
    if (static_cast<uint64_t>(size) > in.left()) return Fault::truncated;
    block_end = in.at + size;
  }
  const size_t room = block_end == nullptr ? in.left() : static_cast<size_t>(block_end - in.at);
  if (min_item_bytes > 0 && count > room / min_item_bytes) {
    return block_end == nullptr ? Fault::truncated : Fault::block;
  }
  return Fault::none;
}

}  // namespace penstock::avro
