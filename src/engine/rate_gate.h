// rate_gate.h — at most so many records a second: the protection of a store that is slow, or whose
// other users matter more.
//
// Budget grows with the time, by at most a record and what kBurstMillis make, so that a quiet
// minute is no licence for a flood. It opens in steps of kStepMillis, for a batch costs the same
// for one record as for twenty. A time that is set back only loses the budget in between.
//
// Thread      one owner; no clock: the time is given.
//
//     gate.tick(now);
//     limits.max_records = std::min(limits.max_records, gate.allowed());
//     gate.took(batch.records.size());
#pragma once

#include "base/units.h"

#include <cstdint>
#include <optional>

namespace penstock::engine {

class RateGate {
 public:
  static constexpr int64_t kBurstMillis = 100;
  static constexpr int64_t kStepMillis = 20;

  // 0: as many as there are.
  explicit RateGate(uint64_t per_second) : per_second_(static_cast<int64_t>(per_second)) {}
  void tick(Millis now);
  // Of the records, now; UINT32_MAX without a limit.
  uint32_t allowed() const;
  void took(uint64_t records);
  // When the next ones are allowed; kNever when some are now.
  Millis opens_at() const;

 private:
  int64_t step() const;

  int64_t per_second_;
  int64_t budget_ = 0;  // thousandths of a record; below 0 when a batch was larger than allowed
  std::optional<Millis> now_;
};

}  // namespace penstock::engine
