#include "aws/repeater.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

namespace penstock::aws {

// Where the owner waits: for an answer, or for a pause to pass.
class Repeater::Waiter {
 public:
  // A new wait; the number tells a late answer of an earlier one. Nothing when it was stopped.
  std::optional<uint64_t> begin() {
    const std::scoped_lock lock(mutex_);
    if (stopped_) return std::nullopt;
    outcome_.reset();
    return ++number_;
  }
  void put(uint64_t number, http::Outcome outcome) {
    const std::scoped_lock lock(mutex_);
    if (number != number_) return;
    outcome_.emplace(std::move(outcome));
    changed_.notify_one();
  }
  // Nothing when it was stopped.
  std::optional<http::Outcome> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || outcome_; });
    return stopped_ ? std::nullopt : std::exchange(outcome_, std::nullopt);
  }
  // False when it was stopped.
  bool pause(int64_t millis) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, std::chrono::milliseconds(millis), [&] { return stopped_; });
  }
  void stop() {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<http::Outcome> outcome_;
  uint64_t number_ = 0;
  bool stopped_ = false;
};

Repeater::Repeater(http::Client& client, RetryOptions options)
    : client_(client),
      options_(options),
      random_(std::random_device()()),
      waiter_(std::make_shared<Waiter>()) {}

Repeater::~Repeater() = default;

void Repeater::stop() noexcept { waiter_->stop(); }

bool Repeater::pause(int64_t millis) { return waiter_->pause(millis); }

bool Repeater::perform(const std::function<http::Request()>& make,
                       const std::function<Verdict(http::Outcome, bool)>& read) {
  bool maybe_done = false;
  int taken = 0;
  for (uint32_t tries = 1;; ++tries) {
    const std::optional<uint64_t> number = waiter_->begin();
    if (!number) return false;
    client_.begin(make(), [box = waiter_, number](http::Outcome outcome) {
      box->put(*number, std::move(outcome));
    });
    std::optional<http::Outcome> outcome = waiter_->wait();
    if (!outcome) return false;
    const bool unreached = !*outcome && !outcome->error().sent;
    const Verdict verdict = read(*std::move(outcome), maybe_done);
    if (verdict == Verdict::settled) {
      quota_.reward(taken);
      return true;
    }
    maybe_done = maybe_done || !unreached;
    if (tries >= (unreached ? options_.attempts_unreached : options_.attempts)) return true;
    const bool throttled = verdict == Verdict::again_later;
    taken = quota_.take(throttled);
    if (taken == 0) return true;
    if (!pause(retry_pause_millis(options_, tries, {.throttled = throttled}, random_)))
      return false;
  }
}

}  // namespace penstock::aws
