#include "engine/chain_memory.h"
#include "engine/forward.h"
#include "engine/state_position.h"
#include "engine/worker.h"
#include "log/memory/memory_log.h"
#include "wire/record_batch.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace penstock::engine {
namespace {

// Remembers how often each partition was touched; one row.
class Counter final : public flow::Memory {
 public:
  explicit Counter(std::string name) : name_(std::move(name)) {}
  void touch(Partition partition) { ++open_[partition]; }
  uint64_t of(Partition partition) const {
    const auto found = known_.find(partition);
    return found == known_.end() ? 0 : found->second;
  }

  std::string_view name() const override { return name_; }
  Result<void> restore(Partition partition, const flow::StateRows& rows) override {
    if (rows.size() > 1) return fail("E003"_code, "too many rows");
    known_[partition] = rows.empty() ? 0 : std::stoull(rows[0].value);
    return {};
  }
  void forget(Partition partition) override { known_.erase(partition); }
  void close(Arena& arena, std::vector<flow::StateChange>& changes) override {
    before_ = known_;
    for (const auto& [partition, count] : open_) {
      known_[partition] += count;
      changes.push_back({partition, "count", arena.copy(std::to_string(known_[partition])), false});
    }
    open_.clear();
  }
  void settle() override { before_.clear(); }
  void undo_open() override { open_.clear(); }
  void undo_closed() override { known_ = before_; }
  Size size() const override { return {known_.size(), 0, 0}; }

 private:
  std::string name_;
  std::map<Partition, uint64_t> known_, before_, open_;
};

class CountingStep final : public flow::Step {
 public:
  explicit CountingStep(std::string name) : counter(std::move(name)) {}
  void apply(row::Batch& batch, flow::StepContext&) override { counter.touch(batch.partition); }
  flow::Memory* memory() override { return &counter; }
  Counter counter;
};

class PureStep final : public flow::Step {
  void apply(row::Batch&, flow::StepContext&) override {}
};

std::string text_of(const std::vector<flow::StateChange>& changes) {
  std::string text;
  for (const flow::StateChange& change : changes) {
    text += std::to_string(change.input.index) + " ";
    text += change.key;
    text += change.gone ? " gone" : " = " + std::string(change.value);
    text += "; ";
  }
  return text;
}

flow::Owned owned_at(int64_t next, flow::StateRows rows, uint64_t absorbed = 0) {
  flow::Owned owned;
  owned.partition = {0, 3};
  owned.next = {next};
  owned.state = std::move(rows);
  owned.fates.absorbed = absorbed;
  return owned;
}

// Forwards, and counts its batches.
class Remembering final : public Processor {
 public:
  Remembering() : forward_(make_forward("out")), counter("batches") {}
  void begin(Epoch& epoch) override { forward_->begin(epoch); }
  Processed process(row::RawBatch& batch, Epoch& epoch) override {
    counter.touch(batch.partition);
    return forward_->process(batch, epoch);
  }
  void make_dead(const flow::RejectedRow&, Epoch&) override {}
  flow::Memory* memory() override { return &counter; }

 private:
  std::unique_ptr<Processor> forward_;

 public:
  Counter counter;
};

struct NoWaker final : flow::Waker {
  void wake() noexcept override {}
};

struct Bench {
  log::MemoryLog log;
  NoWaker waker;
  Millis now{1};
  Bench() { REQUIRE(log.create_missing({{.name = "in"}, {.name = "out"}}).has_value()); }

  void send(const std::string& value) {
    auto appender = log.open_appender({"in"}, waker);
    wire::RecordsBuilder records;
    records.append({.key = value, .value = value, .timestamp = 1, .has_key = true});
    (*appender)->begin_append({{0, 0, 1, Millis{1}, Millis{1}, records.bytes()}});
    (*appender)->poll();
  }
  std::unique_ptr<Worker> worker(Processor& processor, bool stateful = true) {
    WorkerEnds ends;
    ends.source = std::move(*log.open_source({"g", {"in"}, "w"}, waker));
    ends.open_log_sink = [this, stateful] {
      return log.open_sink({"g", {"in"}, {"out"}, "w", stateful}, waker);
    };
    WorkerSpec spec;
    spec.stage = "work";
    spec.outputs = {"out"};
    return std::make_unique<Worker>(std::move(spec), std::move(ends), processor);
  }
  void turn(Worker& worker, int millis) {
    for (const Millis until = now + millis; now < until; now = now + 1) {
      log.advance(now);
      worker.turn(now);
    }
  }
  void drain(Worker& worker) {
    worker.request_drain();
    turn(worker, 20);
    REQUIRE(worker.state() == WorkerState::drained);
  }
};

}  // namespace

