#include "scale/simulate.h"

#include "scale/estimate.h"
#include "scale/hpa.h"
#include "scale/keda.h"
#include "scale/need.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace penstock::scale {
namespace {

constexpr int64_t kLookMillis = 1'000;  // lag and delay are looked at so often
constexpr int64_t kSamplesMax = 2'000;
constexpr int64_t kTailMillis = 7'200'000;
constexpr double kHourMillis = 3'600'000;

bool due(Millis now, int64_t phase, int64_t every) {
  return now.value >= phase && (now.value - phase) % every == 0;
}
// So that it falls on a step.
int64_t on_grid(int64_t millis) { return millis / kStepMillis * kStepMillis; }
int64_t on_step(int64_t millis) { return std::max(kStepMillis, on_grid(millis)); }

// Who scales one stage: KEDA's triggers or our scaler, KEDA's operator, the HPA.
class Scaled {
 public:
  Scaled(const StageModel& stage, const ClusterModel& cluster, Policy policy, int32_t partitions)
      : policy_(policy),
        cluster_(cluster),
        operator_(stage.object),
        poll_millis_(on_step(stage.object.poll_millis)),
        keda_phase_millis_(on_grid(stage.keda_phase_millis)),
        hpa_phase_millis_(on_grid(stage.hpa_phase_millis)),
        hpa_(hpa_of(stage, cluster, policy)),
        estimator_({.epoch_millis = stage.epoch_millis}),
        need_({.partitions = partitions,
               .min = stage.object.min,
               .max = stage.object.max,
               .catch_up_millis = cluster.catch_up_millis,
               .quiet_millis = std::min(kQuietMillis, stage.object.cooldown_millis)}) {
    for (size_t i = 0; i < stage.from.size(); ++i) {
      triggers_.emplace_back(KafkaTriggerFields{.lag_threshold = stage.lag_threshold,
                                                .offset_reset = OffsetReset::earliest});
    }
  }

  // The replicas to ask for from now on.
  int32_t step(Millis now, const StageFlow& flow, const std::vector<TopicFlow>& topics,
               const Pods& pods, size_t stage) {
    if (policy_ == Policy::need && due(now, 0, on_step(cluster_.look_millis))) {
      look(now, flow, topics, pods.ready(stage));
    }
    int32_t replicas = pods.asked(stage);
    if (due(now, keda_phase_millis_, poll_millis_)) {
      const auto metric = ask(flow, topics);
      const auto active = metric ? std::optional(metric->active) : std::nullopt;
      replicas = operator_.poll(now, active, replicas);
    }
    if (due(now, hpa_phase_millis_, on_step(cluster_.sync_millis))) {
      const auto metric = replicas == 0 ? std::nullopt : ask(flow, topics);
      const auto value = metric ? std::optional(static_cast<double>(metric->value)) : std::nullopt;
      replicas = hpa_.sync(now, value, replicas, pods.there(stage));
    }
    return replicas;
  }

 private:
  static HpaFields hpa_of(const StageModel& stage, const ClusterModel& cluster, Policy policy) {
    HpaFields fields{.min = std::max(1, stage.object.min),
                     .max = stage.object.max,
                     .target = policy == Policy::need ? 1 : stage.lag_threshold};
    if (policy == Policy::need || cluster.down_stabilization_millis) {
      fields.behavior = ScalingBehavior{};
      // The scaler itself has waited for a minute before it asks for fewer.
      fields.behavior->down.stabilization_millis = cluster.down_stabilization_millis.value_or(0);
    }
    return fields;
  }

  std::optional<Metric> ask(const StageFlow& flow, const std::vector<TopicFlow>& topics) {
    if (policy_ == Policy::need) return Metric{answer_, answer_ > 0};
    Metric sum;
    for (size_t i = 0; i < triggers_.size(); ++i) {
      const auto one = triggers_[i].ask(flow.offsets(i, topics));
      if (!one) return std::nullopt;
      sum.value += one->value;
      sum.active |= one->active;
    }
    return sum;
  }

  void look(Millis now, const StageFlow& flow, const std::vector<TopicFlow>& topics,
            int32_t workers) {
    int64_t produced = 0;
    for (const size_t topic : flow.model().from) produced += topics[topic].end();
    workers = std::min(workers, flow.partitions());
    estimator_.observe({now, produced, flow.committed(), workers});
    answer_ = need_.decide(estimator_.estimate()).replicas;
  }

  Policy policy_;
  ClusterModel cluster_;
  KedaOperator operator_;
  int64_t poll_millis_, keda_phase_millis_, hpa_phase_millis_;
  Hpa hpa_;
  Estimator estimator_;
  Need need_;
  std::vector<KafkaTrigger> triggers_;
  int32_t answer_ = 0;
};

class Simulation {
 public:
  Simulation(const Model& model, const Load& load, Policy policy)
      : model_(model), load_(load), pods_(model.stages.size(), model.cluster.pods) {
    outcome_.policy = policy;
    for (const TopicModel& topic : model.topics) {
      entries_ += topic.entry ? 1 : 0;
      topics_.emplace_back(topic);
    }
    for (size_t i = 0; i < model.stages.size(); ++i) {
      const StageModel& stage = model.stages[i];
      flows_.emplace_back(stage, topics_, model.cluster.rebalance_millis);
      scaled_.emplace_back(stage, model.cluster, policy, flows_.back().partitions());
      outcome_.stages.push_back({.id = stage.id, .steps = {}, .samples = {}});
      pods_.ask(i, stage.object.min, {0});
      outcome_.stages.back().steps.push_back({{0}, stage.object.min});
    }
    delays_.resize(model.stages.size());
    peak_.resize(model.stages.size());
    const int64_t length = load.end().value + kTailMillis / 10;
    const int64_t seconds = (length / kSamplesMax + kLookMillis - 1) / kLookMillis;
    outcome_.sample_every = {std::max<int64_t>(1, seconds) * kLookMillis};
  }

