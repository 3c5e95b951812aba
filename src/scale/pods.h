// pods.h — Deployments and the nodes under them: how long it takes until a pod that was asked for
// works.
//
// A pod needs room on a node, then `pod_start_millis` until it is in its group. A node is made when
// pods find no room, and goes when the others were enough for `node_idle_millis` (the cluster
// autoscaler's scale-down-unneeded-time). Without `pods_per_node` there is always room.
//
// Thread      one owner; no clock: the time is given.
// Limits      pods are all of one size; they are not moved from node to node.
//
//     Pods pods(2, {});
//     pods.ask(0, 3);                   // of the first Deployment
//     pods.step(now);
//     pods.ready(0);
#pragma once

#include "base/units.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace penstock::scale {

struct PodSettings {
  int64_t pod_start_millis = 5'000;
  int64_t node_start_millis = 90'000;
  int64_t node_idle_millis = 600'000;
  int32_t pods_per_node = 0;  // 0: nodes do not matter
  int32_t nodes_min = 0;
};

class Pods {
 public:
  Pods(size_t deployments, PodSettings settings);
  void ask(size_t deployment, int32_t replicas, Millis now);
  void step(Millis now);

  int32_t asked(size_t deployment) const { return asked_[deployment]; }
  int32_t there(size_t deployment) const;  // waiting and starting ones included
  int32_t ready(size_t deployment) const;
  int32_t nodes() const { return static_cast<int32_t>(nodes_.size()); }  // also starting ones

 private:
  struct Pod {
    size_t deployment = 0;
    std::optional<Millis> ready_at;  // none: no room yet
    bool ready = false;
  };
  int32_t most(Millis now) const;

  PodSettings settings_;
  std::vector<int32_t> asked_;
  std::vector<Pod> pods_;      // in the order in which they were made
  std::vector<Millis> nodes_;  // when they can be used
  std::optional<Millis> spare_since_;
};

}  // namespace penstock::scale
