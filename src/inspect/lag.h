// lag.h — what each stage has not read yet.
//
// Lag = end offset − the group's position, per partition; a group that never committed lags from
// the first kept record. For stages that end in a store the store's own position counts: the group
// only follows it.
//
// Thread      any; asks the log and the stores, which may block for milliseconds.
#pragma once

#include "base/error.h"
#include "flow/log.h"
#include "flow/store.h"
#include "plan/plan.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace penstock::inspect {

// The opened store of that name, or null when it is not to be had (then the group's position is
// taken).
using StoreOf = std::function<flow::Store*(const std::string& name)>;

struct PartitionLag {
  std::string stage;  // id
  std::string group;
  std::string topic;
  int32_t partition = 0;
  Offset end;
  Offset position;        // the committing sink's
  Offset group_position;  // what KEDA would see
  int64_t lag = 0;        // end − position; 0 where only markers of transactions lie between
  flow::Fates fates;
};

// A moment's picture of log and stores; every look below is computed from it.
struct Snapshot {
  std::vector<flow::TopicState> topics;
  std::vector<flow::GroupState> groups;
  std::vector<PartitionLag> stages;  // in flow order, per input partition
  struct StoreRows {
    std::string store;
    std::optional<uint64_t> rows;
  };
  std::vector<StoreRows> stores;

  const flow::TopicState* topic(std::string_view name) const;
  const flow::GroupState* group(std::string_view name) const;
  int64_t lag_of(std::string_view stage) const;  // summed; of a stage id
};

Result<Snapshot> look(const plan::Plan& plan, flow::Log& log, const StoreOf& store_of);

// The identity under which a stage's store keeps its positions.
flow::StoreSpec store_spec(const plan::Plan& plan, const plan::Stage& stage,
                           const std::vector<flow::TopicState>& topics);

}  // namespace penstock::inspect
