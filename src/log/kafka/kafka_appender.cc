#include "log/kafka/kafka_appender.h"

#include "base/check.h"

#include <utility>

namespace penstock::log::kafka {
namespace {

constexpr int kFlushMillis = 500;
constexpr int kMetadataMillis = 5'000;

}  // namespace

AppendSession::AppendSession(Settings settings, std::vector<std::string> topics,
                             std::vector<uint64_t> record_bytes_max)
    : settings_(std::move(settings)),
      topics_(std::move(topics)),
      record_bytes_max_(std::move(record_bytes_max)),
      vital_(std::make_shared<Vital>()) {}

Result<void> AppendSession::ready() {
  if (client_ != nullptr) return {};
  PENSTOCK_TRY(conf, make_conf(settings_, Role::idempotent_producer, &troubles_));
  PENSTOCK_TRY_VOID(keep_to_limits(conf.get(), settings_, record_bytes_max_));
  count_deliveries(conf.get());
  deliveries_ = {};
  PENSTOCK_TRY(client, make_client(std::move(conf), Role::idempotent_producer));
  client_ = std::move(client);
  for (const std::string& topic : topics_) {
    handles_.emplace_back(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
  }
  vital_->beat();
  const struct rd_kafka_metadata* got = nullptr;
  const auto error = rd_kafka_metadata(client_.get(), 0, nullptr, &got, kMetadataMillis);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_metadata_destroy(got);
    return {};
  }
  Error cause = troubles_.any() ? troubles_.explain("looking at the topics to write to")
                                : kafka_error(error, "looking at the topics to write to");
  drop();
  return std::unexpected(std::move(cause));
}

void AppendSession::know_limits(const std::vector<uint64_t>& record_bytes_max) {
  if (record_bytes_max_ == record_bytes_max) return;
  record_bytes_max_ = record_bytes_max;
  drop();
}

void AppendSession::drop() {
  handles_.clear();
  client_.reset();
}

flow::Ended AppendSession::gone_wrong(flow::CommitEnd end, Error error) {
  drop();  // what is still queued must not arrive behind what is appended next
  const bool refused = is_too_large(error);
  return {end, {}, {}, std::move(error), refused};
}

flow::Ended AppendSession::append(const std::vector<flow::EncodedBatch>& batches) {
  if (auto prepared = ready(); !prepared) {
    return {flow::CommitEnd::retry, {}, {}, std::move(prepared).error()};
  }
  for (const flow::EncodedBatch& batch : batches) {
    vital_->beat();
    auto offered =
        outbox_.offer(client_.get(), handles_[batch.output].get(), batch, deliveries_, *vital_);
    if (!offered) return gone_wrong(flow::CommitEnd::unknown, std::move(offered).error());
  }
  return acknowledged();
}

flow::Ended AppendSession::append(size_t topic, int32_t partition, ByteView key, ByteView value) {
  if (auto prepared = ready(); !prepared) {
    return {flow::CommitEnd::retry, {}, {}, std::move(prepared).error()};
  }
  const int result = rd_kafka_produce(handles_[topic].get(), partition, RD_KAFKA_MSG_F_COPY,
                                      const_cast<char*>(value.data()), value.size(), key.data(),
                                      key.size(), &deliveries_);
  if (result == 0) return acknowledged();
  return gone_wrong(flow::CommitEnd::retry,
                    kafka_error(rd_kafka_last_error(), "writing " + topics_[topic]));
}

flow::Ended AppendSession::acknowledged() {
  while (rd_kafka_outq_len(client_.get()) > 0 && !vital_->stop) {
    vital_->beat();
    rd_kafka_flush(client_.get(), kFlushMillis);
  }
  const std::string what = "writing " + topics_.front();
  if (deliveries_.failed > 0) {
    return gone_wrong(flow::CommitEnd::unknown, kafka_error(deliveries_.error, what));
  }
  if (vital_->stop) {
    return gone_wrong(flow::CommitEnd::unknown, kafka_error(RD_KAFKA_RESP_ERR__DESTROY, what));
  }
  return {flow::CommitEnd::done, {}, {}, {}};
}

KafkaAppender::KafkaAppender(SinkWorld& world, std::vector<std::string> topics,
                             std::vector<int32_t> partitions,
                             std::vector<uint64_t> record_bytes_max, flow::Waker& waker)
    : world_(world),
      partitions_(std::move(partitions)),
      limits_(*world.admin, topics, record_bytes_max),
      session_(std::make_shared<AppendSession>(world.settings(), topics, record_bytes_max)),
      thread_(waker, session_->vital()) {}

void KafkaAppender::begin_append(std::vector<flow::EncodedBatch> batches) {
  PENSTOCK_CHECK(!in_flight_);
  for (const flow::EncodedBatch& batch : batches) {
    PENSTOCK_CHECK(batch.output < partitions_.size() && batch.partition >= 0 &&
                   batch.partition < partitions_[batch.output]);
  }
  in_flight_ = true;
  thread_.post([session = session_, batches = std::move(batches),
                limits = limits_.all()]() -> flow::SinkEvent {
    session->know_limits(limits);
    return session->append(batches);
  });
}

flow::SinkEvent KafkaAppender::poll() {
  if (!in_flight_) return flow::Waiting{};
  auto event = thread_.take();
  if (event) {
    in_flight_ = false;
    return std::move(*event);
  }
  const int64_t silent = thread_.stuck_millis();
  if (silent < world_.watchdog_millis) return flow::Waiting{};
  thread_.abandon();
  in_flight_ = false;
  return flow::Ended{flow::CommitEnd::fatal,
                     {},
                     {},
                     fail("L125"_code, "no answer for " + std::to_string(silent) + " ms").take()};
}

}  // namespace penstock::log::kafka
