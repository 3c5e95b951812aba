// pace.h — so many records a second, by a clock: how many may go now.
//
// A clock that is set back begins the pace anew from there, it does not stop it.
//
// Thread      one owner.
// Lifetime    the clock outlives it.
//
//     Pace pace(2000, &clock);
//     pace.begin(0);
//     uint64_t now = pace.allowed(next, 500);      // at most 500
#pragma once

#include "base/clock.h"
#include "base/units.h"

#include <cstdint>

namespace penstock::file {

class Pace {
 public:
  // Rate 0 or no clock: as fast as it goes.
  Pace(uint64_t per_second, const Clock* clock) : per_second_(per_second), clock_(clock) {}
  void begin(int64_t next);
  // Of the records from `next` on, at most `most`.
  uint64_t allowed(int64_t next, uint64_t most);

 private:
  uint64_t per_second_;
  const Clock* clock_;
  int64_t from_ = 0;  // the record that went at since_
  Millis since_;
  Millis last_;
};

}  // namespace penstock::file
