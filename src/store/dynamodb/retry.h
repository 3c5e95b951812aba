// retry.h — when a failed request is made again: what AWS's SDKs do.
//
// Exponential back-off with full jitter, base 25 ms (DynamoDB's own in the SDKs), at most 20 s; and
// the standard mode's quota: a bucket of 500 tokens, a retry takes 5 (10 after a time-out), its
// success gives them back, a success without one gives 1. A store that answers nothing empties it,
// and then nobody hammers. Sources: "Retry behavior" in the AWS SDKs and Tools Reference Guide;
// botocore/retries/{standard,quota}.py; M. Brooker, "Exponential Backoff And Jitter" (AWS
// Architecture Blog, 2015).
//
// Thread      one owner.
#pragma once

#include "base/random.h"

#include <algorithm>
#include <cstdint>

namespace penstock::store::dynamodb {

struct RetryOptions {
  int64_t base_millis = 25;
  int64_t cap_millis = 20'000;
  uint32_t attempts = 10;           // without any progress
  uint32_t attempts_unreached = 3;  // when nobody answers: whoever asked pauses and asks again
};

class RetryQuota {
 public:
  static constexpr int kCapacity = 500, kCost = 5, kTimeoutCost = 10, kReward = 1;

  // False when too much failed lately.
  bool take(bool timeout) {
    const int cost = timeout ? kTimeoutCost : kCost;
    if (left_ < cost) return false;
    left_ -= cost;
    return true;
  }
  // A request succeeded that had taken `retries` retries.
  void reward(bool retried) { left_ = std::min(kCapacity, left_ + (retried ? kCost : kReward)); }
  int left() const { return left_; }

 private:
  int left_ = kCapacity;
};

// Before the `attempt`-th retry, from 1: a random part of base * 2^(attempt - 1).
inline int64_t retry_pause_millis(const RetryOptions& options, uint32_t attempt, Random& random) {
  const int64_t limit =
      std::min(options.cap_millis, options.base_millis << std::min<uint32_t>(attempt - 1, 20));
  return static_cast<int64_t>(random.unit() * static_cast<double>(limit + 1));
}

}  // namespace penstock::store::dynamodb