TEST_CASE("a chain's memories are kept apart by name, and rows of steps that are gone leave") {
  std::vector<std::unique_ptr<flow::Step>> steps;
  steps.push_back(std::make_unique<PureStep>());
  CHECK(ChainMemory::make(steps) == nullptr);
  for (const char* name : {"a", "b", "a"}) steps.push_back(std::make_unique<CountingStep>(name));
  const auto memory = ChainMemory::make(steps);
  REQUIRE(memory != nullptr);
  const auto counter = [&](size_t i) -> Counter& {
    return static_cast<CountingStep&>(*steps[i]).counter;
  };
  CHECK(
      memory->restore({0, 1}, {{"a #2/count", "7"}, {"a/count", "5"}, {"old/x", ""}}).has_value());
  CHECK(memory->restore({0, 2}, {{"old/y", "1"}}).has_value());
  CHECK(counter(1).of({0, 1}) == 5);
  CHECK(counter(2).of({0, 1}) == 0);
  CHECK(counter(3).of({0, 1}) == 7);
  for (const bool undone : {true, false}) {
    Arena arena;
    std::vector<flow::StateChange> changes;
    counter(1).touch({0, 1});
    counter(3).touch({0, 1});
    memory->close(arena, changes);
    CHECK(text_of(changes) == "1 a/count = 6; 1 a #2/count = 8; 1 old/x gone; ");
    undone ? memory->undo_closed() : memory->settle();
  }
  Arena arena;
  std::vector<flow::StateChange> changes;
  counter(2).touch({0, 1});
  memory->close(arena, changes);
  CHECK(text_of(changes) == "1 b/count = 1; ");
  CHECK(!memory->restore({0, 1}, {{"a/x", "1"}, {"a/y", "1"}}).has_value());
}

TEST_CASE("state without its position, or with another one, is refused") {
  flow::Owned good = owned_at(5, {{"a", "1"}, {"position", "5"}, {"z", "2"}}, 1);
  CHECK(check_position(good, "work").has_value());
  CHECK(good.state == flow::StateRows{{"a", "1"}, {"z", "2"}});
  flow::Owned fresh = owned_at(5, {});
  CHECK(check_position(fresh, "work").has_value());
  for (flow::Owned bad :
       {owned_at(5, {{"position", "6"}}), owned_at(5, {{"position", "4"}}),
        owned_at(5, {{"position", "05"}}), owned_at(5, {{"a", "1"}}), owned_at(5, {}, 1)}) {
    const auto result = check_position(bad, "work");
    REQUIRE(!result.has_value());
    CHECK(result.error().code == "E004"_code);
  }
}

TEST_CASE("a worker commits state with its epochs and is handed it when it comes again") {
  Bench bench;
  for (int round = 1; round <= 3; ++round) {
    Remembering processor;
    const auto worker = bench.worker(processor);
    bench.turn(*worker, 20);
    bench.send("a");
    bench.turn(*worker, 30);
    CHECK(processor.counter.of({0, 0}) == static_cast<uint64_t>(round));
    bench.drain(*worker);
  }
}

TEST_CASE(
    "a claim of state that does not belong to the position is refused, and read on is nothing") {
  Bench bench;
  {
    Remembering processor;
    const auto worker = bench.worker(processor);
    bench.send("a");
    bench.turn(*worker, 50);
    bench.drain(*worker);
  }
  {  // the step is taken out, and records pass
    const auto forward = make_forward("out");
    const auto worker = bench.worker(*forward, false);
    bench.send("b");
    bench.turn(*worker, 50);
    bench.drain(*worker);
  }
  Remembering processor;
  const auto worker = bench.worker(processor);
  bench.send("c");
  bench.turn(*worker, 100);
  CHECK(worker->status().refused);
  REQUIRE(worker->status().error.has_value());
  CHECK(worker->status().error->code == "E004"_code);
  CHECK(worker->counters().records == 0);
  Offset next;
  CHECK(bench.log.read("out", 0, {0}, {}, &next)->records.size() == 2);
}

TEST_CASE("an epoch that was given up is not remembered") {
  Bench bench;
  Remembering processor;
  const auto worker = bench.worker(processor);
  bench.turn(*worker, 20);
  bench.log.lose_next_answer(false);
  bench.send("a");
  bench.turn(*worker, 200);
  CHECK(worker->counters().unknowns == 1);
  CHECK(worker->counters().records == 2);
  CHECK(processor.counter.of({0, 0}) == 1);
}

}  // namespace penstock::engine
