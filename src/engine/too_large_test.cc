// Records that are larger than a topic takes: dead letters, or where those do not fit either, a
// stage that holds. The real chain under a worker, on the log in memory.
#include "engine/chain_fixture.h"
#include "engine/forward.h"
#include "engine/worker.h"
#include "log/memory/memory_log.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace penstock::engine {
namespace {

constexpr uint64_t kTakes = 400;  // of the output, in these tests

std::string with_note(const std::string& meter, size_t note_bytes) {
  return reading(meter, 1, 1, "\"" + std::string(note_bytes, 'n') + "\"");
}

struct NoWaker final : flow::Waker {
  void wake() noexcept override {}
};

struct World {
  log::MemoryLog log;
  Bench chain{{}};
  NoWaker waker;
  Millis now{1};
  std::unique_ptr<Worker> worker;

  World() {
    REQUIRE(log.create_missing({{.name = "in"}, {.name = "out"}, {.name = "dead.stage"}}));
    log.set_record_bytes_max("out", kTakes);
  }
  void append(const std::vector<Bench::Row>& rows) {
    auto appender = log.open_appender({"in"}, waker);
    wire::RecordsBuilder records;
    for (const auto& row : rows) {
      records.append({.key = "k", .value = row.value, .timestamp = 1, .has_key = true});
    }
    (*appender)->begin_append({{0, 0, records.count(), Millis{1}, Millis{1}, records.bytes()}});
    CHECK(std::get<flow::Ended>((*appender)->poll()).end == flow::CommitEnd::done);
  }
  void start() { start(chain.chain(), chain.chain().outputs()); }
  void start(Processor& processor, std::vector<std::string> outputs) {
    WorkerEnds ends;
    ends.source = std::move(*log.open_source({"g", {"in"}, "w"}, waker));
    ends.open_log_sink = [this, outputs] {
      return log.open_sink({"g", {"in"}, outputs, "w"}, waker);
    };
    WorkerSpec spec;
    spec.stage = "stage";
    spec.outputs = std::move(outputs);
    worker = std::make_unique<Worker>(std::move(spec), std::move(ends), processor);
  }
  void turn(int64_t millis) {
    for (const Millis until = now + millis; now < until; now = now + 5) {
      log.advance(now);
      worker->turn(now);
    }
  }
  uint64_t count(const std::string& topic) {
    uint64_t records = 0;
    for (Offset from{0}, next{0};; from = next) {
      records += log.read(topic, 0, from, {}, &next)->records.size();
      if (next == from) return records;
    }
  }
  int64_t position() {
    const auto groups = log.groups();
    return groups->at(0).positions.empty() ? 0 : groups->at(0).positions[0].next.value;
  }
};

}  // namespace

TEST_CASE("a record larger than its topic takes is a dead letter, and says by how much") {
  Bench bench({});
  bench.epoch().set_record_bytes_max({kTakes, 1'000'000});
  bench.process(bench.batch({bench.record(with_note("a", 10)), bench.record(with_note("b", 400)),
                             bench.record(with_note("c", 10))}));
  CHECK(bench.records("out").size() == 2);
  REQUIRE(bench.dead() == Texts{"101 encode record.too_large"});
  const uint64_t bytes = wire::lone_batch_bytes({}, false, bench.record(with_note("b", 400)).value);
  CHECK(bench.letters()[0].detail ==
        std::to_string(bytes) + " bytes, out takes " + std::to_string(kTakes) + " (E005)");
  CHECK(bench.letters()[0].value == bench.record(with_note("b", 400)).value);
  CHECK(bench.fates() == "in=3 dead=1 out.out=2");
}

TEST_CASE("a record goes out when it has just as many bytes as its topic takes") {
  for (const uint64_t less : {0, 1}) {
    Bench bench({});
    const auto row = bench.record(with_note("a", 300));
    bench.epoch().set_record_bytes_max({wire::lone_batch_bytes({}, false, row.value) - less});
    bench.process(bench.batch({row}));
    CHECK(bench.records("out").size() == 1 - less);
    CHECK(bench.dead().size() == less);
  }
}

