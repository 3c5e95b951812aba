#include "log/kafka/kafka_source.h"

#include "flow/log_contract.h"
#include "log/kafka/admin.h"
#include "log/kafka/reader.h"
#include "log/kafka/test_broker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

namespace penstock::log::kafka {
namespace {

using flow::contract_wait;
using flow::ContractWaker;

// A topic of its own, and a plain producer into it.
struct World {
  explicit World(int32_t partitions = 1) {
    auto opened = Admin::open(test_settings(topic));
    if (!opened) FAIL(render(opened.error()));
    admin = std::move(*opened);
    make(partitions);
    auto conf = make_conf(admin->settings(), Role::idempotent_producer);
    REQUIRE(conf.has_value());
    auto client = make_client(std::move(*conf), Role::idempotent_producer);
    REQUIRE(client.has_value());
    producer = std::move(*client);
  }
  void make(int32_t partitions) {
    const auto made = admin->create({{.name = topic, .partitions = partitions}});
    REQUIRE(made.has_value());
    REQUIRE(made->size() == 1);
  }
  void produce(int32_t partition, int first, int count, size_t bytes = 0) {
    const TopicHandle to(rd_kafka_topic_new(producer.get(), topic.c_str(), nullptr));
    for (int i = first; i < first + count; ++i) {
      std::string value = std::to_string(i);
      value.resize(std::max(value.size(), bytes), ' ');
      while (rd_kafka_produce(to.get(), partition, RD_KAFKA_MSG_F_COPY, value.data(), value.size(),
                              nullptr, 0, nullptr) != 0) {
        REQUIRE(rd_kafka_last_error() == RD_KAFKA_RESP_ERR__QUEUE_FULL);
        rd_kafka_poll(producer.get(), 10);
      }
    }
    REQUIRE(rd_kafka_flush(producer.get(), 20'000) == RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  std::unique_ptr<KafkaSource> open(const std::string& member = "w") {
    auto source = KafkaSource::open(*admin, {topic + ".g", {topic}, member}, waker);
    if (!source) FAIL(render(source.error()));
    return std::move(*source);
  }

  std::string topic = fresh_name();
  ContractWaker waker;
  std::unique_ptr<Admin> admin;
  Client producer;
};

// What a source handed out, driven without a sink.
struct Worker {
  World& world;
  std::unique_ptr<KafkaSource> source;
  flow::PollLimits limits = {};
  Offset from = {0};
  std::map<int32_t, std::vector<int>> got = {};
  flow::PartitionSet owned = {};
  int lost = 0;
  std::optional<flow::SourceFault> fault = {};

  bool turn() {
    flow::SourceEvent event = source->poll(limits);
    if (auto* batch = std::get_if<row::RawBatch>(&event)) {
      uint64_t bytes = 0;
      for (const row::RawRecord& record : batch->records) {
        bytes += record.value.size();
        got[batch->partition.index].push_back(std::stoi(std::string(record.value)));
      }
      CHECK(batch->records.size() <= limits.max_records);
      CHECK((bytes <= limits.max_bytes || batch->records.size() == 1));
      CHECK(source->position(batch->partition).value == batch->records.back().offset.value + 1);
    } else if (auto* assigned = std::get_if<flow::Assigned>(&event)) {
      CHECK(assigned->membership != nullptr);
      for (const Partition p : assigned->partitions) {
        owned.push_back(p);
        source->start(p, from);
      }
      source->answer();
    } else if (auto* gone = std::get_if<flow::Lost>(&event)) {
      CHECK(source->membership() == nullptr);
      lost += static_cast<int>(gone->partitions.size());
      std::erase_if(owned, [&](Partition p) {
        return std::binary_search(gone->partitions.begin(), gone->partitions.end(), p);
      });
      source->answer();
    } else if (auto* failed = std::get_if<flow::SourceFault>(&event)) {
      fault = std::move(*failed);
    } else {
      return !std::holds_alternative<flow::Idle>(event);
    }
    return true;
  }
  void until(const char* what, const std::function<bool()>& done) {
    contract_wait(world.waker, what, [&] { return turn(), done(); });
  }
};

std::vector<int> numbers(int first, int count) {
  std::vector<int> all;
  for (int i = 0; i < count; ++i) all.push_back(first + i);
  return all;
}

}  // namespace

TEST_CASE("batches keep the limits, and nothing is lost between them") {
  World world(2);
  world.produce(0, 0, 5000, 100);
  world.produce(1, 0, 300, 5000);
  Worker worker{world, world.open(), {.max_records = 700, .max_bytes = 20'000}};
  worker.until("everything", [&] { return worker.source->at_end() && worker.got.size() == 2; });
  CHECK(worker.got[0] == numbers(0, 5000));
  CHECK(worker.got[1] == numbers(0, 300));
  CHECK(worker.source->position({0, 0}) == Offset{5000});
}

TEST_CASE("a start before the client reads is not lost, nor one in the middle") {
  World world;
  world.produce(0, 0, 2000);
  Worker worker{world, world.open(), {.max_records = 100, .max_bytes = 150}, {1500}};
  worker.until("the assignment", [&] { return !worker.owned.empty(); });
  worker.source->start({0, 0}, {200});
  worker.source->start({0, 0}, {100});
  worker.until("the first", [&] { return !worker.got.empty(); });
  CHECK(worker.got[0].front() == 100);
  worker.source->start({0, 0}, {50});  // what was taken ahead lies behind it
  worker.got.clear();
  worker.until("what is before", [&] { return !worker.got.empty(); });
  CHECK(worker.got[0].front() == 50);
  worker.source->start({0, 0}, {1990});
  worker.got.clear();
  worker.until("the end", [&] { return worker.source->at_end(); });
  CHECK(worker.got[0] == numbers(1990, 10));
  worker.source->start({0, 0}, {1995});
  CHECK(!worker.source->at_end());
  CHECK(worker.source->position({0, 0}) == Offset{1995});
  worker.got.clear();
  worker.until("the end again", [&] { return worker.source->at_end(); });
  CHECK(worker.got[0] == numbers(1995, 5));
}

TEST_CASE("a position that is gone stops its partition and says so") {
  World world(2);
  world.produce(0, 0, 10);
  world.produce(1, 0, 10);
  List before(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(before.get(), world.topic.c_str(), 0)->offset = 5;
  rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(before.get());
  const Queue queue(rd_kafka_queue_new(world.admin->client()));
  rd_kafka_DeleteRecords(world.admin->client(), &request, 1, nullptr, queue.get());
  const Event deleted(rd_kafka_queue_poll(queue.get(), 20'000));
  rd_kafka_DeleteRecords_destroy(request);
  REQUIRE(deleted != nullptr);
  Worker worker{world, world.open()};
  worker.until("the fault", [&] { return worker.fault && worker.got[1].size() == 10; });
  CHECK(worker.fault->error.code == "L130"_code);
  CHECK(worker.fault->partition == Partition{0, 0});
  CHECK(!worker.fault->retry);
  CHECK(worker.got[0].empty());
  worker.until("the end, but for what stands still", [&] { return worker.source->at_end(); });
  worker.fault.reset();
  worker.source->start({0, 0}, {5});
  worker.until("the rest", [&] { return worker.source->at_end(); });
  CHECK(worker.got[0] == numbers(5, 5));
  CHECK(!worker.fault);
}

TEST_CASE("a member that was removed learns that all is lost, and comes back as another") {
  World world(3);
  Worker worker{world, world.open()};
  worker.until("the assignment", [&] { return worker.owned.size() == 3; });
  const auto before = worker.source->membership();
  const auto* was = dynamic_cast<const KafkaMembership*>(before.get());
  REQUIRE(remove_member(worker.source->group(), was->member_id));
  worker.until("Lost", [&] { return worker.lost == 3; });
  worker.until("the assignment", [&] { return worker.owned.size() == 3; });
  const auto now = worker.source->membership();
  CHECK(dynamic_cast<const KafkaMembership*>(now.get())->member_id != was->member_id);
  world.produce(2, 0, 1);
  worker.until("a record", [&] { return worker.got[2].size() == 1; });
}

TEST_CASE("a topic that was deleted and made again is another one") {
  World world;
  world.produce(0, 0, 10);
  Worker worker{world, world.open()};
  worker.until("the records", [&] { return worker.source->at_end(); });
  rd_kafka_DeleteTopic_t* request = rd_kafka_DeleteTopic_new(world.topic.c_str());
  const Queue queue(rd_kafka_queue_new(world.admin->client()));
  rd_kafka_DeleteTopics(world.admin->client(), &request, 1, nullptr, queue.get());
  const Event deleted(rd_kafka_queue_poll(queue.get(), 20'000));
  rd_kafka_DeleteTopic_destroy(request);
  REQUIRE(deleted != nullptr);
  contract_wait(world.waker, "the topic to go", [&] {
    const auto left = world.admin->describe({world.topic});
    REQUIRE(left.has_value());
    return left->front().lineage.empty();
  });
  world.make(1);
  worker.until("the fault",
               [&] { return worker.fault && worker.fault->error.code == "L120"_code; });
  CHECK(!worker.fault->retry);
}

TEST_CASE("who waits is woken, and needs no busy loop") {
  struct Bell final : flow::Waker {
    void wake() noexcept override { rung.release(); }
    std::counting_semaphore<> rung{0};
  };
  Bell bell;
  World world;
  auto source = KafkaSource::open(*world.admin, {world.topic + ".g", {world.topic}, "w"}, bell);
  REQUIRE(source.has_value());
  Worker worker{world, std::move(*source)};
  int wakes = 0;
  const auto until = [&](const auto& done) {
    while (!done()) {
      REQUIRE(bell.rung.try_acquire_for(flow::kContractWait));
      ++wakes;
      while (worker.turn()) {
      }
    }
  };
  until([&] { return !worker.owned.empty() && worker.source->at_end(); });
  for (int i = 0; i < 20; ++i) {
    world.produce(0, i, 1);
    until([&] { return worker.got[0].size() == static_cast<size_t>(i) + 1; });
  }
  CHECK(wakes < 200);
}

TEST_CASE("reading without a group ends at the last stable offset") {
  World world;
  world.produce(0, 0, 1000);
  Reader reader(*world.admin);
  Offset from{0};
  std::vector<int> got;
  for (int i = 0; i < 100; ++i) {
    Offset next{-7};
    auto batch = reader.read(world.topic, 0, from, {.max_records = 300, .max_bytes = 500}, &next);
    REQUIRE(batch.has_value());
    for (const auto& record : batch->records) got.push_back(std::stoi(std::string(record.value)));
    if (next == from) break;
    from = next;
  }
  CHECK(got.size() <= 1000);
  Offset next;
  auto rest = reader.read(world.topic, 0, {990}, {}, &next);
  REQUIRE(rest.has_value());
  CHECK(rest->records.size() == 10);
  CHECK(next == Offset{1000});
  auto nothing = reader.read(world.topic, 0, {1000}, {}, &next);
  REQUIRE(nothing.has_value());
  CHECK(nothing->records.empty());
  CHECK(next == Offset{1000});
  const auto missing = reader.read("no-such-topic", 0, {0}, {}, &next);
  REQUIRE(!missing);
  CHECK(missing.error().code == "L004"_code);
}

}  // namespace penstock::log::kafka