  Outcome run() {
    Millis now{0};
    for (; now.value <= load_.end().value + kTailMillis; now.value += kStepMillis) {
      step(now);
      if (now.value % kLookMillis == 0) look(now);
      if (now.value % outcome_.sample_every.value == 0) sample(now);
      if (now >= load_.end() && over()) {
        outcome_.drained = true;
        break;
      }
    }
    finish(now);
    return std::move(outcome_);
  }

 private:
  // Every topic at once, from cumulative counts: the load's, and what stages wrote of theirs.
  void move_records(Millis now) {
    const double came = load_.total(now);
    for (size_t t = 0; t < topics_.size(); ++t) {
      int64_t end = 0;
      int64_t visible = 0;
      if (model_.topics[t].entry) end = visible = static_cast<int64_t>(came / entries_ + 1e-6);
      for (const StageFlow& flow : flows_) {
        const StageModel& stage = flow.model();
        if (std::ranges::find(stage.to, t) == stage.to.end()) continue;
        const double share = stage.kept / static_cast<double>(stage.to.size());
        end += static_cast<int64_t>(static_cast<double>(flow.read()) * share + 1e-6);
        visible += static_cast<int64_t>(static_cast<double>(flow.committed()) * share + 1e-6);
      }
      topics_[t].append(now, end, visible);
    }
  }

  void step(Millis now) {
    move_records(now);
    pods_.step(now);
    for (size_t i = 0; i < flows_.size(); ++i) {
      flows_[i].step(now, pods_.ready(i), topics_);
      const int32_t before = pods_.asked(i);
      const int32_t asked = scaled_[i].step(now, flows_[i], topics_, pods_, i);
      if (asked != before) {
        pods_.ask(i, asked, now);
        outcome_.stages[i].steps.push_back({now, asked});
      }
      StageOutcome& stage = outcome_.stages[i];
      stage.pod_hours += asked * kStepMillis / kHourMillis;
      stage.replicas_max = std::max(stage.replicas_max, asked);
      if (asked == 0) stage.zero_share += kStepMillis;
      pod_hours_ += asked * kStepMillis / kHourMillis;
    }
    node_hours_ += pods_.nodes() * kStepMillis / kHourMillis;
  }

  void look(Millis now) {
    for (size_t i = 0; i < flows_.size(); ++i) {
      const int64_t lag = flows_[i].lag(topics_);
      const double delay = flows_[i].delay_seconds(now, topics_);
      StageOutcome& stage = outcome_.stages[i];
      stage.lag_max = std::max(stage.lag_max, lag);
      stage.lag_mean += static_cast<double>(lag);
      stage.delay_max_seconds = std::max(stage.delay_max_seconds, delay);
      if (lag > 0) delays_[i].push_back(static_cast<float>(delay));
      peak_[i].lag = std::max(peak_[i].lag, lag);
      peak_[i].delay_seconds = std::max(peak_[i].delay_seconds, delay);
    }
    ++looks_;
  }

  void sample(Millis now) {
    for (size_t i = 0; i < flows_.size(); ++i) {
      peak_[i].at = now;
      peak_[i].replicas = pods_.asked(i);
      peak_[i].ready = pods_.ready(i);
      outcome_.stages[i].samples.push_back(std::exchange(peak_[i], {}));
    }
    outcome_.pod_hours.push_back(pod_hours_);
    outcome_.node_hours.push_back(node_hours_);
  }

  bool over() const {
    for (size_t i = 0; i < flows_.size(); ++i) {
      if (flows_[i].lag(topics_) > 0 || pods_.asked(i) > model_.stages[i].object.min) return false;
    }
    return true;
  }

  void finish(Millis now) {
    sample(now);
    outcome_.end = now;
    for (size_t i = 0; i < flows_.size(); ++i) {
      StageOutcome& stage = outcome_.stages[i];
      outcome_.left += flows_[i].lag(topics_);
      stage.lag_mean /= static_cast<double>(std::max<int64_t>(1, looks_));
      stage.zero_share /= static_cast<double>(std::max<int64_t>(1, now.value));
      std::vector<float>& delays = delays_[i];
      if (delays.empty()) continue;
      const size_t at = (delays.size() - 1) * 99 / 100;
      std::ranges::nth_element(delays, delays.begin() + static_cast<ptrdiff_t>(at));
      stage.delay_p99_seconds = delays[at];
    }
  }

  const Model& model_;
  const Load& load_;
  Pods pods_;
  std::vector<TopicFlow> topics_;
  std::vector<StageFlow> flows_;
  std::vector<Scaled> scaled_;
  std::vector<std::vector<float>> delays_;
  std::vector<Sample> peak_;
  Outcome outcome_;
  int entries_ = 0;
  int64_t looks_ = 0;
  double pod_hours_ = 0, node_hours_ = 0;
};

}  // namespace

std::string_view to_text(Policy policy) { return policy == Policy::lag ? "lag" : "need"; }

Outcome simulate(const Model& model, const Load& load, Policy policy) {
  return Simulation(model, load, policy).run();
}

}  // namespace penstock::scale
