#include "engine/dead_gate.h"

#include <algorithm>

namespace penstock::engine {

void DeadGate::count(Millis now, uint64_t records, uint64_t dead) {
  if (rule_.share >= 1.0) return;
  const int64_t slice_millis = std::max<int64_t>(1, rule_.window_millis / kSlices);
  const int64_t number = now.value / slice_millis;
  Slice& slice = slices_[static_cast<size_t>(number) % kSlices];
  if (slice.number != number) slice = {number, 0, 0};
  slice.records += records;
  slice.dead += dead;
  uint64_t all = 0, bad = 0;
  for (const Slice& s : slices_) {
    if (s.number <= number - static_cast<int64_t>(kSlices) || s.number > number) continue;
    all += s.records;
    bad += s.dead;
  }
  if (all >= rule_.records_min &&
      static_cast<double>(bad) > rule_.share * static_cast<double>(all)) {
    shut_ = true;
  }
}

void DeadGate::open_again() {
  shut_ = false;
  slices_ = {};
}

}  // namespace penstock::engine
