// embedded_sink.h — where a worker's epochs, and appends outside of any, enter the committer.
//
// Thread      one worker.
// Lifetime    the Committer outlives it. Records stay in the worker's memory until the write; a
//             sink that is destroyed takes its request back, or waits the moment until it is done.
// Limits      an epoch of at most 64 MiB of records and state (write() answers `full`), a batch
// of at most
//             kMaxChunkBytes, a record of kMaxRecordBytes (`error`).
#pragma once

#include "flow/log.h"
#include "log/embedded/committer.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace penstock::log {

inline constexpr uint64_t kMaxEpochBytes = 64 << 20;
inline constexpr uint64_t kMaxRecordBytes = 16 << 20;  // and flow::kMaxLetterBytes around it

class EmbeddedSink final : public flow::LogSink {
 public:
  EmbeddedSink(Committer& committer, std::string group, std::vector<Input> inputs,
               std::vector<TopicPtr> outputs, bool stateful, flow::Waker& waker);
  ~EmbeddedSink() override;

  void begin_claim(flow::PartitionSet partitions, flow::Membership membership) override;
  flow::WriteAnswer write(const flow::EncodedBatch& batch) override;
  flow::WriteAnswer write_state(std::span<const flow::StateChange> changes) override;
  void begin_commit(flow::Commit commit) override;
  void begin_abort() override;
  flow::SinkEvent poll() override;
  void release(const flow::PartitionSet& partitions) override;
  int32_t partitions(uint32_t output) const override;
  uint64_t record_bytes_max(uint32_t output) const override;

 private:
  flow::SinkEvent with_state(flow::Claimed&& claimed) const;
  void forget_epoch();

  Committer& committer_;
  std::vector<TopicPtr> outputs_;
  bool stateful_;
  RequestPtr request_;
  bool in_flight_ = false;
  std::optional<flow::SinkEvent> event_;  // known without the committer
  flow::PartitionSet claimed_;
};

class EmbeddedAppender final : public flow::Appender {
 public:
  EmbeddedAppender(Committer& committer, std::vector<TopicPtr> outputs, flow::Waker& waker);
  ~EmbeddedAppender() override;
  int32_t partitions(uint32_t output) const override;
  uint64_t record_bytes_max(uint32_t output) const override;
  void begin_append(std::vector<flow::EncodedBatch> batches) override;
  flow::SinkEvent poll() override;

 private:
  Committer& committer_;
  std::vector<TopicPtr> outputs_;
  RequestPtr request_;
  bool in_flight_ = false;
  bool too_large_ = false;
};

}  // namespace penstock::log
