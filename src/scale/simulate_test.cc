#include "scale/simulate.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace penstock::scale {
namespace {

using Step = StageOutcome::Step;

// One stage on one topic, with the article's figures.
Model one_stage(int32_t partitions, double speed) {
  Model model;
  model.topics = {{.name = "in", .partitions = partitions, .entry = true}};
  StageModel stage;
  stage.id = "stage";
  stage.from = {0};
  stage.speed_per_worker = speed;
  stage.object = {.min = 0, .max = partitions};
  model.stages = {stage};
  return model;
}

Load steady(double rate, int64_t seconds) {
  return {.steps = {{{0}, 0}, {{10'000}, rate}, {{10'000 + seconds * 1000}, 0}}};
}

// "30:1 37.5:4": seconds and replicas.
std::string text_of(const StageOutcome& stage) {
  std::string text;
  for (const Step& step : stage.steps) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ",
                        static_cast<double>(step.at.value) / 1000, step.replicas);
  }
  return text;
}

int32_t replicas_at(const StageOutcome& stage, int64_t millis) {
  int32_t replicas = 0;
  for (const Step& step : stage.steps) {
    if (step.at.value <= millis) replicas = step.replicas;
  }
  return replicas;
}

}  // namespace

TEST_CASE("0 to 1 waits for KEDA's poll, then the HPA goes 4, 5; 0 only after the cooldown") {
  // The load begins at 10 s, the polls are every 30; without behavior at most 4 per sync from 1.
  // Lag never falls below what an epoch leaves, 800: 5 to the end, which is at 610 s. The HPA goes
  // to 1 when 300 s are over for it, KEDA to 0 more than 300 s after its last active poll.
  const Outcome outcome = simulate(one_stage(5, 10'000), steady(8000, 600), Policy::lag);
  CHECK(outcome.drained);
  CHECK(outcome.left == 0);
  CHECK(text_of(outcome.stages[0]) == "0:0 30:1 37.5:4 52.5:5 922.5:1 930:0");
}

TEST_CASE("the polling interval delays the wake-up, and with it the delay grows") {
  for (const int64_t poll : {5'000, 30'000, 60'000}) {
    Model model = one_stage(5, 1000);
    model.stages[0].object.poll_millis = poll;
    model.stages[0].keda_phase_millis = 2'000;
    const Outcome outcome = simulate(model, steady(800, 600), Policy::lag);
    const Millis woken = outcome.stages[0].steps[1].at;
    CHECK(woken.value > 10'000);
    CHECK(woken.value <= 10'000 + poll);
    CHECK((woken.value - 2'000) % poll == 0);
    CHECK(outcome.stages[0].delay_max_seconds >= static_cast<double>(woken.value - 10'000) / 1000);
  }
}

TEST_CASE("as many as partitions and no more, whatever waits") {
  const Outcome outcome = simulate(one_stage(3, 100), steady(5000, 300), Policy::lag);
  CHECK(outcome.stages[0].replicas_max == 3);
  Model more = one_stage(3, 100);
  more.stages[0].object.max = 50;  // the trigger caps, too
  CHECK(simulate(more, steady(5000, 300), Policy::lag).stages[0].replicas_max == 3);
}

TEST_CASE("from 11 partitions on it stalls at one less, however much more waits") {
  const auto highest = [](int32_t partitions) {
    Model model = one_stage(partitions, 0.0001);
    const double rate = (partitions - 1) * 10;  // in ten seconds as many thresholds as that
    const Load load{.steps = {{{0}, rate}, {{10'000}, 0}, {{600'000}, 1000}, {{1'800'000}, 0}}};
    const StageOutcome stage = simulate(model, load, Policy::lag).stages[0];
    CHECK(replicas_at(stage, 590'000) == partitions - 1);
    return replicas_at(stage, 1'800'000);
  };
  CHECK(highest(5) == 5);
  CHECK(highest(10) == 10);
  CHECK(highest(11) == 10);
  CHECK(highest(20) == 19);
}

TEST_CASE("who commits last + 1 keeps a worker for ever") {
  Model model = one_stage(5, 1000);
  model.stages[0].commits_last_plus_one = true;
  const Outcome outcome = simulate(model, steady(100, 60), Policy::lag);
  CHECK_FALSE(outcome.drained);
  CHECK(replicas_at(outcome.stages[0], outcome.end.value) == 1);
}

TEST_CASE("a topic that KEDA does not find never wakes a stage") {
  Model model = one_stage(5, 1000);
  model.topics[0].missing = true;
  const Outcome outcome = simulate(model, steady(100, 60), Policy::lag);
  CHECK(outcome.stages[0].replicas_max == 0);
  CHECK_FALSE(outcome.drained);
  CHECK(outcome.left == 6'000);
}

TEST_CASE("lag never falls below the rate times the epoch") {
  Model model = one_stage(5, 10'000);
  model.stages[0].epoch_millis = 200;
  Outcome outcome = simulate(model, steady(1000, 1800), Policy::lag);
  for (const Sample& sample : outcome.stages[0].samples) {
    if (sample.at > Millis{120'000} && sample.at < Millis{1'800'000}) CHECK(sample.lag >= 190);
  }
  model.stages[0].epoch_millis = 30'000;
  outcome = simulate(model, steady(1000, 1800), Policy::lag);
  CHECK(outcome.stages[0].delay_p99_seconds >= 25);
  CHECK(outcome.left == 0);
}

TEST_CASE("need: as many as the speed asks for, fewer pod hours at the same delay") {
  // Two are needed: five partitions on two workers are done as by 1.67. What an epoch leaves, 600
  // records, is six thresholds.
  const Model model = one_stage(5, 5000);
  const Load load = steady(6000, 3600);
  const Outcome lag = simulate(model, load, Policy::lag);
  const Outcome need = simulate(model, load, Policy::need);
  CHECK(lag.stages[0].replicas_max == 5);
  CHECK(need.drained);
  CHECK(replicas_at(need.stages[0], 1'800'000) == 2);
  CHECK(need.pod_hours_total() <= 0.6 * lag.pod_hours_total());
  CHECK(need.stages[0].delay_max_seconds < lag.stages[0].delay_max_seconds + 60);
  CHECK(need.stages[0].samples.back().replicas == 0);
}

TEST_CASE("need waits once before it takes pods away: KEDA's cooldown alone before 0") {
  const Load load = steady(6000, 600);  // until 610 s
  Model model = one_stage(5, 5000);
  const Outcome need = simulate(model, load, Policy::need);
  // Nothing came for 20 s; then KEDA's 300 s, counted from the last poll before, to the next one.
  const Step last = need.stages[0].steps.back();
  CHECK(last.replicas == 0);
  CHECK(last.at.value >= 630'000 + 300'000);
  CHECK(last.at.value <= 635'000 + 300'000 + 30'000);
  // One pod is left as soon as the autoscaler hears the 0.
  CHECK(replicas_at(need.stages[0], 660'000) == 1);
  model.cluster.down_stabilization_millis = 300'000;
  CHECK(replicas_at(simulate(model, load, Policy::need).stages[0], 660'000) == 2);
}

TEST_CASE("a stage's output is the next one's input, visible when it is committed") {
  Model model = one_stage(4, 1000);
  model.topics.push_back({.name = "out", .partitions = 4});
  model.stages[0].to = {1};
  model.stages[0].kept = 0.5;
  StageModel second = model.stages[0];
  second.id = "second";
  second.from = {1};
  second.to = {};
  model.stages.push_back(second);
  const Outcome outcome = simulate(model, steady(400, 600), Policy::lag);
  CHECK(outcome.drained);
  CHECK(outcome.stages[1].steps[1].at > outcome.stages[0].steps[1].at);
  CHECK(outcome.stages[1].lag_max > 0);
  CHECK(outcome.left == 0);
}

TEST_CASE("the next stage wakes for what is not committed yet, and can not read it") {
  Model model = one_stage(4, 1000);
  model.topics.push_back({.name = "out", .partitions = 4});
  model.stages[0].object.poll_millis = 5'000;
  StageModel second = model.stages[0];
  model.stages[0].to = {1};
  model.stages[0].epoch_millis = 30'000;
  second.id = "second";
  second.from = {1};
  model.stages.push_back(second);
  const Outcome outcome = simulate(model, steady(100, 600), Policy::lag);
  CHECK(outcome.drained);
  CHECK(outcome.stages[1].lag_max >= 2'500);
  CHECK(outcome.stages[1].delay_p99_seconds >= 25);
}

TEST_CASE("nodes take their time, and pods wait for them") {
  Model model = one_stage(4, 1000);
  model.cluster.pods = {.node_start_millis = 90'000, .pods_per_node = 2, .nodes_min = 0};
  const Outcome outcome = simulate(model, steady(800, 600), Policy::lag);
  const auto& samples = outcome.stages[0].samples;
  const auto working = std::ranges::find_if(samples, [](const auto& s) { return s.ready > 0; });
  REQUIRE(working != samples.end());
  CHECK(working->at >= Millis{30'000 + 90'000 + 5'000});
  CHECK(working->at <= Millis{30'000 + 90'000 + 7'000});
  CHECK(outcome.node_hours_total() > 0);
  CHECK(outcome.stages[0].delay_max_seconds >= 115);
}

TEST_CASE("what a store takes bounds all workers together, and need does not ask for more") {
  Model model = one_stage(8, 1000);
  model.stages[0].most_per_second = 2000;
  const Load load = steady(3000, 1200);
  const Outcome lag = simulate(model, load, Policy::lag);
  const Outcome need = simulate(model, load, Policy::need);
  CHECK(lag.stages[0].replicas_max == 8);
  CHECK(replicas_at(need.stages[0], 600'000) < 8);
  CHECK(need.pod_hours_total() < 0.7 * lag.pod_hours_total());
  CHECK(need.drained);
}

TEST_CASE("the same again is the same, and every record is done") {
  const Model model = one_stage(7, 333.3);
  Load load;
  for (int64_t i = 0; i < 50; ++i)
    load.steps.push_back({{i * 37'000}, static_cast<double>(i * 7919 % 1700)});
  for (const Policy policy : {Policy::lag, Policy::need}) {
    const Outcome one = simulate(model, load, policy);
    const Outcome two = simulate(model, load, policy);
    CHECK(one.stages[0].steps == two.stages[0].steps);
    CHECK(one.pod_hours == two.pod_hours);
    CHECK(one.drained);
    CHECK(one.left == 0);
  }
}

}  // namespace penstock::scale
