#include "log/kafka/changelog.h"

#include "log/kafka/feed.h"
#include "log/kafka/settings.h"

#include <thread>
#include <utility>

namespace penstock::log::kafka {
namespace {

constexpr size_t kAtOnce = 512;
constexpr int kPollMillis = 20;
constexpr std::chrono::seconds kLeaderPatience{5};

}  // namespace

// A topic that was just made, or whose leader moves, has no end for a moment.
Result<Offset> end_of(Admin& admin, const std::string& topic, int32_t partition) {
  const auto deadline = std::chrono::steady_clock::now() + kLeaderPatience;
  auto bounds = admin.bounds({{topic, "", partition + 1}}, false);
  while (!bounds && bounds.error().code == "L101"_code &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(kPollMillis));
    bounds = admin.bounds({{topic, "", partition + 1}}, false);
  }
  if (!bounds) return std::unexpected(std::move(bounds).error());
  for (const auto& state : bounds->front()) {
    if (state.index == partition) return state.end;
  }
  return fail("L004"_code, "no partition " + std::to_string(partition) + " of " + topic);
}

Result<Changelog> Changelog::open(const Settings& settings, const std::string& topic,
                                  int32_t partition) {
  PENSTOCK_TRY(conf, make_conf(settings, Role::reader));
  PENSTOCK_TRY(client, make_client(std::move(conf), Role::reader));
  Changelog log(std::move(client), topic, partition);
  learn_leaders(log.client_.get(), log.topic_.get());
  if (rd_kafka_consume_start_queue(log.topic_.get(), partition, RD_KAFKA_OFFSET_BEGINNING,
                                   log.queue_.get()) != 0) {
    return std::unexpected(kafka_error(rd_kafka_last_error(), "reading " + topic));
  }
  log.partition_ = partition;
  return log;
}

Changelog::Changelog(Client client, const std::string& topic, int32_t partition)
    : client_(std::move(client)),
      topic_(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr)),
      queue_(rd_kafka_queue_new(client_.get())),
      list_(rd_kafka_topic_partition_list_new(1)) {
  rd_kafka_topic_partition_list_add(list_.get(), topic.c_str(), partition);
}

Changelog::~Changelog() {
  if (client_ != nullptr && partition_ >= 0) rd_kafka_consume_stop(topic_.get(), partition_);
}

Result<void> Changelog::poll(int millis, const ChangelogTaker& take) {
  for (size_t i = 0; i < kAtOnce; ++i) {
    const Message message(rd_kafka_consume_queue(queue_.get(), i == 0 ? millis : 0));
    if (message == nullptr) break;
    PENSTOCK_TRY_VOID(serve(*message, take));
  }
  if (rd_kafka_position(client_.get(), list_.get()) == RD_KAFKA_RESP_ERR_NO_ERROR &&
      list_->elems[0].offset > position_.value) {
    position_ = {list_->elems[0].offset};
  }
  return {};
}

Result<void> Changelog::serve(const rd_kafka_message_t& message, const ChangelogTaker& take) {
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    if (message.offset > position_.value) position_ = {message.offset};
    return {};
  }
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (is_outage(message.err)) return {};
    return std::unexpected(kafka_error(message.err, "reading " + std::string(list_->elems[0].topic),
                                       rd_kafka_message_errstr(&message)));
  }
  ChangelogRow row;
  row.key = {static_cast<const char*>(message.key), message.key_len};
  if (message.payload != nullptr) {
    row.value = ByteView(static_cast<const char*>(message.payload), message.len);
  }
  take(row);
  if (message.offset >= position_.value) position_ = {message.offset + 1};
  return {};
}

Result<void> replay(Admin& admin, const std::string& topic, int32_t partition,
                    const Patience& patience, const ChangelogTaker& take) {
  PENSTOCK_TRY(end, end_of(admin, topic, partition));
  if (end == Offset{0}) return {};
  PENSTOCK_TRY(log, Changelog::open(admin.settings(), topic, partition));
  while (log.position() < end) {
    if (patience.over()) {
      return fail("L122"_code, topic + " was read up to offset " +
                                   std::to_string(log.position().value) + " of " +
                                   std::to_string(end.value));
    }
    PENSTOCK_TRY_VOID(log.poll(kPollMillis, take));
  }
  return {};
}

}  // namespace penstock::log::kafka
