// bare_loop.cc — consume, hand on, commit: what a careful hand-written loop on librdkafka costs.
//
// usage: kafka_bare_loop BROKERS exactly_once|at_least_once IN OUT RECORDS EPOCH_MILLIS
//
// The floor beside which Penstock's stage is measured: the same client library with the same
// properties and the same epochs, no rule, no decoding, no bookkeeping. Each record goes to the
// partition that it came from; committed is the consumer's position. Ends after RECORDS records;
// prints how many epochs that took and the seconds from the first record to the last commit.
#include "kafka/client.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace penstock::bench {
namespace {

using std::chrono::steady_clock;
constexpr size_t kAtOnce = 4096;
constexpr int kWaitMillis = 20;

struct Wanted {
  std::string brokers, in, out;
  bool transactions = true;
  int64_t records = 0;
  std::chrono::milliseconds epoch{};
};

class BareLoop {
 public:
  explicit BareLoop(Wanted wanted);
  void run();

 private:
  void hand_on(rd_kafka_message_t** messages, ssize_t count);
  void commit();
  log::kafka::List positions() const;

  Wanted wanted_;
  Client producer_, consumer_;
  log::kafka::TopicHandle out_;
  log::kafka::Queue queue_;
  int64_t done_ = 0, epochs_ = 0;
  bool open_ = false;
};

BareLoop::BareLoop(Wanted wanted) : wanted_(std::move(wanted)) {
  const std::string name = "bare-" + wanted_.out;
  if (wanted_.transactions) {
    producer_ = make(wanted_.brokers, Role::transactional_producer, {{"transactional.id", name}});
    check(rd_kafka_init_transactions(producer_.get(), 30'000), "init_transactions");
  } else {
    producer_ = make(wanted_.brokers, Role::idempotent_producer, {});
  }
  out_.reset(rd_kafka_topic_new(producer_.get(), wanted_.out.c_str(), nullptr));
  const int32_t partitions = partitions_of(producer_.get(), wanted_.in);
  if (partitions_of(producer_.get(), wanted_.out) != partitions) {
    give_up(wanted_.out, "has another number of partitions");
  }
  // As much is read ahead as Penstock's source does.
  const std::string ahead = std::to_string(65'536 / partitions);
  consumer_ = make(wanted_.brokers, Role::consumer,
                   {{"group.id", name},
                    {"auto.offset.reset", "earliest"},
                    {"queued.max.messages.kbytes", ahead}});
  rd_kafka_poll_set_consumer(consumer_.get());
  queue_.reset(rd_kafka_queue_get_consumer(consumer_.get()));
  const log::kafka::List topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), wanted_.in.c_str(), RD_KAFKA_PARTITION_UA);
  check(rd_kafka_subscribe(consumer_.get(), topics.get()), "subscribe");
}

void BareLoop::run() {
  std::vector<rd_kafka_message_t*> messages(kAtOnce);
  steady_clock::time_point first{}, epoch_began{};
  while (done_ < wanted_.records) {
    const ssize_t count =
        rd_kafka_consume_batch_queue(queue_.get(), kWaitMillis, messages.data(), messages.size());
    const auto now = steady_clock::now();
    if (count > 0 && done_ == 0) first = now;
    if (count > 0 && !open_) {
      if (wanted_.transactions) check(rd_kafka_begin_transaction(producer_.get()), "begin");
      open_ = true;
      epoch_began = now;
    }
    hand_on(messages.data(), count);
    rd_kafka_poll(producer_.get(), 0);
    if (open_ && now - epoch_began >= wanted_.epoch) commit();
  }
  if (open_) commit();
  const std::chrono::duration<double> seconds = steady_clock::now() - first;
  queue_.reset();
  check(rd_kafka_consumer_close(consumer_.get()), "close");
  std::printf("{\"records\": %ld, \"epochs\": %ld, \"seconds\": %.3f}\n", done_, epochs_,
              seconds.count());
}

void BareLoop::hand_on(rd_kafka_message_t** messages, ssize_t count) {
  for (ssize_t i = 0; i < count; ++i) {
    const log::kafka::Message message(messages[i]);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      std::fprintf(stderr, "%s\n", rd_kafka_message_errstr(message.get()));
      continue;
    }
    produce(producer_.get(), out_.get(), message->partition,
            {static_cast<const char*>(message->key), message->key_len},
            {static_cast<const char*>(message->payload), message->len});
    ++done_;
  }
}

log::kafka::List BareLoop::positions() const {
  rd_kafka_topic_partition_list_t* assigned = nullptr;
  check(rd_kafka_assignment(consumer_.get(), &assigned), "assignment");
  log::kafka::List list(assigned);
  check(rd_kafka_position(consumer_.get(), list.get()), "position");
  for (int i = list->cnt; i-- > 0;) {  // nothing was read of it yet
    if (list->elems[i].offset < 0) rd_kafka_topic_partition_list_del_by_idx(list.get(), i);
  }
  return list;
}

void BareLoop::commit() {
  const log::kafka::List list = positions();
  if (wanted_.transactions) {
    const log::kafka::GroupMetadata member(rd_kafka_consumer_group_metadata(consumer_.get()));
    check(rd_kafka_send_offsets_to_transaction(producer_.get(), list.get(), member.get(), -1),
          "send_offsets");
    check(rd_kafka_commit_transaction(producer_.get(), -1), "commit");
  } else {
    check(rd_kafka_flush(producer_.get(), 60'000), "flush");
    check(rd_kafka_commit(consumer_.get(), list.get(), 0), "commit");
  }
  open_ = false;
  ++epochs_;
}

}  // namespace
}  // namespace penstock::bench

int main(int count, char** words) {
  using namespace penstock::bench;
  if (count != 7)
    give_up("usage", "BROKERS exactly_once|at_least_once IN OUT RECORDS EPOCH_MILLIS");
  Wanted wanted;
  wanted.brokers = words[1];
  wanted.transactions = std::string_view(words[2]) == "exactly_once";
  wanted.in = words[3];
  wanted.out = words[4];
  wanted.records = std::atoll(words[5]);
  wanted.epoch = std::chrono::milliseconds(std::atoll(words[6]));
  BareLoop(std::move(wanted)).run();
}
