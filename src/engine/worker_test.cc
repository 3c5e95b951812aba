// A worker against a source and a sink that do what the test says. The simulator looks for the
// unexpected; here each answer stands alone.
#include "engine/worker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace penstock::engine {
namespace {

using flow::CommitEnd;

constexpr Partition kOne{0, 0}, kTwo{0, 1};

struct Token final : flow::MembershipToken {};

Error an_error(std::string text) { return fail("L003"_code, std::move(text)).take(); }

// What happened at both ends, and what is to happen.
struct Script {
  std::deque<flow::SourceEvent> events;
  std::deque<CommitEnd> ends;  // of commits; then `done`
  std::deque<flow::ClaimFailed> refusals;
  std::map<Partition, Offset> stored;
  std::map<Partition, Offset> positions;
  std::vector<std::string> done;  // "claim", "commit 0/1 0-5", "answer", …
  std::set<Partition> held;
  int sinks = 0;
  bool at_end = true;
};

row::RawBatch records(Partition partition, int64_t from, int64_t count) {
  row::RawBatch batch;
  batch.partition = partition;
  for (int64_t i = 0; i < count; ++i) {
    row::RawRecord record;
    record.offset = {from + i};
    batch.records.push_back(record);
  }
  return batch;
}

class ScriptSource final : public flow::Source {
 public:
  explicit ScriptSource(Script& script) : script_(script) {}
  flow::SourceEvent poll(const flow::PollLimits& limits) override {
    const auto held = [&](const flow::SourceEvent& event) {
      const auto* batch = std::get_if<row::RawBatch>(&event);
      return batch != nullptr && script_.held.contains(batch->partition);
    };
    const auto next = std::ranges::find_if_not(script_.events, held);
    if (next == script_.events.end()) return flow::Idle{};
    std::rotate(script_.events.begin(), next, next + 1);
    if (auto* batch = std::get_if<row::RawBatch>(&script_.events.front())) {
      if (paused_) return flow::Idle{};
      if (batch->records.size() > limits.max_records) return first_of(*batch, limits.max_records);
    }
    flow::SourceEvent event = std::move(script_.events.front());
    script_.events.pop_front();
    if (const auto* batch = std::get_if<row::RawBatch>(&event))
      script_.positions[batch->partition] = {batch->records.back().offset.value + 1};
    return event;
  }
  void start(Partition partition, Offset next) override {
    script_.positions[partition] = next;
    script_.held.erase(partition);
  }
  void hold(Partition partition, bool held) override {
    held ? (void)script_.held.insert(partition) : (void)script_.held.erase(partition);
  }
  void answer() override { script_.done.emplace_back("answer"); }
  Offset position(Partition partition) const override { return script_.positions.at(partition); }
  void pause(bool paused) override { paused_ = paused; }
  bool at_end() const override { return script_.events.empty() && script_.at_end; }
  flow::Membership membership() const override { return nullptr; }
  void commit_group(const flow::Commit&) override {}
  void close() override { script_.done.emplace_back("close"); }

 private:
  flow::SourceEvent first_of(row::RawBatch& batch, uint32_t count) {
    const int64_t from = batch.records.front().offset.value;
    script_.positions[batch.partition] = {from + count};
    batch.records.erase(batch.records.begin(), batch.records.begin() + count);
    return records(batch.partition, from, count);
  }

