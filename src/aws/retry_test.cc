#include "aws/retry.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace penstock::aws {

TEST_CASE(
    "retries: full jitter below a doubling bound, 25 ms or, throttled, a second; 20 s at most") {
  Random random(3);
  const RetryOptions options;
  for (const bool throttled : {false, true}) {
    for (uint32_t attempt = 1; attempt < 40; ++attempt) {
      const int64_t base = throttled ? 1'000 : 25;
      const int64_t bound = std::min<int64_t>(20'000, base << std::min(attempt - 1, 10U));
      int64_t greatest = 0, sum = 0;
      for (int i = 0; i < 400; ++i) {
        const int64_t pause =
            retry_pause_millis(options, attempt, {.throttled = throttled}, random);
        CHECK(pause >= 0);
        greatest = std::max(greatest, pause);
        sum += pause;
      }
      CHECK(greatest <= bound);
      CHECK(greatest > bound * 9 / 10);
      CHECK(sum / 400 > bound * 2 / 5);
      CHECK(sum / 400 < bound * 3 / 5);
    }
  }
}

TEST_CASE("retries: the service's own wish is kept, five seconds beyond ours at most") {
  Random random(3);
  const RetryOptions options;
  for (int i = 0; i < 100; ++i) {
    CHECK(retry_pause_millis(options, 1, {.after_millis = 3'000}, random) == 3'000);
    const int64_t long_one = retry_pause_millis(options, 1, {.after_millis = 3'600'000}, random);
    CHECK(long_one >= 5'000);
    CHECK(long_one <= 5'025);
    CHECK(retry_pause_millis(options, 1, {.after_millis = 0}, random) <= 25);
  }
}

TEST_CASE(
    "the quota of retries: 35 without an answer, or 100 throttled; an answer gives them back") {
  const auto all = [](bool throttled) {
    RetryQuota quota;
    int taken = 0;
    while (quota.take(throttled) > 0) ++taken;
    return taken;
  };
  CHECK(all(false) == 35);
  CHECK(all(true) == 100);
  RetryQuota quota;
  for (int i = 0; i < 100; ++i) quota.take(true);
  CHECK(quota.left() == 0);
  for (int i = 0; i < 4; ++i) quota.reward(0);
  CHECK(quota.take(true) == 0);
  quota.reward(0);
  CHECK(quota.take(true) == 5);
  quota.reward(14);
  CHECK(quota.left() == 14);
  CHECK(quota.take(false) == 14);
  for (int i = 0; i < 1'000; ++i) quota.reward(5);
  CHECK(quota.left() == 500);
}

}  // namespace penstock::aws
