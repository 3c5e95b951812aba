// Stages on real threads, a real log on disk and the machine's clock.
#include "ops/runner.h"

#include "avro/framing.h"
#include "avro/json.h"
#include "flow/log_contract.h"
#include "log/embedded/embedded_log.h"
#include "log/embedded/records.h"
#include "log/embedded/temp_folder.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace penstock::ops {
namespace {

using Strings = std::vector<std::string>;

avro::SchemaPtr schema() {
  auto parsed =
      avro::parse(R"({"type":"record","name":"R","fields":[{"name":"id","type":"long"}]})");
  REQUIRE(parsed.has_value());
  return *parsed;
}

// in (2 partitions) ──copy──► out, bad ones ──► dead.copy
std::shared_ptr<plan::Plan> copying() {
  auto plan = std::make_shared<plan::Plan>();
  plan->pipeline = "p";
  const avro::SchemaPtr made = schema();
  for (const char* name : {"in", "out"}) {
    plan::Topic topic;
    topic.name = topic.declared = name;
    topic.schema = made;
    plan->topics.push_back(std::move(topic));
  }
  plan::Stage stage;
  stage.name = stage.id = "copy";
  stage.group = "p.copy";
  stage.from = {"in"};
  stage.input = stage.output = made;
  stage.to_topics = {"out"};
  stage.dead_topic = "dead.copy";
  plan->stages.push_back(std::move(stage));
  return plan;
}

class Place {
 public:
  Place() { open(); }

  void open() {
    auto opened = log::open_embedded_log({.folder = folder.path(), .sync = false});
    REQUIRE(opened.has_value());
    log_ = std::move(*opened);
    flow::contract_topics(
        *log_, {{.name = "in", .partitions = 2}, {.name = "out"}, {.name = "dead.copy"}});
  }
  void close() { log_.reset(); }
  flow::Log& log() { return *log_; }

  std::unique_ptr<Runner> start(int workers = 1) {
    auto runner = Runner::start(parts(), {.stage = {}, .workers = workers}, clock_);
    REQUIRE(runner.has_value());
    return std::move(*runner);
  }
  Parts parts() { return {plan, log_.get(), &log_->schemas(), nullptr, nullptr}; }

  // Records with these numbers, one batch.
  void append(int32_t partition, int64_t from, int64_t count) {
    Strings values;
    for (int64_t n = from; n < from + count; ++n) values.push_back(value(n));
    flow::contract_append(*log_, "in", partition, values);
  }
  std::string value(int64_t n) const {
    std::string bytes;
    avro::append_single_object_header(plan->stages[0].input->fingerprint(), bytes);
    REQUIRE(avro::from_json(plan->stages[0].input->root(), fmt::format(R"({{"id":{}}})", n),
                            avro::JsonStyle::plain, bytes)
                .has_value());
    return bytes;
  }
  Strings values(int64_t count) const {
    Strings all;
    for (int64_t n = 0; n < count; ++n) all.push_back(value(n));
    std::ranges::sort(all);
    return all;
  }
  Strings out() {
    Strings all = flow::contract_read(*log_, "out", 0);
    std::ranges::sort(all);
    return all;
  }

  log::TempFolder folder;
  std::shared_ptr<plan::Plan> plan = copying();

