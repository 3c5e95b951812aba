// scaling.h — the workers that each stage of a plan needs, learnt by looking at its log every few
// seconds.
//
// Of a stage that ends in a store the group's position counts, which follows the store's: nothing
// but the log is asked. The workers are the group's members, as many as have partitions.
//
// Thread      look() from one; what it came to from any.
// Errors      a look that failed changes no answer; it makes them stale (looks().error).
//
//     Scaling scaling(*plan, {});
//     scaling.look(log, clock.now());               // every few seconds
//     scaling.stage("writer.items", clock.now());   // replicas, and why
#pragma once

#include "base/error.h"
#include "base/units.h"
#include "flow/log.h"
#include "inspect/lag.h"
#include "plan/plan.h"
#include "scale/estimate.h"
#include "scale/need.h"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::app {

struct ScalingSettings {
  int64_t catch_up_millis = 60'000;
  bool hpa = true;  // an HPA stands between, which leaves small changes alone
};

struct StageNeed {
  std::string stage;  // id
  scale::Estimate estimate;
  std::optional<scale::Decision> decision;  // none: nothing is known of it yet
};

class Scaling {
 public:
  Scaling(const plan::Plan& plan, const ScalingSettings& settings);

  // False when the log did not tell; error() says why.
  bool look(flow::Log& log, Millis now);
  // What a look that could not even begin comes to.
  void failed(Error error);
  // The same from a picture that was taken already.
  void learn(const inspect::Snapshot& snapshot, Millis now);

  std::vector<StageNeed> stages() const;
  std::optional<StageNeed> stage(std::string_view id) const;
  struct Looks {
    uint64_t count = 0, failed = 0;
    std::optional<Millis> last_good;
    std::optional<Error> error;  // of the last one; none when it did not fail
  };
  Looks looks() const;

 private:
  struct Stage {
    const plan::Stage* stage = nullptr;
    scale::Estimator estimator;
    scale::Need need;
    StageNeed last;
  };

  const plan::Plan& plan_;
  mutable std::mutex mutex_;  // guards all below
  std::vector<Stage> stages_;
  Looks looks_;
};

}  // namespace penstock::app
