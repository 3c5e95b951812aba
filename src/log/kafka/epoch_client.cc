#include "log/kafka/epoch_client.h"

#include "log/kafka/acknowledged_client.h"
#include "log/kafka/transactional_client.h"

#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace penstock::log::kafka {
namespace {

constexpr int kMetadataMillis = 5'000;
constexpr std::chrono::milliseconds kAgain{50};
constexpr std::chrono::seconds kReadyPatience{2};

}  // namespace

bool is_fenced(int code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

std::unique_ptr<EpochClient> make_epoch_client(SinkWorld& world, std::vector<std::string> topics,
                                               Vital& vital) {
  if (world.settings().at_least_once) {
    return std::make_unique<AcknowledgedClient>(world, std::move(topics), vital);
  }
  return std::make_unique<TransactionalClient>(world, std::move(topics), vital);
}

EpochClient::EpochClient(SinkWorld& world, std::vector<std::string> topics, Vital& vital)
    : world_(world), topics_(std::move(topics)), vital_(vital), partitions_(topics_.size(), 0) {}

Result<void> EpochClient::make() {
  PENSTOCK_TRY(conf, make_conf(world_.settings(), role(), &troubles_));
  PENSTOCK_TRY_VOID(configure(conf.get()));
  PENSTOCK_TRY_VOID(keep_to_limits(conf.get(), world_.settings(), record_bytes_max_));
  count_deliveries(conf.get());
  if (world_.configure_for_test) world_.configure_for_test(conf.get());
  deliveries_ = {};
  PENSTOCK_TRY(client, make_client(std::move(conf), role()));
  client_ = std::move(client);
  for (const std::string& topic : topics_) {
    handles_.emplace_back(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
  }
  return {};
}

Result<void> EpochClient::ready(const Patience& patience) {
  if (ready_) return {};
  if (client_ == nullptr) PENSTOCK_TRY_VOID(make());
  PENSTOCK_TRY_VOID(init(patience));
  if (auto looked = look_at_topics(); !looked) {
    drop();
    return looked;
  }
  ready_ = true;
  return {};
}

void EpochClient::tell_wait(std::chrono::steady_clock::time_point began, Error why) {
  const auto waited = std::chrono::steady_clock::now() - began;
  if (waited >= std::chrono::milliseconds(world_.tell_wait_millis)) vital_.note(std::move(why));
}

bool EpochClient::ready_at_last() {
  const auto began = std::chrono::steady_clock::now();
  while (!vital_.stop) {
    auto readied = ready({std::chrono::steady_clock::now() + kReadyPatience, &vital_.stop});
    if (readied) return true;
    tell_wait(began, std::move(readied).error());
    std::this_thread::sleep_for(kAgain);
  }
  return false;
}

// Of the topics that this client has handles of: before anything is written to a partition, or the
// transaction is poisoned.
Result<void> EpochClient::look_at_topics() {
  vital_.beat();
  const struct rd_kafka_metadata* got = nullptr;
  const auto error = rd_kafka_metadata(client_.get(), 0, nullptr, &got, kMetadataMillis);
  vital_.beat();
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::unexpected(kafka_error(error, "looking at the topics to write to"));
  }
  const MetadataHandle metadata(got);
  for (size_t i = 0; i < topics_.size(); ++i) {
    int32_t count = 0;
    for (int t = 0; t < metadata->topic_cnt; ++t) {
      const rd_kafka_metadata_topic& topic = metadata->topics[t];
      if (topics_[i] == topic.topic && topic.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        count = topic.partition_cnt;
      }
    }
    if (count == 0) return fail("L004"_code, "no topic " + topics_[i]);
    partitions_[i] = count;
  }
  return {};
}

Trouble EpochClient::refused(Error error) const {
  std::array<char, 256> text{};
  const auto fatal = rd_kafka_fatal_error(client_.get(), text.data(), text.size());
  if (fatal == RD_KAFKA_RESP_ERR_NO_ERROR) return {flow::CommitEnd::abort, std::move(error)};
  Error cause = kafka_error(fatal, "writing as " + id_, text.data());
  return {is_fenced(fatal) ? flow::CommitEnd::fenced : flow::CommitEnd::unknown, std::move(cause)};
}

MaybeTrouble EpochClient::offer(const flow::EncodedBatch& batch) {
  vital_.beat();
  auto offered =
      outbox_.offer(client_.get(), handles_[batch.output].get(), batch, deliveries_, vital_);
  if (!offered) return refused(std::move(offered).error());
  return std::nullopt;
}

MaybeTrouble EpochClient::put(size_t topic, int32_t partition, ByteView key,
                              std::optional<ByteView> value) {
  while (true) {
    const int result =
        rd_kafka_produce(handles_[topic].get(), partition, RD_KAFKA_MSG_F_COPY,
                         value ? const_cast<char*>(value->data()) : nullptr,
                         value ? value->size() : 0, key.data(), key.size(), &deliveries_);
    if (result == 0) return std::nullopt;
    const auto error = rd_kafka_last_error();
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL || vital_.stop) {
      return refused(kafka_error(error, "writing " + topics_[topic]));
    }
    vital_.beat();
    rd_kafka_poll(client_.get(), 10);
  }
}

bool EpochClient::renew() {
  drop();
  return ready_at_last();
}

void EpochClient::drop() {
  handles_.clear();
  vital_.beat();
  client_.reset();
  ready_ = false;
  open_ = false;
  dropped();
}

}  // namespace penstock::log::kafka
