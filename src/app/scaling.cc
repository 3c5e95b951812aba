#include "app/scaling.h"

#include <algorithm>
#include <utility>

namespace penstock::app {
namespace {

int32_t partitions_of(const plan::Plan& plan, const plan::Stage& stage) {
  int32_t sum = 0;
  for (const std::string& topic : stage.from) sum += plan.topic(topic)->partitions;
  return sum;
}

scale::NeedSettings settings_of(const plan::Plan& plan, const plan::Stage& stage,
                                const ScalingSettings& settings) {
  scale::NeedSettings need;
  need.partitions = partitions_of(plan, stage);
  need.min = stage.scale.min;
  need.max = stage.scale.max;
  need.catch_up_millis = settings.catch_up_millis;
  const int64_t cooldown_millis = stage.scale.cooldown_millis;
  need.quiet_millis =
      settings.hpa ? std::min(scale::kQuietMillis, cooldown_millis) : cooldown_millis;
  if (!settings.hpa) need.deaf_share = 0;
  return need;
}

// None when a topic is not there: what is not known is no lag of 0.
std::optional<scale::Observation> observation(const inspect::Snapshot& snapshot,
                                              const plan::Stage& stage, int32_t partitions,
                                              Millis now) {
  const auto missing = [&](const std::string& name) { return snapshot.topic(name) == nullptr; };
  if (std::ranges::any_of(stage.from, missing)) return std::nullopt;
  scale::Observation seen{now, 0, 0, {}};
  for (const inspect::PartitionLag& one : snapshot.stages) {
    if (one.stage != stage.id) continue;
    seen.produced += one.end.value;
    seen.committed += std::min(one.end, one.group_position).value;
  }
  const flow::GroupState* group = snapshot.group(stage.group);
  const auto members = static_cast<int32_t>(group == nullptr ? 0 : group->members);
  seen.workers = std::min(members, partitions);
  return seen;
}

}  // namespace

Scaling::Scaling(const plan::Plan& plan, const ScalingSettings& settings) : plan_(plan) {
  for (const plan::Stage& stage : plan.stages) {
    Stage one{&stage,
              scale::Estimator({.epoch_millis = stage.epoch.every_millis}),
              scale::Need(settings_of(plan, stage, settings)),
              {}};
    one.last.stage = stage.id;
    stages_.push_back(std::move(one));
  }
}

bool Scaling::look(flow::Log& log, Millis now) {
  const auto snapshot =
      inspect::look(plan_, log, [](const std::string&) -> flow::Store* { return nullptr; });
  if (snapshot) {
    learn(*snapshot, now);
    return true;
  }
  failed(snapshot.error());
  return false;
}

void Scaling::failed(Error error) {
  const std::lock_guard lock(mutex_);
  ++looks_.count;
  ++looks_.failed;
  looks_.error = std::move(error);
}

void Scaling::learn(const inspect::Snapshot& snapshot, Millis now) {
  const std::lock_guard lock(mutex_);
  ++looks_.count;
  looks_.error.reset();
  looks_.last_good = now;
  for (Stage& one : stages_) {
    const auto seen = observation(snapshot, *one.stage, partitions_of(plan_, *one.stage), now);
    if (!seen) {
      one.last.decision.reset();
      continue;
    }
    one.estimator.observe(*seen);
    one.last.estimate = one.estimator.estimate();
    one.last.decision = one.need.decide(one.last.estimate);
  }
}

std::vector<StageNeed> Scaling::stages() const {
  const std::lock_guard lock(mutex_);
  std::vector<StageNeed> all;
  for (const Stage& one : stages_) all.push_back(one.last);
  return all;
}

std::optional<StageNeed> Scaling::stage(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(
      stages_, id, [](const Stage& one) -> std::string_view { return one.last.stage; });
  if (found == stages_.end()) return std::nullopt;
  return found->last;
}

Scaling::Looks Scaling::looks() const {
  const std::lock_guard lock(mutex_);
  return looks_;
}

}  // namespace penstock::app
