// units.h — numbers with a type each, so that an offset is never taken for a time.
//
// All are values: 8 bytes or less, trivially copyable, ordered, hashable by their `value`.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace penstock {

// Bytes that somebody else owns. The name says for how long they stay.
using ByteView = std::string_view;

// Position of a record in one partition; the first is 0. "next offset" is one past the last.
struct Offset {
  int64_t value = 0;
  auto operator<=>(const Offset&) const = default;
};

// Owner number of a group's partition at a sink: grows with every claim; what an older one writes
// changes nothing.
struct Term {
  uint64_t value = 0;
  auto operator<=>(const Term&) const = default;
};

// A point in time: milliseconds since 1970-01-01T00:00:00Z. As a deadline, on the engine's own
// clock.
struct Millis {
  int64_t value = 0;
  auto operator<=>(const Millis&) const = default;
  Millis operator+(int64_t millis) const { return {value + millis}; }
};
inline constexpr Millis kNever{INT64_MAX};

// One partition of a stage's input: `topic` counts through the stage's list of input topics.
struct Partition {
  uint32_t topic = 0;
  int32_t index = 0;
  auto operator<=>(const Partition&) const = default;
};

}  // namespace penstock
