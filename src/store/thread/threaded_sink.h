// threaded_sink.h — a StoreSink over a client that waits: a one-slot mailbox before a session that
// runs on a thread of its own.
//
// Thread      the sink belongs to its worker; the session's claim() and commit() run on the sink's
//             helper thread, one at a time; stop() is called by the worker meanwhile.
// Lifetime    the destructor calls stop() and waits for the call in flight.
//
//     return std::make_unique<store::ThreadedStoreSink>(std::make_unique<Session>(…), waker);
#pragma once

#include "flow/store.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <thread>
#include <variant>
#include <vector>

namespace penstock::store {

// Claims and commits of one sink, as calls that wait. Between two calls no transaction is open.
class StoreSession {
 public:
  virtual ~StoreSession() = default;
  // Claimed or ClaimFailed.
  virtual flow::SinkEvent claim(const flow::PartitionSet& partitions) = 0;
  // Rows whose id is in `refused` are left out; newly refused ones are added to it. Rows are read
  // during the call only.
  virtual flow::Ended commit(const flow::Commit& commit, std::span<const flow::StoreRows> rows,
                             std::set<flow::RowId>& refused) = 0;
  // The rows of the open epoch are gone: it is durable, or was given up. No call is on its way.
  virtual void forget_epoch() noexcept {}
  // The sink is going: what waits for a server shall end soon, whatever becomes of it.
  virtual void stop() noexcept {}
};

class ThreadedStoreSink final : public flow::StoreSink {
 public:
  ThreadedStoreSink(std::unique_ptr<StoreSession> session, flow::Waker& waker);
  ~ThreadedStoreSink() override;

  void begin_claim(flow::PartitionSet partitions, flow::Membership membership) override;
  flow::WriteAnswer write(const flow::StoreRows& rows) override;
  void begin_commit(flow::Commit commit) override;
  void begin_abort() override;
  flow::SinkEvent poll() override;
  void release(const flow::PartitionSet& partitions) override;

 private:
  using Task = std::variant<flow::PartitionSet, flow::Commit>;
  void begin(Task task);
  void work();
  flow::SinkEvent run(const Task& task);
  void forget_rows();

  flow::Waker* waker_;
  std::vector<flow::StoreRows> rows_;  // of the open epoch; the helper reads them during a commit
  std::set<flow::RowId> refused_;      // likewise
  bool busy_ = false;                  // an operation is in flight: begun and not yet polled

  std::mutex mutex_;  // guards what follows
  std::condition_variable begun_;
  std::optional<Task> task_;
  std::optional<flow::SinkEvent> event_;
  bool quit_ = false;

  std::unique_ptr<StoreSession> session_;  // the helper's own
  std::thread helper_;
};

}  // namespace penstock::store
