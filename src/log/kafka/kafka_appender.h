// kafka_appender.h — appends outside any epoch, by an idempotent producer.
//
// Thread      one owner; never blocks but in the destructor, which waits for the running call.
// Lifetime    within its SinkWorld; afterwards nothing appended is read any more.
// Errors      Ended{retry}: nothing was sent. Ended{unknown}: some of it may be there.
//
//     KafkaAppender appender(world, topics, partitions, waker);
#pragma once

#include "flow/log.h"
#include "log/kafka/outbox.h"
#include "log/kafka/sink_world.h"
#include "log/kafka/transaction_thread.h"

#include <memory>
#include <string>
#include <vector>

namespace penstock::log::kafka {

// The blocking side, on the helper; also what the schemas are written with.
class AppendSession {
 public:
  AppendSession(Settings settings, std::vector<std::string> topics,
                std::vector<uint64_t> record_bytes_max = {});
  ~AppendSession() { drop(); }
  // All of it is acknowledged when it ends `done`.
  flow::Ended append(const std::vector<flow::EncodedBatch>& batches);
  flow::Ended append(size_t topic, int32_t partition, ByteView key, ByteView value);
  const std::shared_ptr<Vital>& vital() const { return vital_; }
  // What its topics take by now (limits.h); another client is made where it differs.
  void know_limits(const std::vector<uint64_t>& record_bytes_max);

 private:
  Result<void> ready();
  flow::Ended acknowledged();
  flow::Ended gone_wrong(flow::CommitEnd end, Error error);
  void drop();

  Settings settings_;
  std::vector<std::string> topics_;
  std::vector<uint64_t> record_bytes_max_;
  std::shared_ptr<Vital> vital_;
  Deliveries deliveries_;
  Outbox outbox_;
  ClientTroubles troubles_;
  Client client_;
  std::vector<TopicHandle> handles_;
};

class KafkaAppender final : public flow::Appender {
 public:
  KafkaAppender(SinkWorld& world, std::vector<std::string> topics, std::vector<int32_t> partitions,
                std::vector<uint64_t> record_bytes_max, flow::Waker& waker);
  int32_t partitions(uint32_t output) const override { return partitions_[output]; }
  uint64_t record_bytes_max(uint32_t output) const override {
    return limits_.record_bytes_max(output);
  }
  void begin_append(std::vector<flow::EncodedBatch> batches) override;
  flow::SinkEvent poll() override;

 private:
  SinkWorld& world_;
  std::vector<int32_t> partitions_;
  mutable LimitWatch limits_;
  std::shared_ptr<AppendSession> session_;
  bool in_flight_ = false;
  TransactionThread thread_;  // goes first
};

}  // namespace penstock::log::kafka
