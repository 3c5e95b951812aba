// lane_marks.h — what the kernels of all files need: marks of lanes together, and a kernel by the
// kind of its lane.
//
// Thread      functions of their arguments.
// Lifetime    answers point into the registers given.
//
//     to.bad = either_bad(a, b, to.own_bad, n);
#pragma once

#include "rule/lanes.h"

#include <type_traits>

namespace penstock::rule {

// The bad marks of two registers together, without writing where one has none.
inline const uint8_t* either_bad(const Register& a, const Register& b, uint8_t* own, size_t n) {
  if (a.bad == nullptr) return b.bad;
  if (b.bad == nullptr) return a.bad;
  for (size_t i = 0; i < n; i++) own[i] = a.bad[i] | b.bad[i];
  return own;
}

// Is one of them set?
inline bool any(const uint8_t* marks, size_t n) {
  uint8_t seen = 0;
  for (size_t i = 0; i < n; i++) seen |= marks[i];
  return seen != 0;
}

// Does a guard of this instruction decide the lane already?
inline bool decided(const Instruction& in, const Register* registers, size_t lane) {
  for (const Guard& guard : in.guards) {
    const Register& reg = registers[guard.reg];
    const bool bad = reg.bad != nullptr && reg.bad[lane] != 0;
    if (!bad && (reg.values<uint8_t>()[lane] != 0) == guard.decided_by) return true;
  }
  return false;
}

// `pick` answers with the kernel for the type that it is given.
template <class Pick>
Kernel kernel_of(Lane lane, Pick pick) {
  switch (lane) {
    case Lane::boolean:
      return pick(std::type_identity<uint8_t>());
    case Lane::int64:
      return pick(std::type_identity<int64_t>());
    case Lane::uint64:
      return pick(std::type_identity<uint64_t>());
    case Lane::float64:
      return pick(std::type_identity<double>());
    case Lane::text:
      return pick(std::type_identity<ByteView>());
    case Lane::time:
      return pick(std::type_identity<Time>());
  }
  return nullptr;
}

}  // namespace penstock::rule
