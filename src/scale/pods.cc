#include "scale/pods.h"

#include <algorithm>
#include <limits>

namespace penstock::scale {

Pods::Pods(size_t deployments, PodSettings settings)
    : settings_(settings),
      asked_(deployments),
      nodes_(static_cast<size_t>(settings.nodes_min), Millis{0}) {}

void Pods::ask(size_t deployment, int32_t replicas, Millis now) {
  asked_[deployment] = replicas;
  for (int32_t count = there(deployment); count < replicas; ++count)
    pods_.push_back({deployment, std::nullopt, false});
  // The ones that do not work yet go first, then the youngest.
  for (int32_t count = there(deployment); count > replicas; --count) {
    auto gone = pods_.rend();
    for (auto pod = pods_.rbegin(); pod != pods_.rend(); ++pod) {
      if (pod->deployment != deployment) continue;
      if (gone == pods_.rend() || (gone->ready && !pod->ready)) gone = pod;
    }
    pods_.erase(std::next(gone).base());
  }
  step(now);
}

int32_t Pods::there(size_t deployment) const {
  return static_cast<int32_t>(std::ranges::count(pods_, deployment, &Pod::deployment));
}

int32_t Pods::ready(size_t deployment) const {
  return static_cast<int32_t>(std::ranges::count_if(
      pods_, [&](const Pod& pod) { return pod.deployment == deployment && pod.ready; }));
}

// Pods that the nodes have room for.
int32_t Pods::most(Millis now) const {
  if (settings_.pods_per_node == 0) return std::numeric_limits<int32_t>::max();
  const auto usable = std::ranges::count_if(nodes_, [&](Millis at) { return at <= now; });
  return static_cast<int32_t>(usable) * settings_.pods_per_node;
}

void Pods::step(Millis now) {
  if (settings_.pods_per_node > 0) {
    const auto pods = static_cast<int32_t>(pods_.size());
    const int32_t needed = std::max(settings_.nodes_min,
                                    (pods + settings_.pods_per_node - 1) / settings_.pods_per_node);
    while (nodes() < needed) nodes_.push_back(now + settings_.node_start_millis);
    if (nodes() == needed) spare_since_.reset();
    if (nodes() > needed && !spare_since_) spare_since_ = now;
    if (spare_since_ && *spare_since_ + settings_.node_idle_millis <= now) {
      nodes_.resize(static_cast<size_t>(needed));
      spare_since_.reset();
    }
  }
  auto placed = static_cast<int32_t>(
      std::ranges::count_if(pods_, [](const Pod& pod) { return pod.ready_at.has_value(); }));
  const int32_t room = most(now);
  for (Pod& pod : pods_) {
    if (!pod.ready_at && placed < room) {
      pod.ready_at = now + settings_.pod_start_millis;
      ++placed;
    }
    pod.ready = pod.ready_at && *pod.ready_at <= now;
  }
}

}  // namespace penstock::scale
