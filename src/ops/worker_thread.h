// worker_thread.h — turns a worker for real: a thread, the machine's clock, a condition variable.
//
// Thread      the worker lives on the thread that this class owns; everything public may be called
// from any thread.
// Lifetime    destroying it without request_drain() and join() stops the worker
// where it is, as a crash would: what is
//             not committed will be read again.
// Errors      an error while the worker is made is returned by start(); later ones are in
// snapshot().
//
//     PENSTOCK_TRY(thread, WorkerThread::start("writer", clock, [&](flow::Waker& waker) { return
//     make…(waker); })); thread->request_drain(); thread->join();
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"
#include "flow/waker.h"
#include "ops/stage_worker.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace penstock::ops {

// A moment's picture of a worker.
struct WorkerSnapshot {
  std::string stage;
  engine::WorkerState state = engine::WorkerState::unassigned;
  engine::WorkerCounters counters;
  std::optional<Error> error;  // what it waits for
  bool idle = false;
  // Partitions that are read no further, for what lies there is damaged.
  struct Standing {
    Partition partition;
    std::string why;  // one line
  };
  std::vector<Standing> standing;
  bool refused = false;
  bool ever_claimed = false;
  bool ever_assigned = false;
  std::optional<flow::RowId> stuck;  // Worker::Status::stuck
  uint64_t partitions_owned = 0;
  uint64_t open_records = 0;
  Millis turned;  // when its loop came by the last time
};

// One line: its stage, its state and what it waits for.
std::string describe(const WorkerSnapshot& worker);

class WorkerThread {
 public:
  using Make = std::function<Result<StageWorker>(flow::Waker&)>;
  // The worker is turned at least every `wait_millis_max`: sources that go by the clock (simulated
  // meters, a paced file) have nobody to wake it.
  static Result<std::unique_ptr<WorkerThread>> start(std::string stage, const Clock& clock,
                                                     const Make& make,
                                                     int64_t wait_millis_max = 1000);
  ~WorkerThread();

  void request_drain();
  // Stops the worker where it is.
  void request_stop();
  // Waits until the worker is drained, failed or stopped, and its clients are closed.
  void join();
  // The worker is drained, failed or stopped.
  bool ended() const { return ended_; }
  WorkerSnapshot snapshot() const;
  const std::string& stage() const { return stage_; }

 private:
  class Doorbell final : public flow::Waker {
   public:
    void wake() noexcept override;
    // Until rung or `millis` passed.
    void wait(int64_t millis);

   private:
    std::mutex mutex_;
    std::condition_variable rung_changed_;
    bool rung_ = false;
  };

  WorkerThread(std::string stage, const Clock& clock);
  void loop();
  void publish();

  std::string stage_;
  const Clock& clock_;
  int64_t wait_millis_max_ = 1000;
  Doorbell doorbell_;  // before what holds a reference to it
  StageWorker made_;
  std::atomic<int64_t> turned_millis_ = 0;
  std::atomic<bool> drain_ = false, stop_ = false, ended_ = false;
  mutable std::mutex mutex_;  // guards snapshot_
  WorkerSnapshot snapshot_;
  std::thread thread_;
};

}  // namespace penstock::ops
