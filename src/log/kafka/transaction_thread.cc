#include "log/kafka/transaction_thread.h"

#include "base/check.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace penstock::log::kafka {
namespace {

int64_t now_millis() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

void Vital::beat() { beat_millis = now_millis(); }
int64_t Vital::silent_millis() const { return now_millis() - beat_millis; }

void Vital::note(Error why) {
  const std::lock_guard lock(mutex_);
  note_ = std::move(why);
}

std::optional<Error> Vital::take_note() {
  const std::lock_guard lock(mutex_);
  return std::exchange(note_, std::nullopt);
}

struct TransactionThread::State {
  std::mutex mutex;
  std::condition_variable posted;
  Job next;
  std::optional<flow::SinkEvent> event;
  flow::Waker* waker = nullptr;
  std::shared_ptr<Vital> vital;
  bool running = false;
};

TransactionThread::TransactionThread(flow::Waker& waker, std::shared_ptr<Vital> vital)
    : state_(std::make_shared<State>()) {
  state_->waker = &waker;
  state_->vital = std::move(vital);
  thread_ = std::thread([state = state_] { run(state); });
}

TransactionThread::~TransactionThread() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->vital->stop = true;
    state_->next = nullptr;
  }
  state_->posted.notify_all();
  if (thread_.joinable()) thread_.join();
}

void TransactionThread::post(Job job) {
  {
    const std::lock_guard lock(state_->mutex);
    PENSTOCK_CHECK(!state_->event);
    state_->next = std::move(job);
  }
  state_->posted.notify_all();
}

std::optional<flow::SinkEvent> TransactionThread::take() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->event, std::nullopt);
}

int64_t TransactionThread::stuck_millis() const {
  const std::lock_guard lock(state_->mutex);
  return state_->running ? state_->vital->silent_millis() : 0;
}

void TransactionThread::abandon() {
  const std::lock_guard lock(state_->mutex);
  state_->vital->stop = true;
  state_->waker = nullptr;
  thread_.detach();
}

void TransactionThread::run(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  while (true) {
    state->posted.wait(lock, [&] { return state->vital->stop || state->next; });
    if (state->vital->stop) return;
    Job job = std::exchange(state->next, nullptr);
    state->vital->beat();
    state->running = true;
    lock.unlock();
    flow::SinkEvent event = job();
    job = nullptr;
    lock.lock();
    state->running = false;
    if (std::holds_alternative<flow::Waiting>(event)) continue;
    state->event = std::move(event);
    if (state->waker != nullptr) state->waker->wake();
  }
}

}  // namespace penstock::log::kafka
