// sqlite_sink.h — the sink that the engine sees: a one-slot mailbox before a Session.
//
// Thread      the worker; the session runs on a thread of its own.
#pragma once

#include "flow/store.h"
#include "store/sqlite/session.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <variant>
#include <vector>

namespace penstock::store {

class SqliteSink final : public flow::StoreSink {
 public:
  SqliteSink(std::string path, flow::StoreSpec spec, std::shared_ptr<std::mutex> turn,
             flow::Waker& waker);
  // Waits for the transaction in flight, if there is one.
  ~SqliteSink() override;

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

  Session session_;  // the helper's own
  std::thread helper_;
};

}  // namespace penstock::store
