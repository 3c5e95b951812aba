#include "log/memory/memory_log.h"

#include "flow/log_contract.h"
#include "log/memory/memory_source.h"

#include <doctest/doctest.h>

namespace penstock::log {
namespace {

class MemoryHarness final : public flow::LogHarness {
 public:
  flow::Log& log() override { return log_; }
  void reopen() override {}  // what a process leaves behind is all that there is
  void evict(flow::Source& source) override { static_cast<MemorySource&>(source).evict(); }
  void lose_next_answer(bool written) override { log_.lose_next_answer(written); }
  bool retain(Millis now) override {
    log_.retain(now);
    return true;
  }
  bool limit_records(const std::string& topic, uint64_t bytes) override {
    log_.set_record_bytes_max(topic, bytes);
    return true;
  }

 private:
  MemoryLog log_;
};

}  // namespace

TEST_CASE("the memory log keeps the contract of logs") {
  for (const flow::ContractCase& contract : flow::log_contract()) {
    INFO(contract.name);
    MemoryHarness harness;
    contract.run(harness);
  }
}

TEST_CASE("as Kafka, an open transaction holds readers back and markers occupy offsets") {
  MemoryLog log(
      {.as_kafka = true, .session_millis = 100, .transaction_millis = 500, .delay_millis = {}});
  flow::contract_topics(log, {{.name = "in"}, {.name = "out"}});
  flow::contract_append(log, "in", 0, {"a", "b"});
  {
    flow::ContractWorker worker(log, "g", {"in"}, {"out"}, "one");
    worker.turn_until_assigned(1);
    worker.turn_until_read(2);
    worker.copy_open();
    flow::contract_append(log, "out", 0, {"after"});
    CHECK(flow::contract_read(log, "out", 0).empty());
  }  // dies
  log.advance(Millis{499});
  CHECK(flow::contract_read(log, "out", 0).empty());
  log.advance(Millis{500});
  CHECK(flow::contract_read(log, "out", 0) == std::vector<std::string>{"after"});
  CHECK(flow::contract_topic(log, "out").partitions[0].end == Offset{4});  // a, b, after, marker
}

TEST_CASE("as Kafka, a claim waits for offsets that are pending") {
  MemoryLog log({.as_kafka = true, .session_millis = 100, .delay_millis = [] { return 300; }});
  flow::contract_topics(log, {{.name = "in"}, {.name = "out"}});
  flow::contract_append(log, "in", 0, {"a"});
  {
    flow::ContractWorker worker(log, "g", {"in"}, {"out"}, "one");
    worker.turn_until_assigned(1);
    worker.turn_until_read(1);
    worker.copy_open();
    worker.sink().begin_commit(worker.epoch());
  }  // dies; its commit is under way
  flow::ContractWaker waker;
  auto sink = log.open_sink({"g", {"in"}, {"out"}, "two"}, waker);
  REQUIRE(sink.has_value());
  (*sink)->begin_claim({{0, 0}}, nullptr);
  log.advance(Millis{299});
  CHECK(std::holds_alternative<flow::Waiting>((*sink)->poll()));
  log.advance(Millis{300});
  const flow::SinkEvent event = (*sink)->poll();
  REQUIRE(std::holds_alternative<flow::Claimed>(event));
  CHECK(std::get<flow::Claimed>(event).owned[0].next == Offset{1});
  CHECK(flow::contract_read(log, "out", 0) == std::vector<std::string>{"a"});
}

TEST_CASE("as Kafka, a successor with the same id fences the commit that is under way") {
  MemoryLog log({.as_kafka = true, .session_millis = 100, .delay_millis = [] { return 300; }});
  flow::contract_topics(log, {{.name = "in"}, {.name = "out"}});
  flow::contract_append(log, "in", 0, {"a"});
  {
    flow::ContractWorker worker(log, "g", {"in"}, {"out"}, "one");
    worker.turn_until_assigned(1);
    worker.turn_until_read(1);
    worker.copy_open();
    worker.sink().begin_commit(worker.epoch());
  }
  flow::ContractWaker waker;
  auto sink = log.open_sink({"g", {"in"}, {"out"}, "one"}, waker);
  REQUIRE(sink.has_value());
  (*sink)->begin_claim({{0, 0}}, nullptr);
  const flow::SinkEvent event = (*sink)->poll();
  REQUIRE(std::holds_alternative<flow::Claimed>(event));
  CHECK(std::get<flow::Claimed>(event).owned[0].next == Offset{0});
  log.advance(Millis{300});
  CHECK(flow::contract_read(log, "out", 0).empty());
}

}  // namespace penstock::log
