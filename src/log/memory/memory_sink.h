// memory_sink.h — a transactional producer of a MemoryLog.
//
// Thread      the log's. Lifetime: within the log's.
#pragma once

#include "flow/log.h"
#include "log/memory/memory_log.h"

#include <span>
#include <string>
#include <vector>

namespace penstock::log {

class MemorySink final : public flow::LogSink {
 public:
  MemorySink(MemoryLog& log, flow::SinkSpec spec, std::vector<Topic*> outputs, Group& group,
             flow::Waker& waker);
  ~MemorySink() override;

  void begin_claim(flow::PartitionSet partitions, flow::Membership membership) override;
  flow::WriteAnswer write(const flow::EncodedBatch& batch) override;
  flow::WriteAnswer write_state(std::span<const flow::StateChange> changes) override;
  void begin_commit(flow::Commit commit) override;
  void begin_abort() override;
  flow::SinkEvent poll() override;
  void release(const flow::PartitionSet&) override {}
  int32_t partitions(uint32_t output) const override {
    return static_cast<int32_t>(outputs_[output]->partitions.size());
  }
  uint64_t record_bytes_max(uint32_t output) const override {
    return outputs_[output]->record_bytes_max;
  }

 private:
  enum class Operation : uint8_t { none, claiming, committing, aborting };

  void init_producer();
  bool fenced() const;
  MemoryLog::Transaction& transaction();
  flow::CommitEnd refusal(const flow::Commit& commit) const;
  flow::SinkEvent poll_claim();
  flow::SinkEvent poll_commit();
  Group::Input input(Partition partition) const {
    return {spec_.inputs[partition.topic], partition.index};
  }

  MemoryLog& log_;
  flow::SinkSpec spec_;
  std::vector<Topic*> outputs_;
  Group& group_;
  flow::Waker& waker_;
  std::string producer_;
  uint64_t epoch_ = 0;
  bool initialised_ = false;
  MemoryLog::TransactionPtr transaction_;
  Operation operation_ = Operation::none;
  flow::PartitionSet claiming_;
  flow::CommitEnd refused_ = flow::CommitEnd::done;  // done: it was not
  bool too_large_ = false;                           // a record of the transaction
};

// Appends at once, outside any transaction.
class MemoryAppender final : public flow::Appender {
 public:
  MemoryAppender(MemoryLog& log, std::vector<Topic*> topics)
      : log_(log), topics_(std::move(topics)) {}
  int32_t partitions(uint32_t output) const override {
    return static_cast<int32_t>(topics_[output]->partitions.size());
  }
  uint64_t record_bytes_max(uint32_t output) const override {
    return topics_[output]->record_bytes_max;
  }
  void begin_append(std::vector<flow::EncodedBatch> batches) override;
  flow::SinkEvent poll() override;

 private:
  MemoryLog& log_;
  std::vector<Topic*> topics_;
  bool ended_ = false;
  bool too_large_ = false;
};

}  // namespace penstock::log
