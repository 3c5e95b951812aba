#include "ops/worker_thread.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace penstock::ops {
namespace {

constexpr int64_t kPublishMillis = 100;  // also while there is no time to wait

}  // namespace

std::string describe(const WorkerSnapshot& worker) {
  return fmt::format("{}: {}{}\n", worker.stage, engine::to_text(worker.state),
                     worker.error ? ": " + one_line(*worker.error) : std::string());
}

void WorkerThread::Doorbell::wake() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (rung_) return;
    rung_ = true;
  }
  rung_changed_.notify_one();
}

void WorkerThread::Doorbell::wait(int64_t millis) {
  std::unique_lock lock(mutex_);
  rung_changed_.wait_for(lock, std::chrono::milliseconds(millis), [this] { return rung_; });
  rung_ = false;
}

WorkerThread::WorkerThread(std::string stage, const Clock& clock)
    : stage_(std::move(stage)), clock_(clock) {}

Result<std::unique_ptr<WorkerThread>> WorkerThread::start(std::string stage, const Clock& clock,
                                                          const Make& make,
                                                          int64_t wait_millis_max) {
  std::unique_ptr<WorkerThread> thread(new WorkerThread(std::move(stage), clock));
  thread->wait_millis_max_ = wait_millis_max;
  PENSTOCK_TRY(made, make(thread->doorbell_));
  thread->made_ = std::move(made);
  thread->turned_millis_ = clock.now().value;
  thread->publish();
  thread->thread_ = std::thread([raw = thread.get()] { raw->loop(); });
  return thread;
}

WorkerThread::~WorkerThread() {
  request_stop();
  join();
}

void WorkerThread::request_stop() {
  stop_ = true;
  doorbell_.wake();
}

void WorkerThread::request_drain() {
  drain_ = true;
  doorbell_.wake();
}

void WorkerThread::join() {
  if (thread_.joinable()) thread_.join();
}

void WorkerThread::loop() {
  engine::Worker& worker = *made_.worker;
  Millis published = clock_.now();
  while (!stop_) {
    if (drain_) worker.request_drain();
    const Millis now = clock_.now();
    turned_millis_ = now.value;
    const Millis next = worker.turn(now);
    const engine::WorkerState state = worker.state();
    if (state == engine::WorkerState::drained || state == engine::WorkerState::failed) break;
    if (next > now || now.value - published.value >= kPublishMillis) {
      publish();
      published = now;
    }
    if (next > now) {
      doorbell_.wait(std::min(next.value - now.value, wait_millis_max_));
    }
  }
  publish();
  ended_ = true;
  made_.worker.reset();  // here, for clients take their time to close
}

void WorkerThread::publish() {
  const engine::Worker& worker = *made_.worker;
  const engine::Worker::Status status = worker.status();
  const std::lock_guard lock(mutex_);
  snapshot_.stage = stage_;
  snapshot_.state = worker.state();
  snapshot_.counters = worker.counters();
  snapshot_.error = status.error;
  snapshot_.idle = worker.idle();
  snapshot_.standing.clear();
  for (const auto& owned : status.owned) {
    if (owned.damage) snapshot_.standing.push_back({owned.partition, one_line(*owned.damage)});
  }
  snapshot_.refused = status.refused;
  snapshot_.ever_claimed = status.ever_claimed;
  snapshot_.ever_assigned = status.ever_assigned;
  snapshot_.stuck = status.stuck;
  snapshot_.partitions_owned = status.owned.size();
  snapshot_.open_records = worker.open_records();
}

WorkerSnapshot WorkerThread::snapshot() const {
  const std::lock_guard lock(mutex_);
  WorkerSnapshot copy = snapshot_;
  copy.turned = {turned_millis_};
  return copy;
}

}  // namespace penstock::ops
