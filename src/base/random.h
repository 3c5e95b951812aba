// random.h — seeded randomness: the same seed gives the same numbers everywhere (xoshiro256**,
// seeded by SplitMix64; Blackman and Vigna, "Scrambled linear pseudorandom number generators",
// 2018).
//
// Thread      one owner.
#pragma once

#include <cstdint>

namespace penstock {

class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t next();
  // 0 <= below(n) < n; n > 0.
  uint64_t below(uint64_t n) {
    return static_cast<uint64_t>((static_cast<Wide>(next()) * n) >> 64);
  }
  // 0 <= unit() < 1.
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  // True with probability `share`.
  bool chance(double share) { return unit() < share; }

 private:
  __extension__ using Wide = unsigned __int128;
  uint64_t state_[4];
};

// One SplitMix64 step: a well-mixed number from any number. For deriving seeds from (seed, index).
uint64_t mix(uint64_t value);

}  // namespace penstock
