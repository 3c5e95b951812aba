// flow_model.h — records through topics and stages in steps of a quarter second: what a simulation
// counts instead of moving.
//
// Keys spread evenly: a topic's records go round its partitions. A worker takes its partitions in
// turn, at its speed; a rebalance stops the whole stage; what is read is committed with the epoch,
// and until then it is lag for the scaler and not yet visible to the next stage, although its high
// watermark is there.
//
// Thread      one owner; no clock: the time is given.
// Limits      what a stage writes is `kept` of what it reads, spread over its topics evenly.
#pragma once

#include "base/units.h"
#include "scale/keda.h"

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::scale {

inline constexpr int64_t kStepMillis = 250;

struct TopicModel {
  std::string name;
  int32_t partitions = 1;
  bool entry = false;    // the load goes here
  bool missing = false;  // KEDA does not find it
};

struct StageModel {
  std::string id;
  std::vector<size_t> from, to;  // topics
  int64_t epoch_millis = 100;
  double speed_per_worker = 1000;
  double most_per_second = 0;  // that all workers together get done (a store's limit); 0: none
  double kept = 1;
  bool commits_last_plus_one = false;  // a bug of others: lag 1 per partition for ever
  ScaledObject object;
  int64_t lag_threshold = 100;
  int64_t keda_phase_millis = 0;     // of KEDA's first poll
  int64_t hpa_phase_millis = 7'500;  // of the HPA's first sync: half of one later, the mean
};

// Records of one topic, as cumulative counts.
class TopicFlow {
 public:
  explicit TopicFlow(TopicModel model) : model_(std::move(model)) {}
  // So many more, of which `visible` in all may be read.
  void append(Millis now, int64_t end, int64_t visible);
  int64_t end() const { return end_; }
  int64_t visible() const { return visible_; }
  // Of the first `count` records, those in this partition.
  int64_t in_partition(int64_t count, int32_t partition) const;
  // When the record of this number came.
  Millis came(int64_t number) const;
  const TopicModel& model() const { return model_; }

 private:
  struct Mark {
    Millis at;
    int64_t end = 0;
  };
  TopicModel model_;
  int64_t end_ = 0, visible_ = 0;
  std::vector<Mark> marks_;
};

class StageFlow {
 public:
  StageFlow(const StageModel& model, const std::vector<TopicFlow>& topics,
            int64_t rebalance_millis);
  // One step of `workers`; reads the topics as they are.
  void step(Millis now, int32_t workers, const std::vector<TopicFlow>& topics);

  // All that was read, and of it what is committed.
  int64_t read() const { return read_; }
  int64_t committed() const { return committed_; }
  int64_t lag(const std::vector<TopicFlow>& topics) const;
  // Age of the oldest record that is not committed.
  double delay_seconds(Millis now, const std::vector<TopicFlow>& topics) const;
  // As a broker tells it of the stage's topic `index`; none of a topic that is missing.
  std::vector<PartitionOffsets> offsets(size_t index, const std::vector<TopicFlow>& topics) const;
  int32_t partitions() const { return static_cast<int32_t>(inputs_.size()); }
  const StageModel& model() const { return model_; }

 private:
  struct Input {
    size_t topic = 0;  // of all
    int32_t partition = 0;
    int64_t position = 0, committed = 0;
    int64_t read_now = 0;  // in this step
  };
  int64_t take(Input& input, int64_t most, const std::vector<TopicFlow>& topics);
  void work(int32_t workers, const std::vector<TopicFlow>& topics);
  void commit(Millis now, bool idle, bool all);

  StageModel model_;
  int64_t rebalance_millis_;
  std::vector<Input> inputs_;
  std::vector<double> budget_;  // of each worker, in records
  int32_t workers_ = 0;
  Millis working_from_{0}, epoch_began_{0};
  int64_t read_ = 0, committed_ = 0, seen_ = 0;
};

}  // namespace penstock::scale
