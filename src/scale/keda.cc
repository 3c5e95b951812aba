#include "scale/keda.h"

#include <algorithm>

namespace penstock::scale {
namespace {

// The smallest divisor of `partitions` whose workers have at most `threshold` each.
int64_t even_workers(int64_t lag, int64_t partitions, int64_t threshold) {
  for (int64_t workers = 1; workers <= partitions; ++workers) {
    if (partitions % workers == 0 && workers * threshold >= lag) return workers;
  }
  return partitions;
}

}  // namespace

KafkaTrigger::Lag KafkaTrigger::lag_of(size_t index, const PartitionOffsets& partition) {
  if (!partition.committed) {
    if (fields_.scale_to_zero_on_invalid_offset) return {0, 0};
    if (fields_.offset_reset == OffsetReset::latest) return {1, 1};
    const int64_t kept = std::max<int64_t>(0, partition.end - partition.start);
    return {kept, kept};
  }
  // KEDA does not stop at 0: a committed offset beyond the end takes from the others.
  const int64_t lag = partition.end - *partition.committed;
  if (!fields_.exclude_persistent_lag) return {lag, lag};
  std::optional<int64_t>& previous = previous_[index];
  if (previous && *previous == *partition.committed) return {0, lag};
  previous = partition.committed;
  return {lag, lag};
}

int64_t KafkaTrigger::capped(int64_t lag, int64_t partitions, int64_t partitions_with_lag) const {
  const bool caps = !fields_.allow_idle_consumers || fields_.limit_to_partitions_with_lag ||
                    fields_.ensure_even_distribution_of_partitions;
  if (!caps) return lag;
  if (fields_.ensure_even_distribution_of_partitions) {
    lag = even_workers(lag, partitions, fields_.lag_threshold) * fields_.lag_threshold;
  }
  const int64_t most = fields_.limit_to_partitions_with_lag ? partitions_with_lag : partitions;
  return lag / fields_.lag_threshold > most ? most * fields_.lag_threshold : lag;
}

std::optional<Metric> KafkaTrigger::ask(std::span<const PartitionOffsets> partitions) {
  if (partitions.empty()) return std::nullopt;
  previous_.resize(partitions.size());
  int64_t counted = 0;
  int64_t whole = 0;
  int64_t with_lag = 0;
  for (size_t i = 0; i < partitions.size(); ++i) {
    const Lag lag = lag_of(i, partitions[i]);
    counted += lag.counted;
    whole += lag.whole;
    if (lag.counted > 0) ++with_lag;
  }
  return Metric{capped(counted, static_cast<int64_t>(partitions.size()), with_lag),
                whole > fields_.activation_lag_threshold};
}

int32_t KedaOperator::poll(Millis now, std::optional<bool> active, int32_t replicas) {
  if (!active) return replicas;
  if (*active) {
    last_active_ = now;
    return replicas == 0 ? std::max(object_.min, 1) : replicas;
  }
  if (replicas < object_.min) return object_.min;
  if (replicas == 0 || object_.min > 0) return replicas;
  // Never active: somebody else started it, and KEDA does not wait.
  const bool cooled = !last_active_ || *last_active_ + object_.cooldown_millis < now;
  return cooled ? 0 : replicas;
}

}  // namespace penstock::scale
