// retry.h — when a failed request is made again: what AWS's SDKs do.
//
// Exponential back-off with full jitter: a random part of base * 2^n, at most 20 s; the base is 1 s
// after a throttle and 25 ms after anything else (DynamoDB's own; others take 50). A server that
// says x-amz-retry-after is listened to, for five seconds more than that at most. And a quota: a
// bucket of 500 tokens; a retry takes 14, after a throttle 5; the answer that it brought gives them
// back, one without a retry gives 1. A store that answers nothing empties it, and then nobody
// hammers.
//
// Source: botocore 1.44.8, botocore/retries/standard.py (ExponentialBackoff, RetryQuotaChecker,
// ThrottledRetryableChecker) and botocore/retries/quota.py (RetryQuota). One number is our own: an
// SDK gives up after 4 attempts and lets its caller see to it; here the caller would only ask
// again, so the pauses go on growing for longer.
//
// Thread      one owner.
#pragma once

#include "base/random.h"

#include <algorithm>
#include <cstdint>

namespace penstock::aws {

struct RetryOptions {
  int64_t base_millis = 25;
  int64_t throttle_base_millis = 1'000;
  int64_t cap_millis = 20'000;
  uint32_t attempts = 10;           // without any progress
  uint32_t attempts_unreached = 3;  // when nobody answers: whoever asked pauses and asks again
};

class RetryQuota {
 public:
  static constexpr int kCapacity = 500, kCost = 14, kThrottleCost = 5, kReward = 1;

  // What a retry costs; 0 when too much failed lately.
  int take(bool throttled) {
    const int cost = throttled ? kThrottleCost : kCost;
    if (left_ < cost) return 0;
    left_ -= cost;
    return cost;
  }
  // A request was answered; `taken` is what its last retry cost, 0 for none.
  void reward(int taken) { left_ = std::min(kCapacity, left_ + (taken > 0 ? taken : kReward)); }
  int left() const { return left_; }

 private:
  int left_ = kCapacity;
};

// What is known of the answer that makes a retry necessary.
struct RetryCause {
  bool throttled = false;
  int64_t after_millis = -1;  // x-amz-retry-after; -1: it did not say
};
inline constexpr int64_t kRetryAfterMoreMillis = 5'000;

// Before the `attempt`-th retry, from 1.
inline int64_t retry_pause_millis(const RetryOptions& options, uint32_t attempt, RetryCause cause,
                                  Random& random) {
  const int64_t base = cause.throttled ? options.throttle_base_millis : options.base_millis;
  const int64_t limit = std::min(options.cap_millis, base << std::min<uint32_t>(attempt - 1, 20));
  const auto pause = static_cast<int64_t>(random.unit() * static_cast<double>(limit + 1));
  return std::max(pause, std::min(cause.after_millis, pause + kRetryAfterMoreMillis));
}

}  // namespace penstock::aws