  Script& script_;
  bool paused_ = false;
};

class ScriptSink final : public flow::LogSink {
 public:
  explicit ScriptSink(Script& script) : script_(script) { ++script_.sinks; }
  void begin_claim(flow::PartitionSet partitions, flow::Membership) override {
    script_.done.emplace_back("claim");
    if (!script_.refusals.empty()) {
      event_ = std::move(script_.refusals.front());
      script_.refusals.pop_front();
      return;
    }
    flow::Claimed claimed;
    for (const Partition one : partitions)
      claimed.owned.push_back({one, {1}, script_.stored[one], {}, flow::Start::resumed, {}});
    event_ = std::move(claimed);
  }
  flow::WriteAnswer write_state(std::span<const flow::StateChange>) override {
    return flow::WriteAnswer::accepted;
  }
  flow::WriteAnswer write(const flow::EncodedBatch&) override { return flow::WriteAnswer::error; }
  void begin_commit(flow::Commit commit) override {
    std::string text = "commit";
    for (const auto& one : commit.partitions)
      text += " p" + std::to_string(one.partition.index) + ":" + std::to_string(one.from.value) +
              "-" + std::to_string(one.next.value);
    script_.done.push_back(text);
    CommitEnd end = CommitEnd::done;
    if (!script_.ends.empty()) {
      end = script_.ends.front();
      script_.ends.pop_front();
    }
    flow::Ended ended{end, {}, {}, {}};
    if (end == CommitEnd::done) {
      for (const auto& one : commit.partitions) {
        CHECK(script_.stored[one.partition] == one.from);
        script_.stored[one.partition] = one.next;
        ended.durable.set(one.partition, one.next);
      }
    } else {
      ended.error = an_error("the sink said so");
    }
    event_ = std::move(ended);
  }
  void begin_abort() override {
    script_.done.emplace_back("abort");
    event_ = flow::Aborted{};
  }
  flow::SinkEvent poll() override {
    return std::exchange(event_, flow::SinkEvent(flow::Waiting{}));
  }
  void release(const flow::PartitionSet&) override { script_.done.emplace_back("release"); }
  int32_t partitions(uint32_t) const override { return 1; }
  uint64_t record_bytes_max(uint32_t) const override { return UINT64_MAX; }

 private:
  Script& script_;
  flow::SinkEvent event_ = flow::Waiting{};
};

// Drops every record, and counts it; of `strangers` it does not know the schema yet.
class Dropping final : public Processor {
 public:
  void begin(Epoch&) override {}
  Processed process(row::RawBatch& batch, Epoch& epoch) override {
    if (strangers.contains(batch.partition)) return Processed::blocked;
    flow::Fates& fates = epoch.fates(batch.partition);
    fates.in += batch.records.size();
    fates.dropped.add("all", batch.records.size());
    return Processed::done;
  }
  const Error* waits_for() const override { return &away; }
  void make_dead(const flow::RejectedRow&, Epoch&) override {}

  std::set<Partition> strangers;
  const Error away = an_error("the registry is away");
};

struct Bench {
  explicit Bench(WorkerLimits limits = {}) {
    WorkerEnds ends;
    ends.source = std::make_unique<ScriptSource>(script);
    ends.open_log_sink = [this]() -> Result<std::unique_ptr<flow::LogSink>> {
      return std::make_unique<ScriptSink>(script);
    };
    WorkerSpec spec;
    spec.stage = "stage";
    spec.limits = limits;
    worker = std::make_unique<Worker>(std::move(spec), std::move(ends), processor);
    script.events.push_back(flow::Assigned{{kOne, kTwo}, std::make_shared<Token>()});
  }
  void run(int64_t millis = 1000) {
    for (const int64_t until = now + millis; now < until; ++now) worker->turn({now});
  }
  int count(std::string_view what) const {
    return static_cast<int>(std::ranges::count(script.done, what));
  }

