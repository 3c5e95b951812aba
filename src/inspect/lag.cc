#include "inspect/lag.h"

#include <algorithm>
#include <utility>

namespace penstock::inspect {
namespace {

const flow::GroupPosition* find(const std::vector<flow::GroupPosition>& positions,
                                std::string_view topic, int32_t partition) {
  const auto found = std::ranges::find_if(
      positions, [&](const auto& p) { return p.topic == topic && p.partition == partition; });
  return found == positions.end() ? nullptr : &*found;
}

void add_stage(const plan::Stage& stage, const std::vector<flow::GroupPosition>* stored,
               Snapshot& into) {
  const flow::GroupState* group = into.group(stage.group);
  for (const std::string& name : stage.from) {
    const flow::TopicState* topic = into.topic(name);
    if (topic == nullptr) continue;
    for (const flow::PartitionState& partition : topic->partitions) {
      PartitionLag lag{
          stage.id,        stage.group, name, partition.index, partition.end, partition.start,
          partition.start, 0,           {}};
      const flow::GroupPosition* told =
          group == nullptr ? nullptr : find(group->positions, name, partition.index);
      if (told != nullptr) lag.group_position = told->next;
      const flow::GroupPosition* owned =
          stored == nullptr ? told : find(*stored, name, partition.index);
      if (owned != nullptr) {
        lag.position = owned->next;
        lag.fates = owned->fates;
      }
      lag.lag = std::max<int64_t>(0, lag.end.value - lag.position.value);
      into.stages.push_back(std::move(lag));
    }
  }
}

// A store moves its position with its rows only: where nothing but the markers of transactions lies
// behind it, as a group that stands at the end suspects, there is no lag.
Result<void> discount_markers(flow::Log& log, PartitionLag& lag) {
  if (lag.lag == 0 || lag.group_position < lag.end) return {};
  Offset next;
  PENSTOCK_TRY(batch, log.read(lag.topic, lag.partition, lag.position, {.max_records = 1}, &next));
  if (batch.records.empty() || !(batch.records.front().offset < lag.end)) lag.lag = 0;
  return {};
}

}  // namespace

const flow::TopicState* Snapshot::topic(std::string_view name) const {
  const auto found = std::ranges::find(topics, name, &flow::TopicState::name);
  return found == topics.end() ? nullptr : &*found;
}

const flow::GroupState* Snapshot::group(std::string_view name) const {
  const auto found = std::ranges::find(groups, name, &flow::GroupState::name);
  return found == groups.end() ? nullptr : &*found;
}

int64_t Snapshot::lag_of(std::string_view stage) const {
  int64_t sum = 0;
  for (const PartitionLag& one : stages) {
    if (one.stage == stage) sum += one.lag;
  }
  return sum;
}

flow::StoreSpec store_spec(const plan::Plan& plan, const plan::Stage& stage,
                           const std::vector<flow::TopicState>& topics) {
  flow::StoreSpec spec;
  spec.pipeline = plan.pipeline;
  spec.stage = stage.name;
  spec.store = stage.to_store;
  spec.table = plan.store(stage.to_store)->table;
  for (const std::string& name : stage.from) {
    const auto topic = std::ranges::find(topics, name, &flow::TopicState::name);
    spec.inputs.push_back(name);
    spec.lineages.push_back(topic == topics.end() ? std::string() : topic->lineage);
  }
  return spec;
}

Result<Snapshot> look(const plan::Plan& plan, flow::Log& log, const StoreOf& store_of) {
  Snapshot snapshot;
  // Positions first, ends after: a position is never beyond the end that is shown with it.
  PENSTOCK_TRY(groups, log.groups());
  snapshot.groups = std::move(groups);
  PENSTOCK_TRY(lineages, log.topics());
  std::vector<std::optional<flow::StoreState>> states;
  for (const plan::Stage& stage : plan.stages) {
    std::optional<flow::StoreState> state;
    if (flow::Store* store = stage.to_store.empty() ? nullptr : store_of(stage.to_store);
        store != nullptr) {
      PENSTOCK_TRY(found, store->state(store_spec(plan, stage, lineages)));
      snapshot.stores.push_back({stage.to_store, found.rows});
      state = std::move(found);
    }
    states.push_back(std::move(state));
  }
  PENSTOCK_TRY(topics, log.topics());
  snapshot.topics = std::move(topics);
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    add_stage(plan.stages[i], states[i] ? &states[i]->positions : nullptr, snapshot);
  }
  for (PartitionLag& lag : snapshot.stages) {
    PENSTOCK_TRY_VOID(discount_markers(log, lag));
  }
  return snapshot;
}

}  // namespace penstock::inspect
