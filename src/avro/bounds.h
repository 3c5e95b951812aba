// bounds.h — what hostile bytes may cost at most. Every reader of Avro bytes in this room keeps to
// these.
//
// A length or count × the item's minimal size must fit the bytes that remain before anything is
// allocated or looped over; where an item may be of no size at all, the counts below bound the work
// instead.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock::avro {

inline constexpr uint32_t kMaxVarintBytes = 10;
// Items of no size (nulls, empty records) in arrays and maps, per datum.
inline constexpr uint32_t kMaxZeroSizeItems = 64 * 1024;
// Arrays, maps and records met again inside each other, per datum.
inline constexpr uint32_t kMaxDepth = 64;
// One datum after resolution: defaults can make it larger than what was written.
inline constexpr size_t kMaxResolvedBytes = 64u << 20;
// Larger datums are refused: cuts are 32-bit.
inline constexpr size_t kMaxDatumBytes = 1u << 30;

}  // namespace penstock::avro
