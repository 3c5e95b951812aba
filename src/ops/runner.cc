#include "ops/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::ops {

Result<std::unique_ptr<Runner>> Runner::start(Parts parts, const RunnerSpec& spec,
                                              const Clock& clock) {
  std::unique_ptr<Runner> runner(new Runner(std::move(parts)));
  const Parts& held = runner->parts_;
  for (const plan::Stage& stage : held.plan->stages) {
    if (!spec.stage.empty() && spec.stage != stage.name && spec.stage != stage.id) continue;
    runner->stages_.push_back(stage.id);
    for (int number = 0; number < spec.workers; ++number) {
      const auto make = [&](flow::Waker& waker) {
        return make_stage_worker(held, stage, number, waker);
      };
      PENSTOCK_TRY(thread, WorkerThread::start(stage.id, clock, make));
      runner->threads_.push_back(std::move(thread));
    }
  }
  return runner;
}

// Positions are read before ends (inspect::look), so lag 0 everywhere means that all had been read
// at the time when the ends were: records only ever move downstream.
Result<bool> Runner::idle() {
  const bool resting = std::ranges::all_of(threads_, [](const auto& thread) {
    const WorkerSnapshot now = thread->snapshot();
    return now.idle || now.state == engine::WorkerState::unassigned;
  });
  if (!resting) return false;
  PENSTOCK_TRY(snapshot, inspect::look(*parts_.plan, *parts_.log, parts_.store));
  return std::ranges::all_of(stages_,
                             [&](const std::string& stage) { return snapshot.lag_of(stage) == 0; });
}

std::optional<Error> Runner::failure() const {
  for (const auto& thread : threads_) {
    const WorkerSnapshot now = thread->snapshot();
    if (now.state == engine::WorkerState::failed) return now.error;
  }
  return std::nullopt;
}

std::vector<WorkerSnapshot> Runner::workers() const {
  std::vector<WorkerSnapshot> all;
  for (const auto& thread : threads_) all.push_back(thread->snapshot());
  return all;
}

std::string Runner::describe() const {
  std::string text;
  for (const WorkerSnapshot& worker : workers()) {
    text += fmt::format("{}: {}{}\n", worker.stage, engine::to_text(worker.state),
                        worker.error ? ": " + one_line(*worker.error) : std::string());
  }
  return text;
}

void Runner::drain() {
  for (const auto& thread : threads_) thread->request_drain();
  for (const auto& thread : threads_) thread->join();
}

}  // namespace penstock::ops
