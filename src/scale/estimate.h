// estimate.h — what a stage's input and its workers do, learnt from offsets that are read every few
// seconds: how much comes in, what waits, what one worker gets done.
//
// A worker's speed is what is committed per second, divided by the workers, while more waits than
// they can take; the best of a sliding window counts, for a rebalance or a pause of the store makes
// a stretch slow and nothing makes one fast. Where more workers did not get more done, what they
// work for (a store) takes no more: `useful_workers`.
//
// Thread      one owner; no clock: the time is given.
// Limits      offsets count, so the markers of transactions (one per epoch and partition) are among
//             the records of rates and speeds.
//
//     Estimator estimator({.epoch_millis = 200});
//     estimator.observe({now, ends, positions, workers});      // every few seconds
//     const Estimate estimate = estimator.estimate();
#pragma once

#include "base/units.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace penstock::scale {

struct EstimatorSettings {
  int64_t epoch_millis = 100;             // the stage's: what is committed comes in such steps
  int64_t rate_millis = 20'000;           // what comes in: over this long
  int64_t speed_millis = 15'000;          // one measure of the speed, at least three epochs
  int64_t speed_window_millis = 600'000;  // of which the best counts
};

struct Observation {
  Millis at;
  int64_t produced = 0;            // sum of the partitions' ends
  int64_t committed = 0;           // sum of the group's positions
  std::optional<int32_t> workers;  // in the group, with partitions; none: not known
};

struct Estimate {
  Millis at;
  double rate_per_second = 0;
  int64_t backlog = 0;                     // that waits, without what is merely not committed yet
  int64_t lag = 0;                         // all of it
  std::optional<double> speed_per_worker;  // none: not known yet
  std::optional<int32_t> useful_workers;   // more got no more done
  std::optional<int32_t> workers;
  std::optional<Millis> last_input;  // none: none was seen since the first observation
};

class Estimator {
 public:
  explicit Estimator(EstimatorSettings settings);
  // Times grow. Ends that shrink (a topic made anew) begin the learning again.
  void observe(const Observation& seen);
  Estimate estimate() const;

 private:
  struct Measure {
    Millis at;
    int32_t workers = 0;
    double per_second = 0;  // of all of them
  };
  void measure();
  bool stands_still() const;
  double rate() const;
  std::optional<int32_t> useful_workers() const;

  EstimatorSettings settings_;
  std::deque<Observation> seen_;
  std::deque<Measure> measures_;
  std::optional<double> known_speed_;  // the best, also when no measure is left
  std::optional<Millis> last_input_;
};

}  // namespace penstock::scale
