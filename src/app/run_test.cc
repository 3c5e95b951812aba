// The verbs as a user has them, on a small pipeline in a folder of its own: send, run until idle,
// look.
#include "app/case_runner.h"
#include "app/host.h"
#include "app/load.h"
#include "app/verbs.h"
#include "log/embedded/db.h"
#include "log/embedded/records.h"
#include "log/embedded/temp_folder.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace penstock::app {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* kPipeline = R"(pipeline: p
version: 1
schemas: {event: event.avsc}
topics: {events: {schema: event, key: id, partitions: 2}}
stages:
  keep:
    from: events
    steps:
      - reject: {when: value < 0.0, reason: negative}
      - set: {doubled: value * 2.0}
    to: values
stores: {values: {sqlite: events, upsert_on: id}}
dead_letters: {stop_above: 20% over 1m}
)";

struct Heard final : ops::Output {
  void out(std::string_view text) override { data += text; }
  void note(std::string_view text) override { notes += text; }
  bool gone() override { return false; }
  std::string data, notes;
};

bool has(const std::string& text, std::string_view piece) {
  return text.find(piece) != std::string::npos;
}

class Pipeline {
 public:
  explicit Pipeline(const std::string& tests = {}) {
    write("event.avsc", R"({"type": "record", "name": "Event", "fields": [
      {"name": "id", "type": "string"}, {"name": "value", "type": "double"}]})");
    write("pipeline.yaml", kPipeline + tests);
  }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }

  Options options(const std::string& verb, Strings inputs = {}) const {
    Options options;
    options.verb = verb;
    options.files = {path("pipeline.yaml")};
    options.data_dir = path("data");
    options.inputs = std::move(inputs);
    return options;
  }
  // Sends `count` records with this value.
  void send_values(int count, const std::string& value) const {
    std::string csv = "id,value\n";
    for (int i = 0; i < count; ++i) csv += fmt::format("{}x{},{}\n", i, value, value);
    write("events.csv", csv);
    Options options = this->options("send", {path("events.csv")});
    options.to = "events";
    Heard heard;
    const auto code = send(options, heard);
    INFO(heard.notes);
    REQUIRE(code.has_value());
    REQUIRE(*code == 0);
  }
  Result<int> run_until_idle() const {
    Options options = this->options("run");
    options.until_idle = true;
    Heard heard;
    return run(options, heard);
  }
  std::string look(Options options) const {
    Heard heard;
    const auto code = look_verb(options, heard);
    INFO(heard.notes);
    REQUIRE(code.has_value());
    CHECK(*code == 0);
    return heard.data;
  }

  // Flips a bit of the first chunk of a partition of the first topic.
  void damage(int32_t partition) const {
    auto db = log::Db::open(path("data/log"), false);
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

 private:
  log::TempFolder folder_;
};

TEST_CASE("run until idle: all is in the store, and looking adds up") {
  const Pipeline pipeline;
  pipeline.send_values(50, "1.5");
  pipeline.send_values(5, "-1");
  const auto code = pipeline.run_until_idle();
  REQUIRE(code.has_value());
  CHECK(*code == 0);

  Options status = pipeline.options("status");
  CHECK(has(pipeline.look(status), "store values: 50 rows\n"));
  status.format = Format::json;
  const std::string json = pipeline.look(status);
  CHECK(has(json, R"("running":false)"));
  CHECK(has(json, R"("in":55)"));
  CHECK(has(json, R"("dead":5)"));
  CHECK(has(pipeline.look(pipeline.options("lag")), "lag in all: 0\n"));
  CHECK(has(pipeline.look(pipeline.options("dead")), "dead.keep: 5 dead letters\n"));
  const std::string verified = pipeline.look(pipeline.options("verify"));
  CHECK(has(verified, "every record is accounted for\n"));
  CHECK(!has(verified, "in 0 = position"));  // partitions only where they are asked for, or wrong
  Options wide = pipeline.options("verify");
  wide.format = Format::wide;
  CHECK(has(pipeline.look(wide), "= position"));

  Options failing = pipeline.options("run");
  failing.until_idle = failing.fail_on_dead = true;
  Heard heard;
  const auto dead = run(failing, heard);
  REQUIRE(dead.has_value());
  CHECK(*dead == 1);
}

TEST_CASE("tail shows the newest records of topics and rows of stores") {
  const Pipeline pipeline;
  pipeline.send_values(30, "2");
  REQUIRE(pipeline.run_until_idle().has_value());

  Options options = pipeline.options("tail", {"events"});
  options.limit = 4;
  const std::string lines = pipeline.look(options);
  CHECK(std::ranges::count(lines, '\n') == 4);
  CHECK(has(lines, R"("value":2)"));
  options.format = Format::json;
  const std::string json = pipeline.look(options);
  CHECK(std::ranges::count(json, '\n') == 4);
  CHECK(has(json, R"("topic":"events")"));
  options.limit = 1000;
  CHECK(std::ranges::count(pipeline.look(options), '\n') == 30);
  options.inputs = {"values"};
  options.limit = 3;
  const std::string rows = pipeline.look(options);
  CHECK(std::ranges::count(rows, '\n') == 3);
  CHECK(has(rows, R"("doubled":4)"));

  Heard heard;
  const auto wrong = look_verb(pipeline.options("tail", {"event"}), heard);
  REQUIRE(!wrong.has_value());
  CHECK(wrong.error().code == "U002"_code);
  CHECK(has(wrong.error().note, "events"));
}

