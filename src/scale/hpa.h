// hpa.h — the HorizontalPodAutoscaler with one external metric: from a metric to replicas, between
// 1 and the most.
//
// After Kubernetes 1.36.4, pkg/controller/podautoscaler: replica_calculator.go
// (GetExternalPerPodMetricReplicas) and horizontal.go (reconcileAutoscaler and what it calls).
// Without `behavior`, as KEDA makes an HPA by itself, the old limits hold: at most the double, or
// 4, per sync. With it: 100 % or 4 more pods in 15 s, whichever is more; down at once, after the
// stabilization.
//
// Thread      one owner; no clock: the time is given.
//
//     Hpa hpa({.max = 5, .target = 100});
//     replicas = hpa.sync(now, metric, replicas, pods);     // every sync_millis
#pragma once

#include "base/units.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace penstock::scale {

struct ScalingPolicy {
  enum class Kind : uint8_t { pods, percent };
  Kind kind = Kind::percent;
  int32_t value = 100;
  int64_t period_millis = 15'000;
};

struct ScalingRules {
  enum class Select : uint8_t { most, least, disabled };
  int64_t stabilization_millis = 0;
  Select select = Select::most;
  std::vector<ScalingPolicy> policies;
};

struct ScalingBehavior {
  // Kubernetes' defaults where the object has a `behavior` and says nothing else.
  ScalingRules up = {
      .policies = {{ScalingPolicy::Kind::pods, 4, 15'000}, {ScalingPolicy::Kind::percent, 100}}};
  ScalingRules down = {.stabilization_millis = 300'000,
                       .policies = {{ScalingPolicy::Kind::percent, 100}}};
};

struct HpaFields {
  int32_t min = 1;
  int32_t max = 100;
  int64_t target = 1;  // averageValue: of the metric, per pod
  double tolerance_up = 0.1;
  double tolerance_down = 0.1;
  int64_t sync_millis = 15'000;                 // --horizontal-pod-autoscaler-sync-period
  int64_t down_stabilization_millis = 300'000;  // of an HPA without behavior
  std::optional<ScalingBehavior> behavior = {};
};

class Hpa {
 public:
  explicit Hpa(HpaFields fields) : fields_(std::move(fields)) {}
  // `metric` none: it could not be read. `replicas` is what the Deployment asks for, `pods` how
  // many it has, starting ones included. Returns what it is to ask for.
  int32_t sync(Millis now, std::optional<double> metric, int32_t replicas, int32_t pods);

 private:
  struct Recommendation {
    Millis at;
    int32_t replicas;
  };
  struct Change {
    Millis at;
    int32_t replicas;
  };
  int32_t proposed(double metric, int32_t pods) const;
  int32_t stabilized(Millis now, int32_t desired, int32_t replicas);
  int32_t limited(Millis now, int32_t desired, int32_t replicas) const;
  int32_t rate_limit(Millis now, const ScalingRules& rules, bool up, int32_t replicas) const;
  void remember(Millis now, int32_t before, int32_t after);

  HpaFields fields_;
  bool met_ = false;
  std::vector<Recommendation> recommendations_;
  std::vector<Change> ups_, downs_;
};

}  // namespace penstock::scale
