#include "scale/flow_model.h"

#include <algorithm>
#include <cmath>

namespace penstock::scale {
namespace {

constexpr double kStepSeconds = kStepMillis / 1000.0;

}  // namespace

void TopicFlow::append(Millis now, int64_t end, int64_t visible) {
  if (end > end_) marks_.push_back({now, end});
  end_ = end;
  visible_ = visible;
}

int64_t TopicFlow::in_partition(int64_t count, int32_t partition) const {
  return (count + model_.partitions - 1 - partition) / model_.partitions;
}

Millis TopicFlow::came(int64_t number) const {
  return std::ranges::upper_bound(marks_, number, {}, &Mark::end)->at;
}

StageFlow::StageFlow(const StageModel& model, const std::vector<TopicFlow>& topics,
                     int64_t rebalance_millis)
    : model_(model), rebalance_millis_(rebalance_millis) {
  for (const size_t topic : model.from) {
    for (int32_t i = 0; i < topics[topic].model().partitions; ++i) inputs_.push_back({topic, i});
  }
}

int64_t StageFlow::take(Input& input, int64_t most, const std::vector<TopicFlow>& topics) {
  const TopicFlow& topic = topics[input.topic];
  const int64_t there = topic.in_partition(topic.visible(), input.partition) - input.position;
  const int64_t taken = std::clamp<int64_t>(there, 0, most);
  input.position += taken;
  input.read_now += taken;
  return taken;
}

void StageFlow::work(int32_t workers, const std::vector<TopicFlow>& topics) {
  double speed = model_.speed_per_worker;
  if (model_.most_per_second > 0) speed = std::min(speed, model_.most_per_second / workers);
  budget_.resize(static_cast<size_t>(workers));
  for (int32_t worker = 0; worker < workers; ++worker) {
    double& budget = budget_[static_cast<size_t>(worker)];
    budget = std::min(budget, 1.0) + speed * kStepSeconds;
    // Shares first, so that no partition starves; then what others left.
    const auto count = (partitions() - worker + workers - 1) / workers;
    int64_t share = static_cast<int64_t>(budget) / std::max(count, 1);
    for (int pass = 0; pass < 2; ++pass) {
      for (auto i = static_cast<size_t>(worker); i < inputs_.size();
           i += static_cast<size_t>(workers)) {
        budget -= static_cast<double>(take(inputs_[i], share, topics));
        if (pass > 0) share = static_cast<int64_t>(budget);
      }
      share = static_cast<int64_t>(budget);
    }
  }
}

// `idle`: nothing came and all is read, which a worker commits at once. `all`: partitions move.
void StageFlow::commit(Millis now, bool idle, bool all) {
  const bool short_epochs = model_.epoch_millis <= kStepMillis;
  const bool due = short_epochs || epoch_began_ + model_.epoch_millis <= now;
  if (!idle && !all && !due) return;
  epoch_began_ = now;
  const double open = static_cast<double>(model_.epoch_millis) / kStepMillis;
  committed_ = 0;
  for (Input& input : inputs_) {
    const bool whole = idle || all || !short_epochs;
    const auto held = whole ? 0 : static_cast<int64_t>(static_cast<double>(input.read_now) * open);
    input.committed = std::max(input.committed, input.position - held);
    committed_ += input.committed;
  }
}

void StageFlow::step(Millis now, int32_t workers, const std::vector<TopicFlow>& topics) {
  workers = std::min(workers, partitions());
  if (workers != workers_) {
    commit(now, false, true);
    workers_ = workers;
    working_from_ = now + rebalance_millis_;
    budget_.assign(static_cast<size_t>(workers), 0);
  }
  for (Input& input : inputs_) input.read_now = 0;
  if (workers > 0 && now >= working_from_) work(workers, topics);
  int64_t visible = 0;
  for (const size_t topic : model_.from) visible += topics[topic].visible();
  const bool came = visible != seen_;
  seen_ = visible;
  read_ = 0;
  for (const Input& input : inputs_) read_ += input.position;
  if (workers > 0) commit(now, !came && read_ == visible, false);
}

int64_t StageFlow::lag(const std::vector<TopicFlow>& topics) const {
  int64_t end = 0;
  for (const size_t topic : model_.from) end += topics[topic].end();
  return end - committed_;
}

double StageFlow::delay_seconds(Millis now, const std::vector<TopicFlow>& topics) const {
  int64_t age = 0;
  for (const Input& input : inputs_) {
    const TopicFlow& topic = topics[input.topic];
    if (input.committed >= topic.in_partition(topic.end(), input.partition)) continue;
    const int64_t number = input.committed * topic.model().partitions + input.partition;
    age = std::max(age, now.value - topic.came(number).value);
  }
  return static_cast<double>(age) / 1000;
}

std::vector<PartitionOffsets> StageFlow::offsets(size_t index,
                                                 const std::vector<TopicFlow>& topics) const {
  std::vector<PartitionOffsets> all;
  const size_t wanted = model_.from[index];
  if (topics[wanted].model().missing) return all;
  for (const Input& input : inputs_) {
    if (input.topic != wanted) continue;
    const TopicFlow& topic = topics[wanted];
    PartitionOffsets one{0, topic.in_partition(topic.end(), input.partition), input.committed};
    // Behind the last record stands the marker of its transaction.
    if (model_.commits_last_plus_one && one.end > 0) ++one.end;
    all.push_back(one);
  }
  return all;
}

}  // namespace penstock::scale
