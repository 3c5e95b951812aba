#include "file/pace.h"

#include <algorithm>

namespace penstock::file {

void Pace::begin(int64_t next) {
  from_ = next;
  if (clock_ != nullptr) since_ = last_ = clock_->now();
}

uint64_t Pace::allowed(int64_t next, uint64_t most) {
  if (per_second_ == 0 || clock_ == nullptr) return most;
  const Millis now = clock_->now();
  if (now < last_) begin(next);
  last_ = now;
  const auto millis = static_cast<double>(now.value - since_.value);
  const int64_t due =
      from_ + static_cast<int64_t>(millis * 0.001 * static_cast<double>(per_second_));
  return static_cast<uint64_t>(std::clamp<int64_t>(
      due - next, 0, static_cast<int64_t>(std::min<uint64_t>(most, INT64_MAX))));
}

}  // namespace penstock::file
