#include "scale/estimate.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace penstock::scale {
namespace {

// More workers that get less than this share of their due more done are of no use.
constexpr double kUsefulShare = 0.25;
constexpr int kMeasuresMin = 3;  // before that is said of a number of workers

double seconds(Millis from, Millis to) { return static_cast<double>(to.value - from.value) / 1000; }
double per_second(int64_t count, Millis from, Millis to) {
  return static_cast<double>(count) / seconds(from, to);
}

}  // namespace

Estimator::Estimator(EstimatorSettings settings) : settings_(settings) {
  settings_.speed_millis = std::max(settings_.speed_millis, 3 * settings_.epoch_millis);
  settings_.rate_millis = std::max(settings_.rate_millis, settings_.epoch_millis);
}

void Estimator::observe(const Observation& seen) {
  if (!seen_.empty()) {
    const Observation& last = seen_.back();
    if (seen.produced < last.produced) {
      *this = Estimator(settings_);
    } else if (seen.at <= last.at) {
      return;
    } else if (seen.produced > last.produced) {
      last_input_ = seen.at;
    }
  }
  seen_.push_back(seen);
  const int64_t keep = std::max(settings_.rate_millis, 2 * settings_.speed_millis);
  // The one before the stretch stays: the stretch begins there.
  while (seen_.size() > 2 && seen_[1].at + keep <= seen.at) seen_.pop_front();
  measure();
}

// The stretch that ends now: as long as the same workers had more to do than they got done. It
// begins and ends where something was just committed: between two commits nothing seems to be done.
void Estimator::measure() {
  const Observation& now = seen_.back();
  while (!measures_.empty() && measures_.front().at + settings_.speed_window_millis < now.at)
    measures_.pop_front();
  const auto just_committed = [&](size_t i) {
    return i > 0 && seen_[i].committed > seen_[i - 1].committed;
  };
  const size_t last = seen_.size() - 1;
  if (!now.workers || *now.workers == 0 || (!stands_still() && !just_committed(last))) return;
  for (size_t i = last; i-- > 0;) {
    const Observation& from = seen_[i];
    const double done = per_second(now.committed - from.committed, from.at, now.at);
    const double open = done * static_cast<double>(settings_.epoch_millis) / 1000;
    const auto waited = [&](const Observation& one) {
      return static_cast<double>(one.produced - one.committed) >= done + open;
    };
    if (from.workers != now.workers || !waited(from)) return;
    if (from.at + settings_.speed_millis > now.at) continue;
    if (!stands_still() && !just_committed(i)) continue;
    if (!waited(now)) return;
    measures_.push_back({now.at, *now.workers, done});
    known_speed_ = 0;
    for (const Measure& one : measures_)
      known_speed_ = std::max(*known_speed_, one.per_second / one.workers);
    return;
  }
}

// Nothing at all was.committed in what is remembered.
bool Estimator::stands_still() const { return seen_.back().committed == seen_.front().committed; }

double Estimator::rate() const {
  const Observation& now = seen_.back();
  for (auto from = std::next(seen_.rbegin()); from != seen_.rend(); ++from) {
    const bool last = std::next(from) == seen_.rend();
    if (!last && from->at + settings_.rate_millis > now.at) continue;
    return per_second(now.produced - from->produced, from->at, now.at);
  }
  return 0;
}

// The fewest workers of which more were tried and got no more done.
std::optional<int32_t> Estimator::useful_workers() const {
  struct Best {
    double per_second = 0;
    int measures = 0;
  };
  std::map<int32_t, Best> by_workers;
  for (const Measure& one : measures_) {
    Best& best = by_workers[one.workers];
    best.per_second = std::max(best.per_second, one.per_second);
    ++best.measures;
  }
  for (auto few = by_workers.begin(); few != by_workers.end(); ++few) {
    const auto more = std::next(few);
    if (more == by_workers.end() || more->second.measures < kMeasuresMin) continue;
    const double due = few->second.per_second * (more->first - few->first) / few->first;
    if (more->second.per_second <= few->second.per_second + kUsefulShare * due) return few->first;
  }
  return std::nullopt;
}

Estimate Estimator::estimate() const {
  Estimate estimate;
  if (seen_.empty()) return estimate;
  const Observation& now = seen_.back();
  estimate.at = now.at;
  estimate.workers = now.workers;
  estimate.last_input = last_input_;
  estimate.rate_per_second = rate();
  estimate.lag = std::max<int64_t>(0, now.produced - now.committed);
  const double open = estimate.rate_per_second * static_cast<double>(settings_.epoch_millis) / 1000;
  estimate.backlog = std::max<int64_t>(0, estimate.lag - static_cast<int64_t>(open));
  estimate.speed_per_worker = known_speed_;
  estimate.useful_workers = useful_workers();
  return estimate;
}

}  // namespace penstock::scale