TEST_CASE("a letter that is too large with the record's key goes without it") {
  Bench bench({});
  const auto row = bench.record(with_note("a", 500), std::string(600, 'k'));
  bench.epoch().set_record_bytes_max({kTakes, 1'600});
  bench.process(bench.batch({row}));
  CHECK(!bench.epoch().stuck);
  REQUIRE(bench.letters().size() == 1);
  CHECK(bench.letters()[0].key == *row.key);
  bench.each_record("dead.stage", [](int32_t, const auto& record) { CHECK(!record.has_key); });
}

TEST_CASE("a worker learns what the topics take, also when it changes while it runs") {
  World world;
  world.append({world.chain.record(with_note("a", 10)), world.chain.record(with_note("b", 900)),
                world.chain.record(with_note("c", 10))});
  world.start();
  world.turn(300);
  CHECK(world.count("out") == 2);
  CHECK(world.count("dead.stage") == 1);
  CHECK(world.worker->counters().aborts == 0);
  CHECK(world.position() == 3);
  // Lowered: the log refuses the epoch, which is made again.
  world.log.set_record_bytes_max("out", 200);
  world.append({world.chain.record(with_note("d", 10)), world.chain.record(with_note("e", 200))});
  world.turn(500);
  CHECK(world.worker->counters().aborts == 1);
  CHECK(world.count("out") == 3);
  CHECK(world.count("dead.stage") == 2);
  // Raised: after the next epoch.
  world.log.set_record_bytes_max("out", 2'000);
  world.append({world.chain.record(with_note("f", 10))});
  world.turn(200);
  world.append({world.chain.record(with_note("g", 900))});
  world.turn(200);
  CHECK(world.count("out") == 5);
  CHECK(world.position() == 7);
  CHECK(world.worker->state() == WorkerState::running);
}

TEST_CASE(
    "where the dead letter does not fit either, the stage holds before it and goes on later") {
  World world;
  world.log.set_record_bytes_max("dead.stage", 600);
  std::vector<Bench::Row> rows;
  for (int i = 0; i < 20; ++i) rows.push_back(world.chain.record(with_note("a", 10)));
  rows.push_back(world.chain.record(with_note("large", 900)));
  rows.push_back(world.chain.record(with_note("z", 10)));
  world.append(rows);
  world.start();
  world.turn(2'000);
  CHECK(world.count("out") == 20);  // what came before it
  CHECK(world.position() == 20);
  CHECK(world.worker->state() == WorkerState::waiting);
  REQUIRE(world.worker->status().error.has_value());
  CHECK(world.worker->status().error->code == "E006"_code);
  CHECK(world.worker->status().stuck == flow::RowId{{0, 0}, {20}});
  // It looks again now and then, and not all the time.
  const uint64_t claims = world.worker->counters().claims;
  const uint64_t records = world.worker->counters().records;
  world.turn(60'000);
  CHECK(world.worker->counters().claims - claims <= 7);
  CHECK(world.worker->counters().records - records <= 30);
  CHECK(world.count("dead.stage") == 0);
  CHECK(world.position() == 20);
  world.log.set_record_bytes_max("dead.stage", 2'000);
  world.turn(15'000);
  CHECK(world.count("out") == 21);
  CHECK(world.count("dead.stage") == 1);
  CHECK(world.position() == 22);
  CHECK(world.worker->state() == WorkerState::running);
  CHECK(!world.worker->status().stuck);
}

TEST_CASE("a worker that holds before a record still drains") {
  World world;
  world.log.set_record_bytes_max("dead.stage", 600);
  world.append({world.chain.record(with_note("large", 900))});
  world.start();
  world.turn(1'000);
  CHECK(world.worker->state() == WorkerState::waiting);
  world.worker->request_drain();
  world.turn(100);
  CHECK(world.worker->state() == WorkerState::drained);
  CHECK(world.position() == 0);
}

TEST_CASE("without dead letters a worker commits what came before, and fails at the record") {
  World world;
  world.append({world.chain.record(with_note("a", 10)), world.chain.record(with_note("b", 10)),
                world.chain.record(with_note("large", 900))});
  const auto forward = make_forward("out");
  world.start(*forward, {"out"});
  world.turn(1'000);
  CHECK(world.count("out") == 2);
  CHECK(world.worker->state() == WorkerState::failed);
  CHECK(world.worker->status().error->code == "E005"_code);
  CHECK(world.worker->status().stuck == flow::RowId{{0, 0}, {2}});
}

}  // namespace penstock::engine
