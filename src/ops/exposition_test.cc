#include "ops/exposition.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace penstock::ops {
namespace {

WorkerSnapshot running(std::string stage) {
  WorkerSnapshot worker;
  worker.stage = std::move(stage);
  worker.state = engine::WorkerState::running;
  worker.ever_assigned = true;
  worker.turned = {100'000};
  return worker;
}

TEST_CASE("ready: every worker was assigned once, and none is refused, stopped or failed") {
  std::vector<WorkerSnapshot> workers = {running("a"), running("b")};
  CHECK(ready(workers).holds);
  CHECK(ready({}).holds);
  SUBCASE("not assigned yet") {
    workers[1].ever_assigned = false;
    CHECK(ready(workers).text == "b: waits for its first assignment\n");
  }
  SUBCASE("assigned to nothing: more workers than partitions") {
    workers[1].state = engine::WorkerState::unassigned;
    CHECK(ready(workers).holds);
  }
  SUBCASE("refused, and why") {
    workers[0].refused = true;
    workers[0].error = fail("S001"_code, "no rights").take();
    CHECK(ready(workers).text == "a: was refused: S001 no rights\n");
  }
  SUBCASE("stopped and failed") {
    workers[0].state = engine::WorkerState::stopped;
    workers[1].state = engine::WorkerState::failed;
    const Verdict verdict = ready(workers);
    CHECK(!verdict.holds);
    CHECK(verdict.text == "a: stopped: too many dead letters\nb: can not go on\n");
  }
  SUBCASE("an outage leaves it ready: another pod could not do better") {
    workers[0].state = engine::WorkerState::waiting;
    workers[0].error = fail("S001"_code, "away").take();
    CHECK(ready(workers).holds);
  }
}

TEST_CASE("alive: the loops turn") {
  std::vector<WorkerSnapshot> workers = {running("a")};
  CHECK(alive(workers, {100'000 + kLoopMillisMax}).holds);
  const Verdict stuck = alive(workers, {100'001 + kLoopMillisMax});
  CHECK(!stuck.holds);
  CHECK(stuck.text == "a: has not turned for 30 s\n");
  workers[0].state = engine::WorkerState::drained;
  CHECK(alive(workers, {1'000'000}).holds);
}

TEST_CASE("metrics: labels are escaped, workers of a stage are numbered, buckets are cumulative") {
  std::vector<WorkerSnapshot> workers = {running("a"), running("a"), running("q\"uo\\te")};
  workers[1].counters.committed_records = 7;
  workers[1].counters.commit_durations.add(2);
  workers[1].counters.commit_durations.add(30);
  workers[1].counters.commit_durations.add(99'999);
  const std::string text = metrics_text(workers, {"p", "t", "1.0", {105'000}, {100'000}});
  const auto has = [&](const std::string& line) { return text.find(line) != std::string::npos; };
  CHECK(has("penstock_build_info{pipeline=\"p\",target=\"t\",version=\"1.0\"} 1\n"));
  CHECK(has("penstock_uptime_seconds 5\n"));
  CHECK(has("penstock_records_committed_total{stage=\"a\",worker=\"1\"} 7\n"));
  CHECK(has("stage=\"q\\\"uo\\\\te\",worker=\"0\""));
  CHECK(has("penstock_commit_duration_seconds_bucket{stage=\"a\",worker=\"1\",le=\"0.002\"} 1\n"));
  CHECK(has("penstock_commit_duration_seconds_bucket{stage=\"a\",worker=\"1\",le=\"0.025\"} 1\n"));
  CHECK(has("penstock_commit_duration_seconds_bucket{stage=\"a\",worker=\"1\",le=\"0.05\"} 2\n"));
  CHECK(has("penstock_commit_duration_seconds_bucket{stage=\"a\",worker=\"1\",le=\"+Inf\"} 3\n"));
  CHECK(has("penstock_commit_duration_seconds_count{stage=\"a\",worker=\"1\"} 3\n"));
  CHECK(has("penstock_loop_idle_seconds{stage=\"a\",worker=\"0\"} 5\n"));
}

TEST_CASE("figures of stores: a family for each name, a line for each store") {
  const std::vector<StoreFigures> stores = {
      {"latest", {{"write_units_total", "Units.", 2.5}, {"requests_total", "Requests.", 7}}},
      {"ware\"house", {{"write_units_total", "Units.", 4}}}};
  CHECK(store_metrics_text(stores) ==
        "# HELP penstock_store_requests_total Requests.\n"
        "# TYPE penstock_store_requests_total counter\n"
        "penstock_store_requests_total{store=\"latest\"} 7\n"
        "# HELP penstock_store_write_units_total Units.\n"
        "# TYPE penstock_store_write_units_total counter\n"
        "penstock_store_write_units_total{store=\"latest\"} 2.5\n"
        "penstock_store_write_units_total{store=\"ware\\\"house\"} 4\n");
  CHECK(store_metrics_text({}).empty());
}

}  // namespace
}  // namespace penstock::ops
