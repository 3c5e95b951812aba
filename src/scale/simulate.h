// simulate.h — a pipeline under a load, scaled by KEDA and the HPA: replicas, lag, delay and pod
// hours over time, without a cluster.
//
// The same model and load give the same result, always. What is modelled and what is not stands in
// docs/scaling.md.
//
// Thread      free functions.
// Limits      the load's length plus two hours, in which what is left is done and pods go.
//
//     const Outcome outcome = simulate(model, load, Policy::need);
//     outcome.stages[0].steps;     // when how many replicas were asked for
#pragma once

#include "base/units.h"
#include "scale/flow_model.h"
#include "scale/load.h"
#include "scale/pods.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace penstock::scale {

// Who tells KEDA: its kafka trigger, or `penstock scaler`.
enum class Policy : uint8_t { lag, need };
std::string_view to_text(Policy policy);

struct ClusterModel {
  PodSettings pods;
  int64_t rebalance_millis = 1'000;
  int64_t sync_millis = 15'000;  // of the HPA
  int64_t look_millis = 5'000;   // of the scaler
  int64_t catch_up_millis = 60'000;
  // HPA with behavior, and this scaleDown.stabilizationWindowSeconds; none: an HPA without, and
  // with `need` 0, as the chart has it.
  std::optional<int64_t> down_stabilization_millis;
};

struct Model {
  std::vector<TopicModel> topics;
  std::vector<StageModel> stages;  // in flow order
  ClusterModel cluster;
};

struct Sample {
  Millis at;
  int32_t replicas = 0;      // asked for
  int32_t ready = 0;         // at work
  int64_t lag = 0;           // as KEDA sees it; the largest since the last sample
  double delay_seconds = 0;  // age of the oldest record not committed; likewise
};

struct StageOutcome {
  std::string id;
  struct Step {
    Millis at;
    int32_t replicas = 0;
    bool operator==(const Step&) const = default;
  };
  std::vector<Step> steps;  // each change, the first at 0
  std::vector<Sample> samples;
  int32_t replicas_max = 0;
  int64_t lag_max = 0;
  double lag_mean = 0;
  double delay_max_seconds = 0;
  double delay_p99_seconds = 0;  // of the seconds in which anything waited
  double pod_hours = 0;          // from the moment they were asked for
  double zero_share = 0;         // of the time without a pod
};

struct Outcome {
  Policy policy = Policy::lag;
  std::vector<StageOutcome> stages;
  std::vector<double> pod_hours, node_hours;  // so far, at each sample
  Millis sample_every;
  Millis end;
  bool drained = false;  // everything was done, and every stage back at its min
  int64_t left = 0;      // records that were not

  double pod_hours_total() const { return pod_hours.empty() ? 0 : pod_hours.back(); }
  double node_hours_total() const { return node_hours.empty() ? 0 : node_hours.back(); }
};

Outcome simulate(const Model& model, const Load& load, Policy policy);

}  // namespace penstock::scale
