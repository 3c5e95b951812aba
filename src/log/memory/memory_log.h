// memory_log.h — a log in memory, for tests and the simulator: deterministic, stepped by hand.
//
// As the embedded log it compares `from` and term of each commit. Told to (`as_kafka`) it keeps
// Kafka's rules instead, also the unpleasant ones: only generation and transactional id fence, the
// group's offset is overwritten without a look, markers occupy offsets, an open transaction holds
// readers back at its first record, a dead producer's transaction ends by timeout, a claim waits
// for offsets that are pending.
//
// Thread      one thread for the log and all that it made, unlike other logs.
// Lifetime    everything is gone with it; records stay as long as a RawBatch views them.
// Limits      memory; records of at most kRecordBytesMax, unless told otherwise.
// Errors      opening a topic that is not there.
//
//     MemoryLog log({.as_kafka = true, .session_millis = 600});
//     log.advance(Millis{20});                    // time passes: sessions end, commits arrive
#pragma once

#include "flow/log.h"
#include "log/memory/group.h"
#include "log/memory/topic.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace penstock::log {

// What a log may get wrong; for the simulator, which has to notice.
enum class MemoryFlaw : uint8_t {
  none,
  zombie_not_fenced,   // offsets of any generation are taken
  reader_passes_open,  // readers do not wait for open transactions and never see their records
  reader_sees_open,    // readers are handed what is not committed yet
  claim_unstable,      // a claim does not wait for pending offsets
  late_end_accepted,   // a fenced producer's commit still counts
};

struct MemoryLogSettings {
  bool as_kafka = false;
  // A member that showed no life for so long is taken for dead; 0: never, and a source or sink that
  // is destroyed is gone at once.
  int64_t session_millis = 0;
  int64_t transaction_millis = 10'000;  // then an open transaction of a dead producer is aborted
  // How long the end of a commit is under way; null: 0.
  std::function<int64_t()> delay_millis = {};
  MemoryFlaw flaw = MemoryFlaw::none;
};

class MemorySink;

class MemoryLog final : public flow::Log {
 public:
  explicit MemoryLog(MemoryLogSettings settings = {});
  ~MemoryLog() override;

  Result<std::vector<std::string>> create_missing(
      const std::vector<flow::TopicSpec>& topics) override;
  void declare_groups(const std::vector<flow::SourceSpec>& groups) override;
  Result<std::unique_ptr<flow::Source>> open_source(const flow::SourceSpec& spec,
                                                    flow::Waker& waker) override;
  Result<std::unique_ptr<flow::LogSink>> open_sink(const flow::SinkSpec& spec,
                                                   flow::Waker& waker) override;
  Result<std::unique_ptr<flow::Appender>> open_appender(const std::vector<std::string>& topics,
                                                        flow::Waker& waker) override;
  flow::SchemaSource& schemas() override;
  Result<std::vector<flow::TopicState>> topics() override;
  Result<std::vector<flow::GroupState>> groups() override;
  Result<row::RawBatch> read(std::string_view topic, int32_t partition, Offset from,
                             const flow::PollLimits& limits, Offset* next) override;

  // ---- for tests
  // Time passes (never back).
  void advance(Millis now);
  Millis now() const { return now_; }
  // The next time at which advance() would do something.
  Millis next_event() const;
  // A member of that name shows life, as a client's heartbeat does.
  void alive(std::string_view member);
  // The group takes members of that name for dead.
  void evict(std::string_view member);
  // The next commit ends unknown; `written`: it happened all the same.
  void lose_next_answer(bool written);
  void retain(Millis now);
  // The topic takes records of at most so many bytes, from now on.
  void set_record_bytes_max(std::string_view topic, uint64_t bytes);

 private:
  friend class MemorySource;
  friend class MemorySink;
  friend class MemoryAppender;
  enum class LoseAnswer : uint8_t { no, written, not_written };

  // One transaction of one producer.
  struct Transaction {
    std::string producer;
    uint64_t producer_epoch = 0;
    enum class State : uint8_t { open, committed, aborted } state = State::open;
    Millis started;
    std::vector<TopicPartition*> touched;
    // Offsets that were sent and wait for the end.
    std::string group;
    std::vector<std::string> inputs;
    flow::Commit offsets;
    bool offsets_sent = false;
    struct Change {
      Partition input;
      flow::StateRow row;
      bool gone;
    };
    std::vector<Change> changes;  // of state
    Millis ends = kNever;         // when the commit that is under way arrives
  };
  using TransactionPtr = std::shared_ptr<Transaction>;

  Topic* find_topic(std::string_view name);
  Result<std::vector<Topic*>> find_topics(const std::vector<std::string>& names);
  Group& group(const std::string& name);
  void wake_all();
  bool pending_offsets(const std::string& group, const std::string& input, int32_t index) const;
  void end(Transaction& transaction, bool commit);
  static void apply_state(const Transaction& transaction, Group& of);
  void arrive(Transaction& transaction);
  bool stale(const Transaction& transaction) const;

  MemoryLogSettings settings_;
  Millis now_;
  std::map<std::string, std::unique_ptr<Topic>, std::less<>> topics_;
  std::map<std::string, std::unique_ptr<Group>, std::less<>> groups_;
  std::map<std::string, uint64_t, std::less<>> producer_epochs_;
  std::vector<TransactionPtr> open_;  // transactions
  std::vector<flow::SourceSpec> declared_;
  std::unique_ptr<flow::SchemaSource> schemas_;
  std::vector<flow::Waker*> wakers_;  // one per source and sink alive
  LoseAnswer lose_ = LoseAnswer::no;
  uint64_t lineages_ = 0;
};

}  // namespace penstock::log