TEST_CASE("a stage that stopped ends run --until-idle with 1, and status shows it") {
  const Pipeline pipeline;
  pipeline.send_values(200, "-1");
  const auto code = pipeline.run_until_idle();
  REQUIRE(!code.has_value());
  CHECK(code.error().code == "V004"_code);
  CHECK(exit_code(code.error()) == 1);
  CHECK(has(code.error().message, "keep.values"));

  pipeline.send_values(150, "-2");
  Heard loading;
  const auto plan = load(pipeline.options("run"), loading);
  REQUIRE(plan.has_value());
  auto host = Host::open(*plan, pipeline.path("data"));
  REQUIRE(host.has_value());
  REQUIRE((*host)->run_stages({}).has_value());
  const auto stopped = [&] {
    return (*host)->runner()->workers()[0].state == engine::WorkerState::stopped;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!stopped() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // poll: stopped()
  Heard heard;
  const auto status = (*host)->serve(pipeline.options("status"), heard);
  REQUIRE(status.has_value());
  CHECK(has(heard.data, "keep.values: stopped\n"));
  Options as_json = pipeline.options("status");
  as_json.format = Format::json;
  Heard machine;
  REQUIRE((*host)->serve(as_json, machine).has_value());
  CHECK(has(machine.data, R"("running":true)"));
  CHECK(has(machine.data, R"({"stage":"keep.values","state":"stopped","waits_for":null)"));
  (*host)->runner()->drain();
}

TEST_CASE("others may ask for the workers while the stages are being started") {
  const Pipeline pipeline;
  pipeline.send_values(20, "1");
  Heard loading;
  const auto plan = load(pipeline.options("run"), loading);
  REQUIRE(plan.has_value());
  auto host = Host::open(*plan, pipeline.path("data"));
  REQUIRE(host.has_value());
  std::atomic<bool> over = false;
  std::jthread asks([&] {
    Heard heard;
    while (!over) {
      (*host)->workers();
      (void)(*host)->serve(pipeline.options("status"), heard);
    }
  });
  CHECK((*host)->run_stages({.stage = "", .workers = 2}).has_value());
  const auto both = [&] { return (*host)->workers().size() == 2; };
  CHECK(both());
  over = true;
  asks.join();
  (*host)->runner()->drain();
}

TEST_CASE("damage: run --until-idle reads all else, ends with 1 and says what stands still") {
  const Pipeline pipeline;
  pipeline.send_values(60, "1");
  pipeline.damage(1);
  const auto code = pipeline.run_until_idle();
  REQUIRE(!code.has_value());
  CHECK(code.error().code == "V005"_code);
  CHECK(exit_code(code.error()) == 1);
  CHECK(has(code.error().message, "topic \"events\", partition 1, offset 0"));
  const std::string lag = pipeline.look(pipeline.options("lag"));
  Options status = pipeline.options("status");
  status.format = Format::json;
  const std::string json = pipeline.look(status);
  CHECK(!has(json, R"("in":0,)"));
  CHECK(!has(json, R"("in":60,)"));
  // A second start stands still at the same place.
  const auto again = pipeline.run_until_idle();
  REQUIRE(!again.has_value());
  CHECK(again.error().message == code.error().message);
  CHECK(pipeline.look(pipeline.options("lag")) == lag);
}

TEST_CASE("a case that passes, one that differs, and one that is wrong") {
  const Pipeline pipeline(R"(tests:
  - name: passes
    stage: keep
    given: {events: [{id: a, value: 1.5}, {id: b, value: -1.0}]}
    expect: {values: [{id: a, doubled: 3.0}], dead.keep: [{reason: negative}]}
  - name: differs
    stage: keep
    given: {events: [{id: a, value: 1.5}]}
    expect: {values: [{id: a, doubled: 4.0}]}
  - name: forgets a dead letter
    stage: keep
    given: {events: [{id: b, value: -1.0}]}
    expect: {values: []}
  - name: gives no record
    stage: keep
    given: {events: [{id: a, value: much}]}
    expect: {values: []}
)");
  Heard heard;
  const auto loaded = load(pipeline.options("run"), heard);
  INFO(heard.notes);
  REQUIRE(loaded.has_value());
  const std::shared_ptr<const plan::Plan> plan = *loaded;
  REQUIRE(plan->tests.size() == 4);

  const auto passes = run_case(plan, plan->tests[0]);
  REQUIRE(passes.has_value());
  CHECK(passes->passed);
  CHECK(passes->differences.empty());

  const auto differs = run_case(plan, plan->tests[1]);
  REQUIRE(differs.has_value());
  CHECK(!differs->passed);
  REQUIRE(differs->differences.size() == 2);
  CHECK(has(differs->differences[0], "values: expected, but not there"));
  CHECK(has(differs->differences[1], R"("doubled":3.0)"));

  const auto forgets = run_case(plan, plan->tests[2]);
  REQUIRE(forgets.has_value());
  CHECK(!forgets->passed);
  REQUIRE(forgets->differences.size() == 1);
  CHECK(has(forgets->differences[0], "dead.keep: not expected"));

  const auto no_record = run_case(plan, plan->tests[3]);
  REQUIRE(!no_record.has_value());
  CHECK(no_record.error().place.line == 29);
}

}  // namespace
}  // namespace penstock::app
