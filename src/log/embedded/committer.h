// committer.h — the one thread of a folder that writes.
//
// Ready epochs, claims and appends of all workers wait in a queue; what is there when the thread is
// free becomes one write with one sync. Offsets are given out here, and here every partition of a
// commit is checked: its membership, its term and the position it moves from. What does not fit
// ends `fenced` for its worker only. Ends are published after the write, all while the groups'
// mutex is held; then readers and workers are woken.
//
//   queue ──► check and stage ──► write (sync) ──► publish ends, settle rows ──► answer, wake
//                                    │ failed: every answer is `unknown`, and nothing is written
//                                    ever │         after (the process has to start again)
//
// Thread      any thread submits; a Request belongs to the committer from submit() until its answer
//             was taken by take_answer() or withdraw() has returned.
// Limits      one write merges at most 16 MiB of records (a single larger epoch goes alone).
#pragma once

#include "base/clock.h"
#include "flow/log.h"
#include "log/embedded/catalog.h"
#include "log/embedded/db.h"
#include "log/embedded/group_rows.h"
#include "log/embedded/members.h"
#include "log/embedded/retention.h"
#include "wire/record_batch.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace penstock::log {

// Where a test may break the committer.
enum class WritePoint : uint8_t { before_write, after_write };
// True: the answers of this write are lost (`unknown`); before_write also loses the write.
using Failpoint = std::function<bool(WritePoint)>;

// What a group reads: a topic of this log, or a source that is none.
struct Input {
  std::string name;
  std::string lineage;
  TopicPtr topic;  // null: not a topic
};

struct PendingChunk {
  TopicPtr topic;
  int32_t partition = 0;
  uint32_t count = 0;
  std::array<char, wire::kBatchHeaderBytes> header{};  // finished but for the base offset
  ByteView records;                                    // the worker's memory
};

struct PendingState {
  Partition input;
  bool gone = false;
  std::string key;
  ByteView value;  // the worker's memory
};

struct Request {
  enum class Kind : uint8_t { claim, commit, append, group_lag, retain };
  Kind kind = Kind::claim;
  std::string group;
  std::vector<Input> inputs;
  flow::PartitionSet partitions;  // claim
  flow::Membership membership;    // claim
  flow::Commit commit;            // commit, group_lag
  std::vector<PendingChunk> chunks;
  uint64_t chunk_bytes = 0;
  std::vector<PendingState> state;  // commit
  uint64_t state_bytes = 0;
  Millis now;                    // retain
  flow::Waker* waker = nullptr;  // may be null

 private:
  friend class Committer;
  flow::SinkEvent answer;
  bool answered = false;  // guarded by the committer's mutex
  std::atomic<bool> ready{false};
};
using RequestPtr = std::shared_ptr<Request>;

struct CommitterOptions {
  bool sync = true;
  const Clock* clock = nullptr;  // null: no retention by itself
  int64_t retention_every_millis = 10'000;
  Failpoint failpoint;
};

class Committer {
 public:
  Committer(Db& db, Catalog& catalog, GroupRows& rows, Members& members, Retention& retention,
            CommitterOptions options);
  ~Committer();  // finishes what was submitted
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  void submit(RequestPtr request);
  // The answer, once.
  std::optional<flow::SinkEvent> take_answer(Request& request);
  // After this the request's memory and waker are used no more; it may have been done or not.
  void withdraw(const RequestPtr& request);
  // Submits and waits; for what may block.
  flow::SinkEvent run(RequestPtr request);
  // What the group's stage remembers of a partition, as it is in the folder. For who has
  // claimed it:
  // nobody else changes it then. Any thread; blocks while it reads.
  Result<flow::StateRows> read_state(const GroupKey& key) const;
  // Why nothing is written any more, if so: after a write that failed only a start goes on. Any
  // thread.
  const Error* failure() const {
    return is_broken_.load(std::memory_order_acquire) ? &*broken_ : nullptr;
  }

 private:
  void work();
  std::optional<std::vector<RequestPtr>> next_requests();
  void process(std::vector<RequestPtr>& requests);
  void stage(Request& request);
  void stage_claim(Request& request);
  flow::SinkEvent check(const Request& request) const;
  void stage_commit(Request& request);
  void stage_lag(Request& request);
  void stage_chunks(Request& request);
  void stage_state(Request& request);
  bool write(std::vector<RequestPtr>& requests);
  void settle(bool done);
  void answer_all(std::vector<RequestPtr>& requests);
  bool holds(const Request& request, const flow::Membership& membership,
             const flow::PartitionSet& partitions) const;
  void retain(Millis now);
  void break_off(Error error);

  Db& db_;
  Catalog& catalog_;
  GroupRows& rows_;
  Members& members_;
  Retention& retention_;
  CommitterOptions options_;

  std::mutex mutex_;
  std::condition_variable changed_;   // queue or stop, for the thread
  std::condition_variable answered_;  // for run() and withdraw()
  std::vector<RequestPtr> queue_;
  bool stop_ = false;
  std::atomic<bool> is_broken_ = false;  // broken_ has its value

  // The thread's own.
  DbBatch batch_;
  std::vector<std::pair<TopicPtr, int32_t>> moved_;  // partitions with a staged end
  bool durable_ = false;                             // somebody waits for the write under way
  std::optional<Error> broken_;                      // a write failed; set once
  std::thread thread_;
};

}  // namespace penstock::log
