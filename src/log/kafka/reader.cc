#include "log/kafka/reader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <utility>

namespace penstock::log::kafka {
namespace {

using std::chrono::steady_clock;

// Lets a call sleep until its queue has something.
class Bell final : public flow::Waker {
 public:
  void wake() noexcept override {
    const std::lock_guard lock(mutex_);
    rung_ = true;
    changed_.notify_all();
  }
  void wait_until(steady_clock::time_point until) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, until, [&] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;
};

Result<void> set(rd_kafka_conf_t* conf, const char* name, const char* value) {
  char said[512];
  if (rd_kafka_conf_set(conf, name, value, said, sizeof said) == RD_KAFKA_CONF_OK) return {};
  return std::unexpected(kafka_error(RD_KAFKA_RESP_ERR__INVALID_ARG, name, said));
}

}  // namespace

Reader::~Reader() { stop(); }

void Reader::stop() {
  if (!open_) return;
  open_->feed.reset();
  rd_kafka_consume_stop(open_->topic.get(), open_->partition);
  open_.reset();
}

Result<void> Reader::connect() {
  if (client_ != nullptr) return {};
  PENSTOCK_TRY(conf, make_conf(admin_.settings(), Role::reader, &troubles_));
  PENSTOCK_TRY_VOID(set(conf.get(), "enable.partition.eof", "true"));
  PENSTOCK_TRY_VOID(set(conf.get(), "isolation.level", "read_committed"));
  PENSTOCK_TRY_VOID(set(conf.get(), "auto.offset.reset", "error"));
  PENSTOCK_TRY(client, make_client(std::move(conf), Role::reader));
  client_ = share_client(client.release());
  waker_ = std::make_unique<Bell>();
  return {};
}

Result<void> Reader::seek(const TopicInfo& topic, int32_t partition, Offset from) {
  stop();
  Open open{TopicHandle(rd_kafka_topic_new(client_.get(), topic.name.c_str(), nullptr)), topic,
            partition, nullptr};
  Queue queue(rd_kafka_queue_new(client_.get()));
  learn_leaders(client_.get(), open.topic.get());
  if (rd_kafka_consume_start_queue(open.topic.get(), partition, from.value, queue.get()) != 0) {
    return std::unexpected(kafka_error(rd_kafka_last_error(), "reading " + topic.name));
  }
  open.feed = std::make_unique<Feed>(client_, std::move(queue), waker_.get());
  open.feed->begin(from);
  open_ = std::move(open);
  return {};
}

Result<row::RawBatch> Reader::read(std::string_view topic, int32_t partition, Offset from,
                                   const flow::PollLimits& limits, Offset* next) {
  const std::lock_guard lock(mutex_);
  PENSTOCK_TRY_VOID(connect());
  const std::string name(topic);
  PENSTOCK_TRY(topics, admin_.describe({name}));
  if (topics[0].lineage.empty() || partition < 0 || partition >= topics[0].partitions) {
    return fail("L004"_code, "there is no partition " + name + "/" + std::to_string(partition));
  }
  PENSTOCK_TRY(bounds, admin_.bounds(topics, true));
  const flow::PartitionState& kept = bounds[0][static_cast<size_t>(partition)];
  *next = std::max(from, kept.start);
  row::RawBatch nothing;
  nothing.partition.index = partition;
  if (*next >= kept.end) return nothing;
  if (!open_ || open_->of.lineage != topics[0].lineage || open_->partition != partition ||
      open_->feed->next() != *next || open_->feed->fault()) {
    PENSTOCK_TRY_VOID(seek(topics[0], partition, *next));
  }
  return take_until(kept.end, limits, next);
}

// The end is the last stable offset: everything before it comes, or is passed without a record.
Result<row::RawBatch> Reader::take_until(Offset end, const flow::PollLimits& limits, Offset* next) {
  const auto until = steady_clock::now() + std::chrono::milliseconds(kReadMillis);
  row::RawBatch batch;
  batch.partition.index = open_->partition;
  Feed& feed = *open_->feed;
  while (true) {
    rd_kafka_poll(client_.get(), 0);
    const bool any = feed.take(limits, batch);
    *next = feed.next();
    if (any || *next >= end) return batch;
    if (feed.fault()) {
      const FeedFault fault = *feed.fault();
      const std::string what = "reading " + open_->of.name;
      stop();
      return std::unexpected(kafka_error(fault.code, what, fault.detail));
    }
    if (steady_clock::now() > until)
      return std::unexpected(troubles_.explain("reading " + open_->of.name));
    static_cast<Bell&>(*waker_).wait_until(
        std::min(until, steady_clock::now() + std::chrono::milliseconds(100)));
  }
}

}  // namespace penstock::log::kafka
