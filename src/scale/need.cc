#include "scale/need.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace penstock::scale {
namespace {

// Less than a record in so many seconds is no speed to divide by.
constexpr double kSpeedMin = 0.01;

}  // namespace

double share_out(int32_t partitions, int32_t workers) {
  const int32_t busiest = (partitions + workers - 1) / workers;
  return static_cast<double>(partitions) / busiest;
}

std::string with_commas(int64_t number) {
  const std::string digits = fmt::format("{}", std::abs(number));
  std::string text = number < 0 ? "-" : "";
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

int32_t Need::ceiling(const Estimate& now) const {
  const int32_t useful = now.useful_workers.value_or(settings_.max);
  return std::max(1, std::min({settings_.max, settings_.partitions, useful}));
}

// The fewest that do the work of `workers` that all have the same, or as much as `most` do.
int32_t Need::smallest(double workers, int32_t most) const {
  const int32_t least = std::min(std::max(1, settings_.min), most);
  const double enough = std::min(workers, share_out(settings_.partitions, most));
  for (int32_t count = least; count < most; ++count) {
    if (share_out(settings_.partitions, count) >= enough) return count;
  }
  return most;
}

// Before the first measure: what is there stays while something waits, and gets one less when
// nothing did for a while, until something waits and can be measured.
int32_t Need::unknown_speed(const Estimate& now) {
  const int32_t there = std::max(1, now.workers.value_or(answer_));
  return now.backlog > 0 || there == 1 ? there : there - 1;
}

int32_t Need::held(Millis now, int32_t up, int32_t down) {
  enough_.push_back({now, down});
  while (enough_.size() > 1 && enough_[1].at + settings_.hold_millis <= now) enough_.pop_front();
  if (up >= answer_) return up;
  const bool long_enough = enough_.front().at + settings_.hold_millis <= now;
  if (!long_enough) return answer_;
  const auto most = std::ranges::max_element(enough_, {}, &Enough::replicas);
  return std::min(answer_, most->replicas);
}

bool Need::idle(const Estimate& now) {
  if (settings_.min > 0 || now.lag > 0) return false;
  // Nobody works and nothing waits: there is nobody to wait for.
  if (answer_ == 0 && now.workers == 0 && !now.last_input) return true;
  const Millis quiet = std::max(now.last_input.value_or(*first_), *quiet_since_);
  return quiet + settings_.quiet_millis <= now.at;
}

// The number to ask for so that the HPA, which leaves small changes alone, goes up.
int32_t Need::heard(int32_t wanted, const Estimate& now) const {
  const int32_t there = now.workers.value_or(0);
  const double deaf = there * (1 + settings_.deaf_share);
  if (settings_.deaf_share == 0 || wanted <= there || wanted > deaf) return wanted;
  return static_cast<int32_t>(std::floor(deaf)) + 1;
}

std::string Need::reason(const Estimate& now, int32_t replicas) const {
  const auto rate = static_cast<int64_t>(std::llround(now.rate_per_second));
  std::string text =
      rate == 0 ? "nothing comes in" : fmt::format("{}/s come in", with_commas(rate));
  text += now.backlog == 0 ? ", nothing waits" : fmt::format(", {} wait", with_commas(now.backlog));
  if (!now.speed_per_worker) {
    text += "; a worker's speed is not known yet";
  } else {
    text += fmt::format("; a worker does {}/s", with_commas(std::llround(*now.speed_per_worker)));
  }
  return text + fmt::format(": {}", replicas);
}

Decision Need::decide(const Estimate& now) {
  if (!first_) {
    first_ = now.at;
    answer_ = now.workers.value_or(0);
  }
  if (now.lag > 0 || !quiet_since_) quiet_since_ = now.at;
  if (idle(now)) {
    answer_ = 0;
    enough_.clear();
    return {0, now.last_input || now.workers != 0
                   ? fmt::format("nothing waits, and nothing came for {} s: 0",
                                 settings_.quiet_millis / 1000)
                   : "nothing waits, and nothing came yet: 0"};
  }
  const int32_t most = ceiling(now);
  std::string why;
  int32_t wanted = std::min(std::max(1, settings_.min), most);
  if (!now.speed_per_worker) {
    wanted =
        std::clamp(held(now.at, now.backlog > 0 ? unknown_speed(now) : wanted, unknown_speed(now)),
                   wanted, most);
  } else if (*now.speed_per_worker < kSpeedMin) {
    wanted = std::clamp(std::max(answer_, now.workers.value_or(0)), wanted, most);
    why = "; the workers get nothing done, and more would not help";
  } else {
    const double catching_up =
        static_cast<double>(now.backlog) * 1000 / static_cast<double>(settings_.catch_up_millis);
    const double workers = (now.rate_per_second + catching_up) / *now.speed_per_worker;
    const int32_t up = smallest(workers / (1 + settings_.up_slack), most);
    wanted = held(now.at, up, smallest(workers / (1 - settings_.down_slack), most));
    wanted = std::min(wanted, most);
    if (workers > share_out(settings_.partitions, most) * (1 + settings_.up_slack)) {
      why = now.useful_workers && *now.useful_workers == most
                ? "; more got no more done (what they write to takes no more)"
            : most == settings_.partitions ? "; there are no more partitions"
                                           : "; max allows no more";
    } else if (wanted > up) {
      why = "; fewer only after a minute in which they are enough";
    }
  }
  answer_ = wanted;
  const int32_t asked = heard(wanted, now);
  if (asked != wanted) {
    why += fmt::format("; {} are asked for, as the HPA leaves a change of a tenth alone", asked);
  }
  return {asked, reason(now, wanted) + why};
}

}  // namespace penstock::scale
