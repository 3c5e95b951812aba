// kafka_sink.h — a worker's transactional producer, as the contract of a log's sink has it.
//
// write() only remembers: the epoch's batches go to the client when its commit begins, all on the
// helper thread, so an epoch that is given up before has sent nothing, no transaction is ever open
// while records are being gathered, and the worker computes the next epoch while this one is
// produced.
//
// Thread      one owner; never blocks but in the destructor, which waits for the running call.
// Lifetime    within its SinkWorld. After the destructor nothing of an epoch's bytes is read any
//             more.
// Limits      kMaxEpochRecords, kMaxEpochBytes: more is WriteAnswer::full.
// Errors      CommitEnd::fatal when the client has not answered for SinkWorld::watchdog_millis.
//
//     KafkaSink sink(world, spec, waker);
#pragma once

#include "flow/log.h"
#include "log/kafka/sink_session.h"
#include "log/kafka/transaction_thread.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace penstock::log::kafka {

inline constexpr uint64_t kMaxEpochRecords = 1'000'000;
inline constexpr uint64_t kMaxEpochBytes = uint64_t{512} << 20;

class KafkaSink final : public flow::LogSink {
 public:
  // Begins to initialise the producer at once.
  KafkaSink(SinkWorld& world, flow::SinkSpec spec, std::vector<uint64_t> record_bytes_max,
            flow::Waker& waker);

  void begin_claim(flow::PartitionSet partitions, flow::Membership membership) override;
  flow::WriteAnswer write(const flow::EncodedBatch& batch) override;
  flow::WriteAnswer write_state(std::span<const flow::StateChange> changes) override;
  void begin_commit(flow::Commit commit) override;
  void begin_abort() override;
  flow::SinkEvent poll() override;
  void release(const flow::PartitionSet& partitions) override;
  int32_t partitions(uint32_t output) const override;
  uint64_t record_bytes_max(uint32_t output) const override {
    return limits_.record_bytes_max(output);
  }

 private:
  struct Own {
    Term term;
    Offset next;
  };
  std::optional<Error> not_ours(const flow::Commit& commit) const;
  void learn(flow::SinkEvent& event);
  flow::SinkEvent watch();

  SinkWorld& world_;
  flow::Waker& waker_;
  std::shared_ptr<SinkSession> session_;
  std::vector<int32_t> partitions_;
  mutable LimitWatch limits_;
  std::map<Partition, Own> owned_;
  std::optional<flow::SinkEvent> event_;
  bool in_flight_ = false;
  TransactionThread thread_;  // goes first
};

}  // namespace penstock::log::kafka