  Script script;
  Dropping processor;
  std::unique_ptr<Worker> worker;
  int64_t now = 1;
};

TEST_CASE("what was read is committed, an idle worker says so, and a drain leaves the group") {
  Bench bench;
  bench.script.events.push_back(records(kOne, 0, 5));
  bench.script.events.push_back(records(kTwo, 0, 3));
  bench.run();
  CHECK(bench.script.stored[kOne] == Offset{5});
  CHECK(bench.script.stored[kTwo] == Offset{3});
  CHECK(bench.worker->idle());
  CHECK(bench.worker->state() == WorkerState::running);
  CHECK(bench.worker->counters().committed_records == 8);
  bench.worker->request_drain();
  bench.run(10);
  CHECK(bench.worker->state() == WorkerState::drained);
  CHECK(bench.script.done.back() == "close");
}

TEST_CASE(
    "damage: its partition stands still, the other goes on, and what came before is committed") {
  Bench bench;
  bench.script.events.push_back(records(kOne, 0, 5));
  bench.script.events.push_back(flow::SourceFault{an_error("damaged"), false, kOne});
  bench.script.events.push_back(records(kTwo, 0, 3));
  bench.run();
  CHECK(bench.script.stored[kOne] == Offset{5});
  CHECK(bench.script.stored[kTwo] == Offset{3});
  CHECK(bench.worker->state() == WorkerState::waiting);
  const Worker::Status status = bench.worker->status();
  REQUIRE(status.error);
  CHECK(status.error->message == "damaged");
  REQUIRE(status.owned.size() == 2);
  CHECK(status.owned[0].damage.has_value());
  CHECK(!status.owned[1].damage.has_value());
  CHECK(bench.worker->idle());  // nothing is open; the group's lag says that not all was read
  bench.script.events.push_back(records(kTwo, 3, 4));
  bench.run();
  CHECK(bench.script.stored[kTwo] == Offset{7});
}

TEST_CASE("a schema that is not known yet: its partition waits, the other goes on, order stays") {
  Bench bench;
  bench.processor.strangers = {kOne};
  bench.script.events.push_back(records(kOne, 0, 5));
  bench.script.events.push_back(records(kTwo, 0, 3));
  bench.run();
  CHECK(bench.script.stored[kOne] == Offset{0});
  CHECK(bench.script.stored[kTwo] == Offset{3});
  CHECK(bench.worker->state() == WorkerState::waiting);
  REQUIRE(bench.worker->status().error);
  CHECK(bench.worker->status().error->message == "the registry is away");
  CHECK(bench.script.held == std::set{kOne});
  CHECK(!bench.worker->idle());
  SUBCASE("both wait, then both go on") {
    bench.processor.strangers = {kOne, kTwo};
    bench.script.events.push_back(records(kOne, 5, 2));
    bench.script.events.push_back(records(kTwo, 3, 4));
    bench.run();
    CHECK(bench.script.stored[kTwo] == Offset{3});
    bench.processor.strangers.clear();
    bench.run();
    CHECK(bench.script.stored[kTwo] == Offset{7});
  }
  SUBCASE("an epoch is given up meanwhile: what waited is read again") {
    bench.script.ends = {CommitEnd::abort};
    bench.script.events.push_back(records(kTwo, 3, 1));
    bench.run(5000);
    REQUIRE(bench.count("abort") == 1);
    CHECK(bench.script.positions[kOne] == Offset{0});
    CHECK(bench.script.held.empty());
    bench.script.events.push_back(records(kOne, 0, 5));
    bench.script.events.push_back(records(kOne, 5, 2));
  }
  SUBCASE("its partition is taken away") {
    bench.script.events.push_back(flow::Revoked{{kOne}, std::make_shared<Token>()});
    bench.run(5000);
    CHECK(bench.count("release") == 1);
    CHECK(bench.worker->state() == WorkerState::running);
    return;
  }
  bench.processor.strangers.clear();
  bench.run();
  CHECK(bench.script.stored[kOne] == Offset{7});
  CHECK(bench.worker->state() == WorkerState::running);
  CHECK(bench.worker->idle());
}

TEST_CASE("a fault of the whole source: waited out, or the end") {
  Bench outage;
  outage.script.events.push_back(flow::SourceFault{an_error("away"), true, {}});
  outage.script.events.push_back(records(kOne, 0, 5));
  outage.run();
  CHECK(outage.script.stored[kOne] == Offset{5});
  CHECK(outage.worker->counters().outages == 1);
  CHECK(outage.worker->state() == WorkerState::running);
  CHECK(!outage.worker->status().refused);
  Bench refused;
  refused.script.events.push_front(flow::SourceFault{an_error("no rights"), true, {}, true});
  refused.run(1);
  CHECK(refused.worker->status().refused);
  refused.run();
  CHECK(!refused.worker->status().refused);  // it was assigned and claimed after all
  Bench end;
  end.script.events.push_back(flow::SourceFault{an_error("gone"), false, {}});
  end.run();
  CHECK(end.worker->state() == WorkerState::failed);
  CHECK(end.worker->status().error->message == "gone");
}

TEST_CASE("at most so many records a second; what is read is committed, and events still come") {
  Bench bench({.records_per_second = 1000});
  bench.script.events.push_back(records(kOne, 0, 3000));
  bench.run(2000);
  CHECK(bench.worker->counters().records <= 2000);
  CHECK(bench.worker->counters().records >= 1960);
  CHECK(bench.script.stored[kOne].value >= 1800);
  CHECK_FALSE(bench.worker->idle());
  bench.run(1100);
  CHECK(bench.script.stored[kOne] == Offset{3000});
  CHECK(bench.worker->idle());
  bench.script.events.push_back(records(kOne, 3000, 5000));
  bench.run(50);
  bench.script.events.push_front(flow::Revoked{{kOne, kTwo}, std::make_shared<Token>()});
  bench.run(2);
  CHECK(bench.script.done.back() == "answer");
}

TEST_CASE("a slow pace wakes the worker when the next record may go, not before") {
  Bench bench({.records_per_second = 2});
  bench.script.events.push_back(records(kOne, 0, 100));
  Millis now{1};
  int turns = 0;
  while (now.value < 10'000) {
    const Millis next = bench.worker->turn(now);
    now = std::max(next, now + 1);
    ++turns;
  }
  CHECK(bench.worker->counters().records >= 19);
  CHECK(bench.worker->counters().records <= 20);
  CHECK(turns < 200);
}

TEST_CASE("retry: the same commit again, at the same sink") {
  Bench bench;
  bench.script.events.push_back(records(kOne, 0, 5));
  bench.script.ends = {CommitEnd::retry, CommitEnd::retry};
  bench.run();
  CHECK(bench.count("commit p0:0-5") == 3);
  CHECK(bench.script.sinks == 1);
  CHECK(bench.script.stored[kOne] == Offset{5});
}

TEST_CASE("unknown and fenced: a new sink, and what its claim says is true") {
  for (const CommitEnd end : {CommitEnd::unknown, CommitEnd::fenced}) {
    Bench bench;
    bench.script.events.push_back(records(kOne, 0, 5));
    bench.script.ends = {end};
    bench.script.stored[kOne] = {0};
    bench.run(5);
    bench.script.stored[kOne] = {3};  // half of it was there all the same
    bench.run();
    CHECK(bench.script.sinks == 2);
    CHECK(bench.script.positions[kOne] == Offset{3});
    bench.script.events.push_back(records(kOne, 3, 2));
    bench.run();
    CHECK(bench.script.stored[kOne] == Offset{5});
  }
}

TEST_CASE("abort: the epoch is dropped, and reading begins anew at what is durable") {
  Bench bench;
  bench.script.events.push_back(records(kOne, 0, 5));
  bench.script.ends = {CommitEnd::abort};
  bench.run();
  CHECK(bench.count("abort") == 1);
  CHECK(bench.script.positions[kOne] == Offset{0});
  CHECK(bench.script.sinks == 1);
  CHECK(bench.worker->counters().dropped_epochs == 1);
}

TEST_CASE("fatal: the worker fails and touches nothing more") {
  Bench bench;
  bench.script.events.push_back(records(kOne, 0, 5));
  bench.script.ends = {CommitEnd::fatal};
  bench.run();
  CHECK(bench.worker->state() == WorkerState::failed);
  const size_t before = bench.script.done.size();
  bench.run();
  CHECK(bench.script.done.size() == before);
}

TEST_CASE("a refused claim is told as such, and tried again") {
  Bench bench;
  bench.script.refusals.push_back({an_error("no rights"), false});
  bench.run(100);
  CHECK(bench.worker->status().refused);
  CHECK(!bench.worker->status().ever_claimed);
  CHECK(bench.worker->state() == WorkerState::waiting);
  bench.run(20'000);
  CHECK(!bench.worker->status().refused);
  CHECK(bench.worker->state() == WorkerState::running);
}

TEST_CASE("revoked: committed, released and only then answered; lost: never committed") {
  Bench revoked;
  revoked.run(10);
  revoked.script.done.clear();
  revoked.script.events.push_back(records(kOne, 0, 5));
  revoked.script.events.push_back(flow::Revoked{{kOne, kTwo}, std::make_shared<Token>()});
  revoked.run(10);
  CHECK(revoked.script.done == std::vector<std::string>{"commit p0:0-5", "release", "answer"});
  CHECK(revoked.worker->state() == WorkerState::unassigned);
  Bench lost;
  lost.run(10);
  lost.script.done.clear();
  lost.script.events.push_back(records(kOne, 0, 5));
  lost.script.events.push_back(flow::Lost{{kOne, kTwo}});
  lost.run(1000);
  CHECK(lost.count("commit p0:0-5") == 0);
  CHECK(lost.script.stored[kOne] == Offset{0});
  CHECK(lost.script.done.back() == "answer");
}

}  // namespace
}  // namespace penstock::engine
