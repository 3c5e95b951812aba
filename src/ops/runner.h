// runner.h — the stages of a plan, running in this process.
//
// Thread      any thread may call; one owner destroys it.
// Lifetime    what Parts refers to outlives it. Destroying it without drain() is a crash for the
// workers.
//
//     PENSTOCK_TRY(runner, Runner::start(parts, {.workers = 1}, clock));
//     runner->drain();                                  // or: while (!*runner->idle()) wait
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "inspect/lag.h"
#include "ops/drain.h"
#include "ops/stage_worker.h"
#include "ops/worker_thread.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::ops {

struct RunnerSpec {
  std::string stage;    // name or id; "" = all
  int workers = 1;      // per stage
  bool at_min = false;  // begin with each stage's scale.min instead; set_workers() follows
  uint64_t records_per_second = 0;  // that each worker reads at most; 0: as many as there are
};

class Runner {
 public:
  static Result<std::unique_ptr<Runner>> start(Parts parts, const RunnerSpec& spec,
                                               const Clock& clock);

  struct Rest {
    bool over = false;                  // nothing is open, and nothing more can be read
    std::vector<std::string> standing;  // why not all was read: partitions before damage
  };
  // Read from log and stores.
  Result<Rest> rest();
  // A stage's id that runs here, with or without workers.
  bool runs(std::string_view stage) const;
  // Starts workers of the stage that are missing, and asks the youngest to drain that are too many;
  // by the thread that owns the runner.
  Result<void> set_workers(const std::string& stage, int32_t count);
  // Nothing is left to read for the running stages and nothing is open.
  Result<bool> idle();
  // The first worker that can not go on, if any.
  std::optional<Error> failure() const;
  std::vector<WorkerSnapshot> workers() const;
  // One line per worker that is not simply running, for status.
  std::string describe() const;
  // Commits what is open, stops taking more, waits until that is done. False when a worker did not
  // come to its end within the grace and was stopped.
  bool drain(const DrainHow& how = {});
  const Parts& parts() const { return parts_; }

 private:
  Runner(Parts parts, const Clock& clock) : parts_(std::move(parts)), clock_(clock) {}
  Result<void> start_worker(const plan::Stage& stage);
  Parts parts_;
  const Clock& clock_;
  std::vector<std::string> stages_;  // ids that run here
  uint64_t records_per_second_ = 0;
  std::map<std::string, int> started_;  // stage -> workers so far, for their names
  mutable std::mutex mutex_;            // guards both below: others look
  std::vector<std::unique_ptr<WorkerThread>> threads_;
  std::vector<std::unique_ptr<WorkerThread>> leaving_;  // drain, as there were too many
};

}  // namespace penstock::ops
