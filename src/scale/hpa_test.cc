#include "scale/hpa.h"

#include <doctest/doctest.h>

namespace penstock::scale {
namespace {

constexpr int64_t kSync = 15'000;

// The replicas after so many syncs with one metric, all pods being there.
int32_t after(Hpa& hpa, int64_t& now, double metric, int32_t replicas, int syncs) {
  for (int i = 0; i < syncs; ++i, now += kSync) {
    replicas = hpa.sync({now}, metric, replicas, replicas);
  }
  return replicas;
}

}  // namespace

TEST_CASE("as many as the metric divided by the target, rounded up, between min and max") {
  int64_t now = 0;
  CHECK(Hpa({.max = 10, .target = 100}).sync({now}, 201, 1, 1) == 3);
  CHECK(Hpa({.max = 2, .target = 100}).sync({now}, 201, 1, 1) == 2);
  CHECK(Hpa({.max = 10, .target = 100}).sync({now}, 0, 1, 1) == 1);
  CHECK(Hpa({.min = 2, .max = 10, .target = 100}).sync({now}, 0, 1, 1) == 2);
  CHECK(Hpa({.max = 3, .target = 100}).sync({now}, 0, 7, 7) == 3);
  CHECK(Hpa({.max = 10, .target = 100}).sync({now}, 5000, 0, 0) == 0);  // KEDA's
  CHECK(Hpa({.max = 10, .target = 100}).sync({now}, std::nullopt, 4, 4) == 4);
  // Asked for one, none there yet: no ratio is within the tolerance.
  CHECK(Hpa({.max = 10, .target = 100}).sync({now}, 250, 1, 0) == 3);
}

TEST_CASE("without behavior at most the double, or 4, per sync: 1, 4, 5 and 4, 8, 16") {
  Hpa five({.max = 5, .target = 100});
  int64_t now = 0;
  CHECK(after(five, now, 500, 1, 1) == 4);
  CHECK(after(five, now, 500, 4, 1) == 5);
  Hpa many({.max = 50, .target = 100});
  CHECK(many.sync({0}, 5000, 4, 4) == 8);
  CHECK(many.sync({kSync}, 5000, 8, 8) == 16);
}

TEST_CASE("with behavior 4 more or the double in 15 s, whichever is more") {
  Hpa hpa({.max = 50, .target = 100, .behavior = ScalingBehavior{}});
  CHECK(hpa.sync({0}, 5000, 1, 1) == 5);
  CHECK(hpa.sync({5'000}, 5000, 5, 5) == 5);  // its period is not over
  CHECK(hpa.sync({15'000}, 5000, 5, 5) == 10);
  CHECK(hpa.sync({30'000}, 5000, 10, 10) == 20);
}

TEST_CASE("a policy of one pod a minute, and scaling down that is disabled") {
  ScalingBehavior behavior;
  behavior.up.policies = {{ScalingPolicy::Kind::pods, 1, 60'000}};
  behavior.down.select = ScalingRules::Select::disabled;
  behavior.down.stabilization_millis = 0;
  Hpa hpa({.max = 50, .target = 100, .behavior = behavior});
  CHECK(hpa.sync({0}, 5000, 1, 1) == 2);
  CHECK(hpa.sync({45'000}, 5000, 2, 2) == 2);
  CHECK(hpa.sync({60'000}, 5000, 2, 2) == 3);
  CHECK(hpa.sync({75'000}, 0, 3, 3) == 3);
}

TEST_CASE("the tolerance of a tenth stalls at partitions - 1 from 11 up, both ways") {
  int64_t now = 0;
  for (const int32_t partitions : {5, 8, 10}) {
    Hpa hpa({.max = partitions, .target = 100});
    CHECK(after(hpa, now, partitions * 100.0, partitions - 1, 100) == partitions);
  }
  for (const int32_t partitions : {11, 12, 20}) {
    Hpa hpa({.max = partitions, .target = 100});
    CHECK(after(hpa, now, partitions * 100.0, partitions - 1, 100) == partitions - 1);
    Hpa down({.max = partitions, .target = 100});
    CHECK(after(down, now, (partitions - 1) * 100.0, partitions, 100) == partitions);
    Hpa exact({.max = partitions, .target = 100, .tolerance_up = 0});
    CHECK(after(exact, now, partitions * 100.0, partitions - 1, 100) == partitions);
  }
}

TEST_CASE("down only after 300 s in which no more was asked for") {
  Hpa hpa({.max = 10, .target = 100});
  CHECK(hpa.sync({0}, 500, 4, 4) == 5);
  for (int64_t now = kSync; now <= 300'000; now += kSync) CHECK(hpa.sync({now}, 100, 5, 5) == 5);
  CHECK(hpa.sync({315'000}, 100, 5, 5) == 1);
}

TEST_CASE("what was asked for before KEDA went to 0 counts after the wake-up, without behavior") {
  Hpa plain({.max = 10, .target = 100});
  CHECK(plain.sync({0}, 400, 4, 4) == 4);
  CHECK(plain.sync({kSync}, 0, 0, 0) == 0);
  CHECK(plain.sync({2 * kSync}, 10, 1, 1) == 4);
  Hpa behaving({.max = 10, .target = 100, .behavior = ScalingBehavior{}});
  CHECK(behaving.sync({0}, 400, 4, 4) == 4);
  CHECK(behaving.sync({2 * kSync}, 10, 1, 1) == 1);
}

TEST_CASE("a stabilization upwards takes the lowest of its window") {
  ScalingBehavior behavior;
  behavior.up.stabilization_millis = 60'000;
  Hpa hpa({.max = 10, .target = 100, .behavior = behavior});
  CHECK(hpa.sync({0}, 100, 1, 1) == 1);
  CHECK(hpa.sync({15'000}, 500, 1, 1) == 1);
  CHECK(hpa.sync({30'000}, 300, 1, 1) == 1);
  CHECK(hpa.sync({60'001}, 500, 1, 1) == 3);
}

}  // namespace penstock::scale
