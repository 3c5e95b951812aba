#include "scale/keda.h"

#include <doctest/doctest.h>

#include <vector>

namespace penstock::scale {
namespace {

std::vector<PartitionOffsets> lags(std::initializer_list<int64_t> lags) {
  std::vector<PartitionOffsets> partitions;
  for (const int64_t lag : lags) partitions.push_back({0, 1000, 1000 - lag});
  return partitions;
}

int64_t asked(KafkaTriggerFields fields, const std::vector<PartitionOffsets>& partitions) {
  return KafkaTrigger(fields).ask(partitions).value().value;
}

}  // namespace

TEST_CASE("the lag is summed over partitions and capped at their number times the threshold") {
  CHECK(asked({.lag_threshold = 100}, lags({10, 0, 20})) == 30);
  CHECK(asked({.lag_threshold = 100}, lags({400, 0, 0})) == 300);
  // The cap looks at whole thresholds: 399 is not more than 3 of them.
  CHECK(asked({.lag_threshold = 100}, lags({399, 0, 0})) == 399);
  CHECK(asked({.lag_threshold = 100, .allow_idle_consumers = true}, lags({900, 0, 0})) == 900);
}

TEST_CASE("limitToPartitionsWithLag caps at the partitions that have any") {
  const KafkaTriggerFields fields{.lag_threshold = 100, .limit_to_partitions_with_lag = true};
  CHECK(asked(fields, lags({400, 0, 0})) == 100);
  CHECK(asked(fields, lags({400, 1, 0})) == 200);
}

TEST_CASE("ensureEvenDistributionOfPartitions goes to the next divisor, and never below one") {
  const KafkaTriggerFields fields{.lag_threshold = 100,
                                  .ensure_even_distribution_of_partitions = true};
  CHECK(asked(fields, lags({250, 0, 0, 0, 0, 0})) == 300);
  CHECK(asked(fields, lags({350, 0, 0, 0, 0, 0})) == 600);
  CHECK(asked(fields, lags({900, 900, 0, 0, 0, 0})) == 600);
  CHECK(asked(fields, lags({0, 0, 0, 0, 0, 0})) == 100);
  CHECK_FALSE(KafkaTrigger(fields).ask(lags({0, 0}))->active);
}

TEST_CASE("excludePersistentLag: a partition that stood still scales nothing but stays active") {
  KafkaTrigger trigger({.lag_threshold = 10, .exclude_persistent_lag = true});
  CHECK(trigger.ask(lags({30, 5}))->value == 20);  // 35, capped
  auto next = lags({30, 5});
  next[1].committed = 998;
  const auto metric = trigger.ask(next);
  CHECK(metric->value == 2);
  CHECK(metric->active);
  CHECK(trigger.ask(next)->value == 0);  // now both
  CHECK(trigger.ask(next)->active);
}

TEST_CASE("a group that never committed: by the reset policy") {
  const std::vector<PartitionOffsets> fresh = {{40, 100, std::nullopt}, {0, 7, std::nullopt}};
  CHECK(asked({.lag_threshold = 100}, fresh) == 2);  // latest: 1 per partition
  CHECK(asked({.lag_threshold = 100, .offset_reset = OffsetReset::earliest}, fresh) == 67);
  CHECK(asked({.lag_threshold = 100,
               .offset_reset = OffsetReset::earliest,
               .scale_to_zero_on_invalid_offset = true},
              fresh) == 0);
}

TEST_CASE("activation: more than the threshold, not as much") {
  KafkaTrigger trigger({.lag_threshold = 100, .activation_lag_threshold = 5});
  CHECK_FALSE(trigger.ask(lags({5}))->active);
  CHECK(trigger.ask(lags({6}))->active);
}

TEST_CASE("who commits last + 1 beside a commit marker keeps lag 1 for ever, and a worker") {
  KafkaTrigger trigger({.lag_threshold = 100});
  KedaOperator op({.cooldown_millis = 300'000});
  int32_t replicas = 1;
  for (int64_t now = 0; now < 86'400'000; now += 30'000) {
    const auto metric = trigger.ask(lags({1}));
    replicas = op.poll({now}, metric->active, replicas);
    REQUIRE(replicas == 1);
  }
  CHECK(op.poll({86'700'000}, trigger.ask(lags({0}))->active, replicas) == 0);
}

TEST_CASE("0 to 1 at a poll, to min where it is more; 0 again only after the cooldown") {
  KedaOperator op({.cooldown_millis = 300'000});
  CHECK(op.poll({0}, false, 0) == 0);
  CHECK(op.poll({30'000}, true, 0) == 1);
  CHECK(op.poll({60'000}, true, 4) == 4);  // between, the HPA scales
  CHECK(op.poll({90'000}, false, 4) == 4);
  CHECK(op.poll({360'000}, false, 4) == 4);  // as long as the cooldown is not long enough
  CHECK(op.poll({360'001}, false, 4) == 0);
  CHECK(KedaOperator({.min = 3}).poll({0}, true, 0) == 3);
  CHECK(KedaOperator({.min = 3}).poll({0}, false, 1) == 3);
  CHECK(KedaOperator({.min = 3}).poll({0}, false, 5) == 5);
}

TEST_CASE("started by somebody else and never active: KEDA does not wait") {
  CHECK(KedaOperator({}).poll({0}, false, 2) == 0);
}

TEST_CASE("a topic that is missing is an error, which moves nothing") {
  KafkaTrigger trigger({.lag_threshold = 100});
  CHECK_FALSE(trigger.ask({}).has_value());
  KedaOperator op({.cooldown_millis = 0});
  CHECK(op.poll({0}, std::nullopt, 0) == 0);
  CHECK(op.poll({1'000'000}, std::nullopt, 3) == 3);
}

}  // namespace penstock::scale
