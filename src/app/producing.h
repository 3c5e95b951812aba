// producing.h — the simulated clients of a pipeline file, as threads.
//
// A producer's record at offset n is always the same record; its position is committed with what it
// wrote. So a producer that was killed goes on where it was.
//
// Thread      one owner.
// Lifetime    the instance outlives it. Destroying it without drain() is a crash for the producers.
#pragma once

#include "app/instance.h"
#include "base/clock.h"
#include "base/error.h"
#include "ops/drain.h"
#include "ops/worker_thread.h"

#include <memory>
#include <vector>

namespace penstock::app {

class Producing {
 public:
  static Result<std::unique_ptr<Producing>> start(Instance& instance, const Clock& clock);
  // False when one did not come to its end within the grace and was stopped.
  bool drain(const ops::DrainHow& how = {});
  uint64_t committed_records() const;
  std::optional<Error> failure() const;
  std::vector<ops::WorkerSnapshot> workers() const;

 private:
  explicit Producing(const Clock& clock) : clock_(clock) {}
  const Clock& clock_;
  std::vector<std::unique_ptr<ops::WorkerThread>> threads_;
};

}  // namespace penstock::app
