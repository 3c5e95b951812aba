// transaction_thread.h — one helper thread with a one-slot mailbox, for calls of the client that
// block.
//
// init_transactions, committed offsets, send_offsets, commit and abort wait for brokers; the worker
// that owns the sink may not. So it posts one job and polls for its event; the Waker is called at
// the end.
//
// Thread      post(), take() and the destructor by the owner; jobs run on the helper, one after the
//             other.
// Lifetime    what a job needs it owns (shared pointers). The destructor waits for the running job,
//             which sees Vital::stop. After abandon() (a call that
//             never returns) nothing is waited for: the process is about to exit.
// Limits      one job running, one waiting, which a later one replaces.
//
//     TransactionThread thread(waker, vital);
//     thread.post([session] { return session->claim(…); });
//     if (auto event = thread.take()) …
#pragma once

#include "flow/sink.h"
#include "flow/waker.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace penstock::log::kafka {

// How a job and its owner know of each other.
struct Vital {
  std::atomic<bool> stop = false;       // the owner is going: come to an end
  std::atomic<int64_t> beat_millis{0};  // when the last blocking call began or ended, steady clock
  void beat();
  int64_t silent_millis() const;

  // What a job that tries again and again meets, for its owner to tell.
  void note(Error why);
  std::optional<Error> take_note();

 private:
  std::mutex mutex_;
  std::optional<Error> note_;
};

class TransactionThread {
 public:
  // An event that is flow::Waiting is told to nobody.
  using Job = std::function<flow::SinkEvent()>;

  TransactionThread(flow::Waker& waker, std::shared_ptr<Vital> vital);
  ~TransactionThread();
  TransactionThread(const TransactionThread&) = delete;

  void post(Job job);
  std::optional<flow::SinkEvent> take();
  // A call of the running job has not returned for that long; 0 when nothing runs.
  int64_t stuck_millis() const;
  void abandon();

 private:
  struct State;
  static void run(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace penstock::log::kafka
