#include "scale/hpa.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace penstock::scale {

int32_t Hpa::proposed(double metric, int32_t pods) const {
  const auto target = static_cast<double>(fields_.target);
  // No pod yet makes infinity or NaN; both are out of the tolerance.
  const double ratio = metric / (target * static_cast<double>(pods));
  if (1.0 - fields_.tolerance_down <= ratio && ratio <= 1.0 + fields_.tolerance_up) return pods;
  return static_cast<int32_t>(
      std::min(std::ceil(metric / target), double{std::numeric_limits<int32_t>::max()}));
}

// With behavior: from where it stands no further up than the lowest, no further down than the
// highest of the recent recommendations. Without: the highest of them, wherever it stands; so what
// was asked for before KEDA went to 0 counts again after the next wake-up.
int32_t Hpa::stabilized(Millis now, int32_t desired, int32_t replicas) {
  int32_t up = desired;
  int32_t down = desired;
  int64_t longest = fields_.down_stabilization_millis;
  if (fields_.behavior) {
    const int64_t up_millis = fields_.behavior->up.stabilization_millis;
    const int64_t down_millis = fields_.behavior->down.stabilization_millis;
    longest = std::max(up_millis, down_millis);
    for (const Recommendation& one : recommendations_) {
      if (now < one.at + up_millis) up = std::min(up, one.replicas);
      if (now < one.at + down_millis) down = std::max(down, one.replicas);
    }
  } else {
    for (const Recommendation& one : recommendations_) {
      if (now <= one.at + longest) down = std::max(down, one.replicas);
    }
  }
  std::erase_if(recommendations_, [&](const auto& one) { return one.at + longest < now; });
  recommendations_.push_back({now, desired});
  return fields_.behavior ? std::min(std::max(replicas, up), down) : down;
}

int32_t Hpa::rate_limit(Millis now, const ScalingRules& rules, bool up, int32_t replicas) const {
  if (rules.select == ScalingRules::Select::disabled) return replicas;
  const auto changed = [&](const std::vector<Change>& changes, int64_t period_millis) {
    int32_t sum = 0;
    for (const Change& one : changes) {
      if (now < one.at + period_millis) sum += one.replicas;
    }
    return sum;
  };
  const bool widest = rules.select == ScalingRules::Select::most;
  std::optional<int32_t> limit;
  for (const ScalingPolicy& policy : rules.policies) {
    const int32_t at_start =
        replicas - changed(ups_, policy.period_millis) + changed(downs_, policy.period_millis);
    const int32_t sign = up ? 1 : -1;
    const double share = at_start * (1 + sign * policy.value / 100.0);
    int32_t proposal = at_start + sign * policy.value;
    if (policy.kind == ScalingPolicy::Kind::percent) {
      proposal = static_cast<int32_t>(up ? std::ceil(share) : share);
    }
    if (!limit) limit = proposal;
    limit = up == widest ? std::max(*limit, proposal) : std::min(*limit, proposal);
  }
  return limit.value_or(replicas);
}

int32_t Hpa::limited(Millis now, int32_t desired, int32_t replicas) const {
  if (!fields_.behavior) {
    const int32_t most = std::min(fields_.max, std::max(2 * replicas, 4));
    return desired < fields_.min ? fields_.min : std::min(desired, most);
  }
  if (desired > replicas) {
    const int32_t limit = std::max(replicas, rate_limit(now, fields_.behavior->up, true, replicas));
    return std::min({desired, fields_.max, limit});
  }
  if (desired < replicas) {
    const int32_t limit =
        std::min(replicas, rate_limit(now, fields_.behavior->down, false, replicas));
    return std::max({desired, fields_.min, limit});
  }
  return desired;
}

void Hpa::remember(Millis now, int32_t before, int32_t after) {
  if (!fields_.behavior || before == after) return;
  std::vector<Change>& changes = after > before ? ups_ : downs_;
  const ScalingRules& rules = after > before ? fields_.behavior->up : fields_.behavior->down;
  int64_t longest = 0;
  for (const ScalingPolicy& policy : rules.policies)
    longest = std::max(longest, policy.period_millis);
  std::erase_if(changes, [&](const Change& one) { return one.at + longest < now; });
  changes.push_back({now, std::abs(after - before)});
}

int32_t Hpa::sync(Millis now, std::optional<double> metric, int32_t replicas, int32_t pods) {
  if (!met_) recommendations_.push_back({now, replicas});
  met_ = true;
  int32_t after = replicas;
  if (replicas == 0) return 0;  // KEDA's
  if (replicas > fields_.max) {
    after = fields_.max;
  } else if (replicas < fields_.min) {
    after = fields_.min;
  } else if (metric) {
    const int32_t desired = std::max(0, proposed(*metric, pods));
    after = limited(now, stabilized(now, desired, replicas), replicas);
  }
  remember(now, replicas, after);
  return after;
}

}  // namespace penstock::scale
