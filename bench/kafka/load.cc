// load.cc — fills a topic, feeds it at a rate, and watches what comes out.
//
// usage: kafka_load fill  BROKERS TOPIC SCHEMA RECORDS         as fast as it goes
//        kafka_load pace  BROKERS TOPIC SCHEMA RATE SECONDS    so many a second, evenly
//        kafka_load watch BROKERS TOPIC RECORDS SKIP           until so many were seen
//        kafka_load empty BROKERS TOPIC                        deletes every record
//
// A record is 100 bytes and a key: {sent, id, value, pad}, framed as single object; `sent` is the
// moment of its making in microseconds. `watch` reads committed records only, from the topic's
// beginning, and takes each record's latency from `sent` to the moment when it was handed out; the
// first SKIP records are not counted. It prints how many there were, p50, p99, p99.9 and the
// largest in milliseconds, and when the first record was seen (microseconds since 1970).
#include "avro/framing.h"
#include "avro/schema.h"
#include "avro/write.h"
#include "kafka/client.h"
#include "wire/partitioner.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

namespace penstock::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr size_t kRecordBytes = 100;
constexpr uint64_t kIds = 100'000;
constexpr uint64_t kTestEvery = 1'000;  // one record in so many is dropped by the stage's rule

int64_t now_micros() {
  return std::chrono::duration_cast<microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class Producer {
 public:
  Producer(const std::string& brokers, const std::string& topic, const std::string& schema_file,
           Properties over)
      : client_(make(brokers, Role::idempotent_producer, over)) {
    topic_.reset(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
    partitions_ = partitions_of(client_.get(), topic);
    std::ifstream file(schema_file);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto schema = avro::parse(text);
    if (!schema) give_up(schema_file, schema.error().message);
    avro::append_single_object_header((*schema)->fingerprint(), header_);
  }

  void send(uint64_t number) {
    char id[32];
    const char* kind = number % kTestEvery == 0 ? "TEST-" : "METER";
    std::snprintf(id, sizeof id, "%s-%08llu", kind,
                  static_cast<unsigned long long>(number * 2'654'435'761u % kIds));
    value_ = header_;
    avro::append_long(now_micros(), value_);
    avro::append_bytes(id, value_);
    avro::append_double(static_cast<double>(number % 1'000) / 10.0, value_);
    const size_t left = kRecordBytes - value_.size() - 1;  // a length below 64 takes one byte
    avro::append_bytes(std::string(left, 'x'), value_);
    produce(client_.get(), topic_.get(), wire::partition_of(id, partitions_), id, value_);
  }

  void flush() { check(rd_kafka_flush(client_.get(), 120'000), "flush"); }

 private:
  Client client_;
  log::kafka::TopicHandle topic_;
  int32_t partitions_ = 0;
  std::string header_, value_;
};

void fill(char** words) {
  Producer producer(words[0], words[1], words[2], {{"linger.ms", "5"}});
  const uint64_t records = std::strtoull(words[3], nullptr, 10);
  for (uint64_t number = 0; number < records; ++number) producer.send(number);
  producer.flush();
}

void pace(char** words) {
  Producer producer(words[0], words[1], words[2], {{"linger.ms", "1"}});
  const uint64_t rate = std::strtoull(words[3], nullptr, 10);
  const uint64_t records = rate * std::strtoull(words[4], nullptr, 10);
  const auto began = steady_clock::now();
  for (uint64_t number = 0; number < records;) {
    const auto passed = std::chrono::duration_cast<microseconds>(steady_clock::now() - began);
    const uint64_t due =
        std::min<uint64_t>(records, static_cast<uint64_t>(passed.count()) * rate / 1'000'000);
    for (; number < due; ++number) producer.send(number);
    std::this_thread::sleep_for(milliseconds(1));
  }
  producer.flush();
}

int64_t sent_of(std::string_view value) {
  uint64_t zigzag = 0;
  int shift = 0;
  for (const char byte : value.substr(std::min(value.size(), avro::kSingleObjectHeaderBytes))) {
    zigzag |= static_cast<uint64_t>(byte & 0x7f) << shift;
    shift += 7;
    if ((byte & 0x80) == 0) break;
  }
  return static_cast<int64_t>(zigzag >> 1) ^ -static_cast<int64_t>(zigzag & 1);
}

double millis_at(const std::vector<int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<size_t>(share * static_cast<double>(sorted.size()));
  return static_cast<double>(sorted[std::min(at, sorted.size() - 1)]) / 1e3;
}

void tell(std::vector<int64_t>& micros, int64_t first_seen) {
  std::ranges::sort(micros);
  std::printf(
      "{\"records\": %zu, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f, "
      "\"first_seen\": %lld}\n",
      micros.size(), millis_at(micros, 0.5), millis_at(micros, 0.99), millis_at(micros, 0.999),
      millis_at(micros, 1.0), static_cast<long long>(first_seen));
}

void watch(char** words) {
  const Client client = make(words[0], Role::reader, {{"group.id", "watch"}});
  const std::string topic = words[1];
  const auto wanted = static_cast<size_t>(std::atoll(words[2]));
  const auto skip = static_cast<size_t>(std::atoll(words[3]));
  rd_kafka_poll_set_consumer(client.get());
  const int32_t partitions = partitions_of(client.get(), topic);
  const log::kafka::List list(rd_kafka_topic_partition_list_new(partitions));
  for (int32_t i = 0; i < partitions; ++i) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), i)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  check(rd_kafka_assign(client.get(), list.get()), "assign");
  std::vector<int64_t> micros;
  int64_t first_seen = 0;
  for (size_t seen = 0; seen < wanted;) {
    const log::kafka::Message message(rd_kafka_consumer_poll(client.get(), 100));
    if (message == nullptr || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) continue;
    check(message->err, "watch");
    const int64_t now = now_micros();
    if (seen == 0) first_seen = now;
    if (seen++ < skip) continue;
    micros.push_back(now - sent_of({static_cast<const char*>(message->payload), message->len}));
  }
  tell(micros, first_seen);
  check(rd_kafka_consumer_close(client.get()), "close");
}

void empty(char** words) {
  const Client client = make(words[0], Role::admin, {});
  const std::string topic = words[1];
  const int32_t partitions = partitions_of(client.get(), topic);
  const log::kafka::List list(rd_kafka_topic_partition_list_new(partitions));
  for (int32_t i = 0; i < partitions; ++i) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), i)->offset = RD_KAFKA_OFFSET_END;
  }
  rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(list.get());
  const log::kafka::Queue queue(rd_kafka_queue_new(client.get()));
  rd_kafka_DeleteRecords(client.get(), &request, 1, nullptr, queue.get());
  const log::kafka::Event event(rd_kafka_queue_poll(queue.get(), 30'000));
  rd_kafka_DeleteRecords_destroy(request);
  if (event == nullptr) give_up(topic, "no answer");
  check(rd_kafka_event_error(event.get()), "emptying " + topic);
}

}  // namespace
}  // namespace penstock::bench

int main(int count, char** words) {
  using namespace penstock::bench;
  const std::string_view verb = count > 1 ? words[1] : "";
  if (verb == "fill" && count == 6) return fill(words + 2), 0;
  if (verb == "pace" && count == 7) return pace(words + 2), 0;
  if (verb == "watch" && count == 6) return watch(words + 2), 0;
  if (verb == "empty" && count == 4) return empty(words + 2), 0;
  give_up("usage", "fill|pace|watch|empty …; see the head of bench/kafka/load.cc");
}
