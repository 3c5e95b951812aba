// keda.h — what KEDA makes of a group's lag: the metric of its kafka trigger, and its operator,
// which alone goes from 0 to 1 and back to 0. Between, the HPA scales (hpa.h).
//
// After KEDA 2.21.0: pkg/scalers/kafka_scaler.go (getTotalLag, getLagForPartition,
// getNextFactorThatBalancesConsumersToTopicPartitions) and
// pkg/scaling/executor/scale_scaledobjects.go (RequestScale, scaleToZeroOrIdle).
//
// Thread      one owner; no clock: the time is given.
// Limits      one topic per trigger, as KEDA has it. Fallback, idleReplicaCount, pausing and
//             partitionLimitation are not here.
//
//     KafkaTrigger trigger({.lag_threshold = 100, .offset_reset = OffsetReset::earliest});
//     const auto metric = trigger.ask(partitions);      // none: KEDA has an error, nothing moves
//     replicas = op.poll(now, metric ? std::optional(metric->active) : std::nullopt, replicas);
#pragma once

#include "base/units.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace penstock::scale {

// One partition, as a broker tells it.
struct PartitionOffsets {
  int64_t start = 0;                 // of the log
  int64_t end = 0;                   // the high watermark: open transactions count
  std::optional<int64_t> committed;  // by the group; none: never
};

enum class OffsetReset : uint8_t { latest, earliest };

// The trigger's fields, with KEDA's defaults.
struct KafkaTriggerFields {
  int64_t lag_threshold = 10;
  int64_t activation_lag_threshold = 0;
  OffsetReset offset_reset = OffsetReset::latest;
  bool allow_idle_consumers = false;
  bool scale_to_zero_on_invalid_offset = false;
  bool exclude_persistent_lag = false;
  bool limit_to_partitions_with_lag = false;
  bool ensure_even_distribution_of_partitions = false;
};

struct Metric {
  int64_t value = 0;
  bool active = false;
};

class KafkaTrigger {
 public:
  explicit KafkaTrigger(KafkaTriggerFields fields) : fields_(fields) {}
  // `partitions` in order and always the same; none at all is a topic that is missing: an error.
  std::optional<Metric> ask(std::span<const PartitionOffsets> partitions);

 private:
  struct Lag {
    int64_t counted = 0;  // for the number of replicas
    int64_t whole = 0;    // for the question whether there is anything
  };
  Lag lag_of(size_t index, const PartitionOffsets& partition);
  int64_t capped(int64_t lag, int64_t partitions, int64_t partitions_with_lag) const;

  KafkaTriggerFields fields_;
  std::vector<std::optional<int64_t>> previous_;  // committed offsets of the last call
};

struct ScaledObject {
  int32_t min = 0;    // minReplicaCount
  int32_t max = 100;  // maxReplicaCount
  int64_t poll_millis = 30'000;
  int64_t cooldown_millis = 300'000;
};

class KedaOperator {
 public:
  explicit KedaOperator(ScaledObject object) : object_(object) {}
  // The replicas after a poll; `active` none: every trigger failed.
  int32_t poll(Millis now, std::optional<bool> active, int32_t replicas);

 private:
  ScaledObject object_;
  std::optional<Millis> last_active_;
};

}  // namespace penstock::scale
