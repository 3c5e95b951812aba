// dead_gate.h — stops a stage whose dead letters are too large a share: a wrong rule or a wrong
// producer should not empty a topic into its dead letters.
//
// Counted over the last window, in eighths. Once shut it stays shut until open_again() (a person
// says so) or a restart.
//
// Thread      one owner.
#pragma once

#include "base/units.h"

#include <array>
#include <cstdint>

namespace penstock::engine {

struct StopAbove {
  double share = 1.0;  // 1 and more: never
  int64_t window_millis = 60'000;
  uint64_t records_min = 100;  // fewer records in the window never stop a stage
};

class DeadGate {
 public:
  explicit DeadGate(StopAbove rule) : rule_(rule) {}
  void count(Millis now, uint64_t records, uint64_t dead);
  void open_again();
  bool shut() const { return shut_; }

 private:
  static constexpr size_t kSlices = 8;
  struct Slice {
    int64_t number = -1;
    uint64_t records = 0;
    uint64_t dead = 0;
  };
  StopAbove rule_;
  std::array<Slice, kSlices> slices_;
  bool shut_ = false;
};

}  // namespace penstock::engine
