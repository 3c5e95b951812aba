#include "scale/estimate.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace penstock::scale {
namespace {

// A stage whose workers do so much each, looked at every five seconds.
struct Stage {
  Estimator estimator{EstimatorSettings{.epoch_millis = 200}};
  int64_t now = 0;
  int64_t produced = 0, committed = 0;

  void run(int seconds, int64_t rate, int32_t workers, int64_t speed, int64_t store = 1'000'000) {
    for (int i = 0; i < seconds; i += 5) {
      now += 5'000;
      produced += 5 * rate;
      committed = std::min(produced, committed + 5 * std::min(workers * speed, store));
      estimator.observe({{now}, produced, committed, workers});
    }
  }
};

}  // namespace

TEST_CASE("the rate, the backlog without what is merely not committed, and the speed") {
  Stage stage;
  stage.run(5, 0, 0, 0);
  CHECK(stage.estimator.estimate().rate_per_second == 0);
  stage.run(60, 1200, 0, 0);
  Estimate now = stage.estimator.estimate();
  CHECK(now.rate_per_second == doctest::Approx(1200));
  CHECK(now.backlog == 72'000 - 240);
  CHECK(now.lag == 72'000);
  CHECK_FALSE(now.speed_per_worker);
  stage.run(30, 1200, 1, 1000);
  now = stage.estimator.estimate();
  CHECK(*now.speed_per_worker == doctest::Approx(1000));
  CHECK(now.last_input->value == stage.now);
}

TEST_CASE("a worker that keeps up tells nothing of its speed") {
  Stage stage;
  stage.run(300, 500, 2, 1000);
  CHECK_FALSE(stage.estimator.estimate().speed_per_worker);
}

TEST_CASE("a stretch in which the workers had nothing to do in between is no measure") {
  Stage stage;
  for (int i = 0; i < 60; ++i) {
    stage.run(5, 3000, 1, 1000);
    stage.run(5, 0, 1, 2000);
  }
  CHECK_FALSE(stage.estimator.estimate().speed_per_worker);
}

TEST_CASE("the best of the window counts; a slow stretch takes nothing from it") {
  Stage stage;
  stage.run(60, 5000, 1, 1000);
  stage.run(60, 5000, 1, 200);
  CHECK(*stage.estimator.estimate().speed_per_worker == doctest::Approx(1000));
  stage.run(600, 5000, 1, 200);  // ten minutes later that is its speed
  CHECK(*stage.estimator.estimate().speed_per_worker == doctest::Approx(200));
  stage.run(700, 0, 0, 0);  // nobody measures: what was known stays known
  CHECK(*stage.estimator.estimate().speed_per_worker == doctest::Approx(200));
}

TEST_CASE("a stretch in which the workers changed is no measure") {
  Stage stage;
  stage.run(30, 9000, 1, 1000);
  for (int i = 0; i < 20; ++i) stage.run(5, 9000, 2 + i % 2, 3000);
  CHECK(*stage.estimator.estimate().speed_per_worker == doctest::Approx(1000));
}

TEST_CASE("more workers that get no more done are of no use") {
  Stage stage;
  stage.run(60, 9000, 2, 1000, 2000);
  CHECK_FALSE(stage.estimator.estimate().useful_workers);
  stage.run(60, 9000, 4, 1000, 2000);
  CHECK(stage.estimator.estimate().useful_workers == 2);
  Stage free;
  free.run(60, 9000, 2, 1000);
  free.run(60, 9000, 4, 1000);
  CHECK_FALSE(free.estimator.estimate().useful_workers);
  stage.run(600, 9000, 2, 1000, 2000);  // after ten minutes it may be tried again
  CHECK_FALSE(stage.estimator.estimate().useful_workers);
}

TEST_CASE("long epochs are measured from commit to commit, over three of them") {
  Estimator estimator({.epoch_millis = 30'000});
  int64_t committed = 0;
  for (int64_t now = 0; now <= 900'000; now += 7'000) {
    committed = now / 30'000 * 30'000;  // 1,000/s, told every 30 s, looked at every 7
    estimator.observe({{now}, 10 * now + 1'000'000, committed, 1});
    const auto speed = estimator.estimate().speed_per_worker;
    if (now < 90'000) CHECK_FALSE(speed);
    if (now > 150'000) CHECK(*speed >= 930);
    if (speed) CHECK(*speed <= 1090);
  }
}

TEST_CASE("workers that commit nothing have no speed") {
  Stage stage;
  stage.run(120, 1000, 2, 0);
  CHECK(*stage.estimator.estimate().speed_per_worker == 0);
}

TEST_CASE("a topic made anew begins the learning again") {
  Stage stage;
  stage.run(60, 5000, 1, 1000);
  stage.produced = stage.committed = 0;
  stage.run(5, 0, 1, 1000);
  CHECK_FALSE(stage.estimator.estimate().speed_per_worker);
  CHECK(stage.estimator.estimate().rate_per_second == 0);
}

}  // namespace penstock::scale
