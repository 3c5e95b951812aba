// autoscale.h — workers 0..N per stage in this process, by the same code that answers KEDA.
//
// Thread      turn() from the thread that owns the runner; needs() from any.
// Lifetime    instance and runner outlive it.
// Limits      one process: of several, each would start as many as all need.
//
//     Autoscale autoscale(instance, runner);
//     autoscale.turn(clock.now(), output);       // in the loop that waits for signals
#pragma once

#include "app/instance.h"
#include "app/scaling.h"
#include "base/error.h"
#include "base/units.h"
#include "ops/output.h"
#include "ops/runner.h"

#include <map>
#include <string>
#include <vector>

namespace penstock::app {

class Autoscale {
 public:
  Autoscale(Instance& instance, ops::Runner& runner);
  // Looks when it is time, starts and drains workers, and says what changed and why. An error when
  // a worker could not be started.
  Result<void> turn(Millis now, ops::Output& output);
  std::vector<StageNeed> needs() const { return scaling_.stages(); }

 private:
  Instance& instance_;
  ops::Runner& runner_;
  Scaling scaling_;
  int64_t every_millis_;
  Millis next_;
  std::map<std::string, int32_t> told_;  // stage -> workers
};

}  // namespace penstock::app
