#include "store/dynamodb/exchange.h"

#include <algorithm>

namespace penstock::store::dynamodb {

using std::chrono::steady_clock;

void Exchange::Box::put(uint64_t flight, http::Outcome outcome) {
  const std::lock_guard lock(mutex_);
  arrived_.emplace_back(flight, std::move(outcome));
  if (arrived_.size() >= wanted_) changed_.notify_one();
}

void Exchange::Box::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_one();
}

bool Exchange::Box::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void Exchange::add(Call call) { ready_.push_back(std::move(call)); }

bool Exchange::again(Call call, const Reply& reply) {
  const aws::RetryOptions& options = shared_.options;
  ++call.retries;
  const bool unreached = reply.trouble == Trouble::unreached;
  if (call.retries >= (unreached ? options.attempts_unreached : options.attempts)) return false;
  const aws::RetryCause cause{reply.trouble == Trouble::throttled, reply.after_millis};
  call.taken = shared_.quota.take(cause.throttled);
  if (call.taken == 0) return false;
  later(std::move(call), cause);
  return true;
}

void Exchange::later(Call call, aws::RetryCause cause) {
  const int64_t pause =
      aws::retry_pause_millis(shared_.options, std::max(call.retries, 1u), cause, shared_.random);
  waiting_.push_back({steady_clock::now() + std::chrono::milliseconds(pause), std::move(call)});
}

void Exchange::run(const Handle& handle) {
  while (!ready_.empty() || !waiting_.empty() || !flying_.empty()) {
    start_due();
    for (auto& [flight, outcome] : wait()) {
      const auto found = flying_.find(flight);
      if (found == flying_.end()) continue;  // of a run that was stopped
      Call call = std::move(found->second);
      flying_.erase(found);
      const Reply reply = caller_.read(std::move(outcome));
      const bool heard = reply.trouble == Trouble::none || reply.trouble == Trouble::condition;
      if (heard) shared_.quota.reward(std::exchange(call.taken, 0));
      handle(std::move(call), reply);
    }
    if (!box_->stopped()) continue;
    ready_.clear();
    waiting_.clear();
    flying_.clear();
  }
}

void Exchange::start_due() {
  const Time now = steady_clock::now();
  for (size_t i = 0; i < waiting_.size();) {
    if (waiting_[i].due > now) {
      ++i;
      continue;
    }
    ready_.push_back(std::move(waiting_[i].call));
    if (&waiting_[i] != &waiting_.back()) waiting_[i] = std::move(waiting_.back());
    waiting_.pop_back();
  }
  while (!ready_.empty() && flying_.size() < kFlightsMax) {
    Call call = std::move(ready_.back());
    ready_.pop_back();
    const uint64_t flight = ++shared_.flights;
    std::string body = call.body;
    const std::string_view operation = call.operation;
    flying_.emplace(flight, std::move(call));
    caller_.begin(operation, std::move(body), [box = box_, flight](http::Outcome outcome) {
      box->put(flight, std::move(outcome));
    });
  }
}

Exchange::Time Exchange::next_due() const {
  Time due = Time::max();
  for (const Waiting& each : waiting_) due = std::min(due, each.due);
  return due;
}

std::vector<std::pair<uint64_t, http::Outcome>> Exchange::wait() {
  const bool full = flying_.size() >= kFlightsMax;
  const Time due = full || waiting_.empty() ? Time::max() : next_due();
  std::unique_lock lock(box_->mutex_);
  const auto until = [&](Time end, size_t wanted) {
    box_->wanted_ = wanted;
    const auto woken = [&] { return box_->arrived_.size() >= wanted || box_->stopped_; };
    if (end == Time::max()) {
      box_->changed_.wait(lock, woken);
    } else {
      box_->changed_.wait_until(lock, end, woken);
    }
  };
  const size_t together = std::clamp<size_t>(flying_.size(), 1, kTogether);
  until(std::min(due, steady_clock::now() + kTogetherPatience), together);
  if (box_->arrived_.empty() && !box_->stopped_) until(due, 1);
  return std::exchange(box_->arrived_, {});
}

}  // namespace penstock::store::dynamodb
