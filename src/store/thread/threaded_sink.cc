#include "store/thread/threaded_sink.h"

#include "base/check.h"

#include <utility>

namespace penstock::store {

ThreadedStoreSink::ThreadedStoreSink(std::unique_ptr<StoreSession> session, flow::Waker& waker)
    : waker_(&waker), session_(std::move(session)) {
  helper_ = std::thread([this] { work(); });
}

ThreadedStoreSink::~ThreadedStoreSink() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  session_->stop();
  begun_.notify_one();
  helper_.join();
}

void ThreadedStoreSink::begin_claim(flow::PartitionSet partitions, flow::Membership) {
  begin(std::move(partitions));
}

flow::WriteAnswer ThreadedStoreSink::write(const flow::StoreRows& rows) {
  PENSTOCK_CHECK(!busy_);
  if (rows.count > 0) rows_.push_back(rows);
  return flow::WriteAnswer::accepted;
}

void ThreadedStoreSink::begin_commit(flow::Commit commit) {
  PENSTOCK_CHECK(!commit.partitions.empty());
  begin(std::move(commit));
}

void ThreadedStoreSink::begin_abort() {
  PENSTOCK_CHECK(!busy_);
  busy_ = true;
  forget_rows();  // between two operations no transaction is open
  const std::lock_guard lock(mutex_);
  event_ = flow::Aborted{};
  waker_->wake();
}

flow::SinkEvent ThreadedStoreSink::poll() {
  if (!busy_) return flow::Waiting{};
  std::optional<flow::SinkEvent> event;
  {
    const std::lock_guard lock(mutex_);
    event = std::exchange(event_, std::nullopt);
  }
  if (!event) return flow::Waiting{};
  busy_ = false;
  const auto* ended = std::get_if<flow::Ended>(&*event);
  if (ended != nullptr && ended->end == flow::CommitEnd::done) forget_rows();
  return *std::move(event);
}

// A position stays what it is; who claims next gets a greater term.
void ThreadedStoreSink::release(const flow::PartitionSet&) {}

void ThreadedStoreSink::begin(Task task) {
  PENSTOCK_CHECK(!busy_);
  busy_ = true;
  {
    const std::lock_guard lock(mutex_);
    task_ = std::move(task);
  }
  begun_.notify_one();
}

void ThreadedStoreSink::work() {
  while (true) {
    std::optional<Task> task;
    {
      std::unique_lock lock(mutex_);
      begun_.wait(lock, [&] { return quit_ || task_; });
      if (quit_) return;
      task = std::exchange(task_, std::nullopt);
    }
    flow::SinkEvent event = run(*task);
    {
      const std::lock_guard lock(mutex_);
      event_ = std::move(event);
    }
    waker_->wake();
  }
}

flow::SinkEvent ThreadedStoreSink::run(const Task& task) {
  if (const auto* partitions = std::get_if<flow::PartitionSet>(&task))
    return session_->claim(*partitions);
  return session_->commit(std::get<flow::Commit>(task), rows_, refused_);
}

void ThreadedStoreSink::forget_rows() {
  rows_.clear();
  refused_.clear();
  session_->forget_epoch();
}

}  // namespace penstock::store
