#include "log/kafka/feed.h"

#include <algorithm>
#include <array>
#include <utility>

namespace penstock::log::kafka {

namespace {

constexpr int kMetadataMillis = 5'000;

}  // namespace

SharedClient share_client(rd_kafka_t* client) {
  return {client, [](rd_kafka_t* ended) {
            rd_kafka_destroy_flags(ended, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
          }};
}

void learn_leaders(rd_kafka_t* client, rd_kafka_topic_t* topic) {
  const struct rd_kafka_metadata* found = nullptr;
  rd_kafka_metadata(client, 0, topic, &found, kMetadataMillis);
  const MetadataHandle metadata(found);
}

// Messages of one call; they end together.
struct Feed::Chunk {
  SharedClient client;
  std::vector<rd_kafka_message_t*> messages;

  ~Chunk() {
    for (rd_kafka_message_t* message : messages) rd_kafka_message_destroy(message);
  }
};

Feed::Feed(SharedClient client, Queue queue, flow::Waker* waker)
    : client_(std::move(client)), queue_(std::move(queue)) {
  rd_kafka_queue_forward(queue_.get(), nullptr);
  if (waker == nullptr) return;
  rd_kafka_queue_cb_event_enable(
      queue_.get(), [](rd_kafka_t*, void* to) { static_cast<flow::Waker*>(to)->wake(); }, waker);
}

Feed::~Feed() { rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr); }

void Feed::begin(Offset next) {
  chunk_.reset();
  at_ = 0;
  next_ = next;
  at_end_ = false;
  fault_.reset();
}

bool Feed::load(size_t most) {
  std::array<rd_kafka_message_t*, kMaxChunkMessages> found;  // NOLINT: filled below
  const ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), 0, found.data(),
                                                     std::clamp<size_t>(most, 1, found.size()));
  if (count <= 0) return false;
  chunk_ = std::make_shared<Chunk>();
  chunk_->client = client_;
  chunk_->messages.assign(found.begin(), found.begin() + count);
  at_ = 0;
  live_ = true;
  return true;
}

bool Feed::drain() {
  const bool any = load(kMaxChunkMessages);
  chunk_.reset();
  return any;
}

void Feed::stop_at(const rd_kafka_message_t& message) {
  const char* detail = rd_kafka_message_errstr(&message);
  fault_ = FeedFault{message.err, detail == nullptr ? "" : detail};
  chunk_.reset();  // what lies behind it must not be read
}

bool Feed::take(const flow::PollLimits& limits, row::RawBatch& batch) {
  if (fault_) return false;
  if (chunk_ == nullptr && !load(limits.max_records)) return false;
  const auto& messages = chunk_->messages;
  const size_t most = std::min<size_t>(messages.size() - at_, limits.max_records);
  batch.records.reserve(most);
  uint64_t bytes = 0;
  while (at_ < messages.size() && batch.records.size() < most) {
    const rd_kafka_message_t& message = *messages[at_];
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      next_.value = std::max(next_.value, message.offset);
      at_end_ = true;
      ++at_;
      continue;
    }
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) break;
    bytes += message.len + message.key_len;
    if (bytes > limits.max_bytes && !batch.records.empty()) break;
    ++at_;
    if (message.offset < next_.value) continue;
    rd_kafka_timestamp_type_t type;  // NOLINT: set below
    batch.records.push_back({{static_cast<const char*>(message.key), message.key_len},
                             {static_cast<const char*>(message.payload), message.len},
                             {message.offset},
                             {rd_kafka_message_timestamp(&message, &type)},
                             message.key != nullptr,
                             message.payload != nullptr});
    next_.value = message.offset + 1;
    at_end_ = false;
  }
  if (!batch.records.empty()) batch.memory = chunk_;
  if (at_ == messages.size()) {
    chunk_.reset();
  } else if (batch.records.empty()) {
    const rd_kafka_message_t& message = *messages[at_];
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) stop_at(message);
  }
  return !batch.records.empty();
}

}  // namespace penstock::log::kafka
