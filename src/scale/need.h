// need.h — the workers that a stage needs: as many as do what comes in, and what waits within the
// catch-up time.
//
//     replicas = (rate + backlog / catch-up time) / speed per worker
//
// rounded up to a number that partitions really share out (of 5 partitions on 3 or 4 workers the
// busiest has 2: 3 is enough), at most as many as there are partitions, as `max` says, and as got
// more done. Up at once, as soon as 5 % more is asked than the workers do; down only when 90 % of
// fewer would have been enough for a whole minute; 0 when nothing waits and nothing came for
// quiet_millis. As long as a worker's speed is not known: the first one, or those that are there.
//
// Thread      one owner; no clock: the time is in the estimate.
//
//     Need need({.partitions = 5, .max = 5});
//     const Decision decision = need.decide(estimator.estimate());
//     // 2: "1,200/s come in, 30,000 wait; a worker does 1,000/s: 2"
#pragma once

#include "base/units.h"
#include "scale/estimate.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace penstock::scale {

inline constexpr int64_t kQuietMillis = 20'000;  // as long as a rate is looked at

struct NeedSettings {
  int32_t partitions = 1;  // of all topics that the stage reads
  int32_t min = 0;
  int32_t max = 1;
  int64_t catch_up_millis = 60'000;
  // No input for so long is none. KEDA waits for its cooldownPeriod after the 0; whoever has no
  // KEDA gives the stage's cooldown here.
  int64_t quiet_millis = kQuietMillis;
  int64_t hold_millis = 60'000;  // fewer must have been enough for so long
  double up_slack = 0.05;        // so much more than the workers do is borne
  double down_slack = 0.1;       // so much less than fewer would do is asked before they have to do
  // The HPA leaves a change of at most a tenth alone: more is asked for then, up to `max`, and past
  // it (which the HPA cuts off). 0: nobody between is deaf.
  double deaf_share = 0.1;
};

struct Decision {
  int32_t replicas = 0;
  std::string reason;
};

class Need {
 public:
  explicit Need(NeedSettings settings) : settings_(settings) {}
  Decision decide(const Estimate& now);

 private:
  struct Enough {
    Millis at;
    int32_t replicas;
  };
  int32_t ceiling(const Estimate& now) const;
  int32_t smallest(double workers, int32_t most) const;
  int32_t unknown_speed(const Estimate& now);
  int32_t held(Millis now, int32_t up, int32_t down);
  bool idle(const Estimate& now);
  int32_t heard(int32_t wanted, const Estimate& now) const;
  std::string reason(const Estimate& now, int32_t replicas) const;

  NeedSettings settings_;
  int32_t answer_ = 0;  // before heard()
  std::deque<Enough> enough_;
  std::optional<Millis> first_, quiet_since_;
};

// What `workers` do together, in workers: the busiest of them has ceil(partitions / workers).
double share_out(int32_t partitions, int32_t workers);
// "1,234,567".
std::string with_commas(int64_t number);

}  // namespace penstock::scale
