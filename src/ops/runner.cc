#include "ops/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::ops {
namespace {

struct Standing {
  std::string stage, topic;
  int32_t partition = 0;
  bool operator==(const Standing&) const = default;
};

}  // namespace

Result<std::unique_ptr<Runner>> Runner::start(Parts parts, const RunnerSpec& spec,
                                              const Clock& clock) {
  std::unique_ptr<Runner> runner(new Runner(std::move(parts), clock));
  const Parts& held = runner->parts_;
  for (const plan::Stage& stage : held.plan->stages) {
    if (!spec.stage.empty() && spec.stage != stage.name && spec.stage != stage.id) continue;
    runner->stages_.push_back(stage.id);
    for (int number = 0; number < spec.workers; ++number) {
      const auto make = [&](flow::Waker& waker) {
        return make_stage_worker(held, stage, {number, spec.records_per_second}, waker);
      };
      PENSTOCK_TRY(thread, WorkerThread::start(stage.id, clock, make));
      runner->threads_.push_back(std::move(thread));
    }
  }
  return runner;
}

// Positions are read before ends (inspect::look), so lag 0 everywhere means that all had been read
// at the time when the ends were: records only ever move downstream.
Result<Runner::Rest> Runner::rest() {
  Rest rest;
  std::vector<Standing> standing;
  for (const WorkerSnapshot& now : workers()) {
    if (!now.idle && now.state != engine::WorkerState::unassigned) return rest;
    const plan::Stage& stage = *parts_.plan->stage(now.stage);
    for (const auto& one : now.standing) {
      standing.push_back({stage.id, stage.from[one.partition.topic], one.partition.index});
      rest.standing.push_back(fmt::format("{}: {}", stage.id, one.why));
    }
  }
  PENSTOCK_TRY(snapshot, inspect::look(*parts_.plan, *parts_.log, parts_.store));
  rest.over = std::ranges::all_of(snapshot.stages, [&](const inspect::PartitionLag& one) {
    return one.lag == 0 || std::ranges::find(stages_, one.stage) == stages_.end() ||
           std::ranges::find(standing, Standing{one.stage, one.topic, one.partition}) !=
               standing.end();
  });
  return rest;
}

Result<bool> Runner::idle() {
  PENSTOCK_TRY(now, rest());
  return now.over && now.standing.empty();
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
  for (const WorkerSnapshot& worker : workers()) text += ops::describe(worker);
  return text;
}

bool Runner::drain(const DrainHow& how) { return ops::drain(threads_, clock_, how); }

}  // namespace penstock::ops