 private:
  SystemClock clock_;
  std::unique_ptr<log::EmbeddedLog> log_;
};

void wait_until(const char* what, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + flow::kContractWait;
  while (!done()) {
    INFO("waiting for: ", what);
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // poll: done()
  }
}

Runner::Rest rest_of(Runner& runner) {
  auto rest = runner.rest();
  REQUIRE(rest.has_value());
  return *rest;
}

void wait_until_over(Runner& runner) {
  wait_until("rest", [&] { return rest_of(runner).over; });
}

// Flips a bit of the chunk that begins with the first record of a partition of `in`.
void damage_first_chunk(const std::string& folder, int32_t partition) {
  auto db = log::Db::open(folder, false);
  REQUIRE(db);
  const std::string key = log::chunk_key({1, partition, {0}});
  log::Value value;
  REQUIRE(*(*db)->get(log::Family::chunks, key, value));
  std::string bytes(value.bytes());
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  log::DbBatch batch;
  batch.put(log::Family::chunks, key, bytes);
  REQUIRE((*db)->write(batch, true));
}

TEST_CASE("workers copy all, rest, and drain; who comes later finds nothing to do") {
  Place place;
  place.append(0, 0, 300);
  place.append(1, 300, 200);
  {
    auto runner = place.start(2);
    wait_until_over(*runner);
    CHECK(rest_of(*runner).standing.empty());
    CHECK(*runner->idle());
    CHECK(!runner->failure());
    CHECK(place.out() == place.values(500));
    place.append(1, 500, 10);
    CHECK(!*runner->idle());
    wait_until_over(*runner);
    runner->drain();
    for (const WorkerSnapshot& one : runner->workers()) {
      CHECK(one.stage == "copy");
      CHECK(one.state == engine::WorkerState::drained);
    }
  }
  auto again = place.start();
  wait_until_over(*again);
  CHECK(again->workers()[0].counters.records == 0);
  CHECK(place.out() == place.values(510));
}

TEST_CASE("a runner that is destroyed as it is loses and repeats nothing") {
  Place place;
  for (int64_t round = 0; round < 20; ++round) {
    place.append(static_cast<int32_t>(round % 2), round * 50, 50);
    const auto runner = place.start(1 + static_cast<int>(round % 3));
    wait_until("something done", [&] {
      return std::ranges::any_of(runner->workers(),
                                 [](const auto& one) { return one.counters.records > 0; });
    });
  }
  auto last = place.start();
  wait_until_over(*last);
  CHECK(place.out() == place.values(1000));
}

TEST_CASE("too many dead letters: the stage stops, says so, and is no idle one") {
  Place place;
  place.plan->dead_letters.stop_share = 0.2;
  flow::contract_append(place.log(), "in", 0, flow::contract_values("no datum ", 200));
  auto runner = place.start();
  wait_until("the stop",
             [&] { return runner->workers()[0].state == engine::WorkerState::stopped; });
  CHECK(runner->describe() == "copy: stopped\n");
  place.append(1, 0, 10);
  CHECK(!*runner->idle());
  CHECK(!rest_of(*runner).over);
  CHECK(place.out().empty());
  runner->drain();
  CHECK(runner->workers()[0].state == engine::WorkerState::drained);
}

TEST_CASE("damage stops its own partition, and rest tells which when all else is read") {
  Place place;
  place.append(0, 0, 100);
  place.append(1, 0, 100);
  place.close();
  damage_first_chunk(place.folder.path(), 0);
  place.open();
  auto runner = place.start();
  wait_until_over(*runner);
  const Runner::Rest rest = rest_of(*runner);
  REQUIRE(rest.standing.size() == 1);
  CHECK(rest.standing[0].starts_with("copy: L003 topic \"in\", partition 0, offset 0: "));
  CHECK(!*runner->idle());
  CHECK(!runner->failure());
  CHECK(place.out() == place.values(100));
  CHECK(runner->describe().starts_with("copy: waiting: L003 "));
  // The others go on, also later.
  place.append(1, 100, 50);
  wait_until("what came later", [&] { return place.out().size() == 150; });
  runner->drain();
  const auto groups = place.log().groups();
  REQUIRE(groups.has_value());
  for (const auto& one : groups->at(0).positions)
    CHECK(one.next == Offset{one.partition == 0 ? 0 : 150});
}

TEST_CASE("what cannot be made is told at the start") {
  Place place;
  Parts parts = place.parts();
  auto plan = copying();
  plan->topics[0].name = "nowhere";  // planned, but never made in the log
  plan->stages[0].from = {"nowhere"};
  parts.plan = plan;
  SystemClock clock;
  const auto runner = Runner::start(parts, {}, clock);
  REQUIRE(!runner.has_value());
  CHECK(runner.error().code == "L004"_code);
}

TEST_CASE("workers come and go while records flow, and each record goes once") {
  Place place;
  SystemClock clock;
  auto started = Runner::start(place.parts(), {.stage = {}, .at_min = true}, clock);
  REQUIRE(started.has_value());
  Runner& runner = **started;
  CHECK(runner.runs("copy"));
  CHECK_FALSE(runner.runs("another"));
  CHECK(runner.workers().empty());  // the stage's min
  int64_t next = 0;
  for (const int32_t count : {1, 3, 2, 0, 2, 1}) {
    place.append(0, next, 500);
    place.append(1, next + 500, 500);
    next += 1000;
    REQUIRE(runner.set_workers("copy", count).has_value());
    wait_until("as many workers as were asked for", [&] {
      REQUIRE(runner.set_workers("copy", count).has_value());
      return runner.workers().size() == static_cast<size_t>(count);
    });
  }
  wait_until_over(runner);
  CHECK(runner.drain());
  CHECK(place.out() == place.values(next));
}

TEST_CASE("a drain is also one of the workers that were on their way out") {
  Place place;
  place.append(0, 0, 1000);
  auto runner = place.start(2);
  REQUIRE(runner->set_workers("copy", 0).has_value());
  CHECK(runner->drain());
  for (const WorkerSnapshot& one : runner->workers())
    CHECK(one.state == engine::WorkerState::drained);
}

TEST_CASE("only the stage that was asked for runs") {
  Place place;
  SystemClock clock;
  const auto none = Runner::start(place.parts(), {.stage = "another"}, clock);
  REQUIRE(none.has_value());
  CHECK((*none)->workers().empty());
}

}  // namespace
}  // namespace penstock::ops
