#include "ops/drain.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace penstock::ops {
namespace {

// Assigns one partition, and has no records.
class OnePartition final : public flow::Source {
 public:
  flow::SourceEvent poll(const flow::PollLimits&) override {
    if (std::exchange(told_, true)) return flow::Idle{};
    return flow::Assigned{{Partition{}}, nullptr};
  }
  void start(Partition, Offset) override {}
  void answer() override {}
  Offset position(Partition) const override { return {}; }
  void pause(bool) override {}
  bool at_end() const override { return true; }
  flow::Membership membership() const override { return nullptr; }
  void commit_group(const flow::Commit&) override {}
  void close() override {}

 private:
  bool told_ = false;
};

// Answers a claim, or never does, as a log that is away.
class Answering final : public flow::LogSink {
 public:
  explicit Answering(bool answers) : answers_(answers) {}
  void begin_claim(flow::PartitionSet partitions, flow::Membership) override {
    claimed_ = std::move(partitions);
  }
  void begin_commit(flow::Commit) override {}
  void begin_abort() override {}
  flow::SinkEvent poll() override {
    if (!answers_ || claimed_.empty()) return flow::Waiting{};
    flow::Claimed claimed;
    for (const Partition partition : std::exchange(claimed_, {})) {
      claimed.owned.emplace_back().partition = partition;
    }
    return claimed;
  }
  void release(const flow::PartitionSet&) override {}
  flow::WriteAnswer write(const flow::EncodedBatch&) override {
    return flow::WriteAnswer::accepted;
  }
  flow::WriteAnswer write_state(std::span<const flow::StateChange>) override {
    return flow::WriteAnswer::accepted;
  }
  int32_t partitions(uint32_t) const override { return 1; }
  uint64_t record_bytes_max(uint32_t) const override { return UINT64_MAX; }

 private:
  bool answers_;
  flow::PartitionSet claimed_;
};

class Nothing final : public engine::Processor {
 public:
  void begin(engine::Epoch&) override {}
  engine::Processed process(row::RawBatch&, engine::Epoch&) override {
    return engine::Processed::done;
  }
  void make_dead(const flow::RejectedRow&, engine::Epoch&) override {}
};

std::unique_ptr<WorkerThread> start(const std::string& stage, bool answers, const Clock& clock) {
  auto thread = WorkerThread::start(stage, clock, [&](flow::Waker&) -> Result<StageWorker> {
    StageWorker made;
    made.processor = std::make_unique<Nothing>();
    engine::WorkerSpec spec;
    spec.stage = stage;
    engine::WorkerEnds ends;
    ends.source = std::make_unique<OnePartition>();
    ends.open_log_sink = [answers]() -> Result<std::unique_ptr<flow::LogSink>> {
      return std::make_unique<Answering>(answers);
    };
    made.worker =
        std::make_unique<engine::Worker>(std::move(spec), std::move(ends), *made.processor);
    return made;
  });
  REQUIRE(thread.has_value());
  return std::move(*thread);
}

}  // namespace

TEST_CASE("who can commit drains; who can not is told of and stopped when the grace is over") {
  const SystemClock clock;
  std::vector<std::unique_ptr<WorkerThread>> threads;
  threads.push_back(start("good", true, clock));
  CHECK(drain(threads, clock, {}));
  CHECK(threads[0]->snapshot().state == engine::WorkerState::drained);

  threads.push_back(start("stuck", false, clock));
  while (threads[1]->snapshot().state != engine::WorkerState::claiming) {
    std::this_thread::yield();  // its loop says so within 100 ms
  }
  std::vector<std::string> heard;
  const DrainHow how{.grace_millis = 1'500,
                     .tell = [&](const std::string& line) { heard.push_back(line); }};
  CHECK(!drain(threads, clock, how));
  CHECK(heard == std::vector<std::string>{"draining: stuck has 0 records open\n"});
  CHECK(threads[1]->ended());
  CHECK(threads[1]->snapshot().state == engine::WorkerState::claiming);
}

}  // namespace penstock::ops
