#include "ops/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
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
  runner->records_per_second_ = spec.records_per_second;
  for (const plan::Stage& stage : runner->parts_.plan->stages) {
    if (!spec.stage.empty() && spec.stage != stage.name && spec.stage != stage.id) continue;
    runner->stages_.push_back(stage.id);
    const int workers = spec.at_min ? stage.scale.min : spec.workers;
    for (int i = 0; i < workers; ++i) PENSTOCK_TRY_VOID(runner->start_worker(stage));
  }
  return runner;
}

Result<void> Runner::start_worker(const plan::Stage& stage) {
  const int number = started_[stage.id]++;
  const auto make = [&](flow::Waker& waker) {
    return make_stage_worker(parts_, stage, {number, records_per_second_}, waker);
  };
  PENSTOCK_TRY(thread, WorkerThread::start(stage.id, clock_, make));
  const std::lock_guard lock(mutex_);
  threads_.push_back(std::move(thread));
  return {};
}

bool Runner::runs(std::string_view stage) const {
  return std::ranges::find(stages_, stage) != stages_.end();
}

Result<void> Runner::set_workers(const std::string& stage, int32_t count) {
  const auto of_stage = [&](const auto& thread) { return thread->stage() == stage; };
  auto there = static_cast<int32_t>(std::ranges::count_if(threads_, of_stage));
  for (; there < count; ++there) PENSTOCK_TRY_VOID(start_worker(*parts_.plan->stage(stage)));
  const std::lock_guard lock(mutex_);
  for (; there > count; --there) {
    const auto youngest = std::find_if(threads_.rbegin(), threads_.rend(), of_stage);
    (*youngest)->request_drain();
    leaving_.push_back(std::move(*youngest));
    threads_.erase(std::next(youngest).base());
  }
  // One that failed stays, to be told.
  std::erase_if(leaving_, [](const auto& thread) {
    return thread->snapshot().state == engine::WorkerState::drained && thread->ended();
  });
  return {};
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
  for (const WorkerSnapshot& now : workers()) {
    if (now.state == engine::WorkerState::failed) return now.error;
  }
  return std::nullopt;
}

std::vector<WorkerSnapshot> Runner::workers() const {
  std::vector<WorkerSnapshot> all;
  const std::lock_guard lock(mutex_);
  for (const auto& thread : threads_) all.push_back(thread->snapshot());
  for (const auto& thread : leaving_) all.push_back(thread->snapshot());
  return all;
}

std::string Runner::describe() const {
  std::string text;
  for (const WorkerSnapshot& worker : workers()) text += ops::describe(worker);
  return text;
}

bool Runner::drain(const DrainHow& how) {
  {
    const std::lock_guard lock(mutex_);
    std::ranges::move(leaving_, std::back_inserter(threads_));
    leaving_.clear();
  }
  return ops::drain(threads_, clock_, how);
}

}  // namespace penstock::ops
