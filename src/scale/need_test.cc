#include "scale/need.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace penstock::scale {
namespace {

Estimate load(int64_t at_millis, double rate, int64_t backlog, int32_t workers,
              std::optional<double> speed = 1000) {
  Estimate now;
  now.at = {at_millis};
  now.rate_per_second = rate;
  now.backlog = now.lag = backlog;
  now.speed_per_worker = speed;
  now.workers = workers;
  if (rate > 0) now.last_input = now.at;
  return now;
}

}  // namespace

TEST_CASE("what comes in, and what waits within the catch-up time, by a worker's speed") {
  Need need({.partitions = 4, .max = 4});
  const Decision two = need.decide(load(0, 1200, 30'000, 1));
  CHECK(two.replicas == 2);
  CHECK(two.reason == "1,200/s come in, 30,000 wait; a worker does 1,000/s: 2");
  CHECK(Need({.partitions = 4, .max = 4}).decide(load(0, 900, 0, 1)).replicas == 1);
  CHECK(Need({.partitions = 4, .max = 4}).decide(load(0, 1200, 180'000, 1)).replicas == 4);
  CHECK(Need({.partitions = 4, .max = 4, .catch_up_millis = 600'000})
            .decide(load(0, 1200, 180'000, 1))
            .replicas == 2);
}

TEST_CASE("only numbers that share partitions out: of 5 the busiest of 3 and of 4 has 2") {
  CHECK(share_out(5, 3) == doctest::Approx(2.5));
  CHECK(share_out(5, 4) == doctest::Approx(2.5));
  const auto of_five = [](double rate, int32_t max) {
    return Need({.partitions = 5, .max = max}).decide(load(0, rate, 0, 1)).replicas;
  };
  CHECK(of_five(1700, 5) == 2);
  CHECK(of_five(1800, 5) == 3);  // the busiest of 2 has 3 of 5: together they do 1,667
  CHECK(of_five(2600, 5) == 3);
  CHECK(of_five(2700, 5) == 5);
  CHECK(of_five(9000, 4) == 3);  // a fourth would take nothing from the busiest
}

TEST_CASE("max, partitions and the store bound it, and the reason says which") {
  const Decision partitions = Need({.partitions = 2, .max = 5}).decide(load(0, 9000, 0, 1));
  CHECK(partitions.replicas == 2);
  CHECK(partitions.reason ==
        "9,000/s come in, nothing waits; a worker does 1,000/s: 2; there are no more partitions");
  const Decision max = Need({.partitions = 8, .max = 4}).decide(load(0, 9000, 0, 1));
  CHECK(max.replicas == 4);
  CHECK(max.reason.ends_with("max allows no more"));
  Estimate saturated = load(0, 9000, 0, 4);
  saturated.useful_workers = 2;
  const Decision store = Need({.partitions = 8, .max = 8}).decide(saturated);
  CHECK(store.replicas == 2);
  CHECK(store.reason.ends_with("(what they write to takes no more)"));
  CHECK(Need({.partitions = 8, .min = 3, .max = 8}).decide(load(0, 10, 0, 3)).replicas == 3);
}

TEST_CASE("up at once, down only after a minute in which fewer are enough") {
  Need need({.partitions = 6, .max = 6});
  CHECK(need.decide(load(0, 2900, 0, 1)).replicas == 3);
  for (int64_t at = 5'000; at < 65'000; at += 5'000) {
    const Decision held = need.decide(load(at, 500, 0, 3));
    CHECK(held.replicas == 3);
    CHECK(held.reason.ends_with("in which they are enough"));
  }
  CHECK(need.decide(load(65'000, 500, 0, 3)).replicas == 1);
  CHECK(need.decide(load(70'000, 2900, 0, 1)).replicas == 3);
}

TEST_CASE("a load at the border does not make it flap") {
  Need need({.partitions = 6, .max = 6});
  int changes = 0;
  int32_t before = 2;
  for (int64_t at = 0; at < 7'200'000; at += 5'000) {
    // 1,900 to 2,190 per second in waves of two minutes, around what two workers do
    const double wave = std::sin(static_cast<double>(at) / 120'000 * 2 * 3.14159265);
    const int32_t now = need.decide(load(at, 2045 + 145 * wave, 0, before)).replicas;
    changes += now != before;
    before = now;
  }
  CHECK(before == 3);
  CHECK(changes == 1);
}

TEST_CASE("0 exactly when nothing waits and nothing came for quiet_millis") {
  Need need({.partitions = 5, .max = 5, .quiet_millis = 300'000});
  CHECK(need.decide(load(0, 100, 0, 1)).replicas == 1);
  Estimate quiet = load(299'999, 0, 0, 1);
  quiet.last_input = Millis{0};
  CHECK(need.decide(quiet).replicas == 1);
  quiet.at = {300'000};
  quiet.lag = 1;
  CHECK(need.decide(quiet).replicas == 1);
  quiet.lag = 0;  // what waited until now was work until now
  CHECK(need.decide(quiet).replicas == 1);
  quiet.at = {600'000};
  CHECK(need.decide(quiet).replicas == 0);
  CHECK(need.decide(load(700'000, 0, 1, 0)).replicas == 1);
  CHECK(Need({.partitions = 5, .min = 1, .max = 5}).decide(load(0, 0, 0, 0)).replicas == 1);
}

TEST_CASE("started anew beside a stage: nobody there and nothing waiting is 0, else it waits") {
  CHECK(Need({.max = 5}).decide(load(0, 0, 0, 0)).replicas == 0);
  CHECK(Need({.max = 5}).decide(load(0, 0, 0, 1)).replicas == 1);
  Estimate blind = load(0, 0, 0, 0);
  blind.workers.reset();
  Need need({.partitions = 5, .max = 5, .quiet_millis = 300'000});
  CHECK(need.decide(blind).replicas == 1);
  blind.at = {300'000};
  CHECK(need.decide(blind).replicas == 0);
}

TEST_CASE("speed not known: the first worker, or those that are there, less while nothing waits") {
  Need fresh({.partitions = 5, .max = 5});
  CHECK(fresh.decide(load(0, 5000, 90'000, 0, std::nullopt)).replicas == 1);
  Need need({.partitions = 5, .max = 5});
  CHECK(need.decide(load(0, 5000, 90'000, 3, std::nullopt)).replicas == 3);
  for (int64_t at = 5'000; at < 65'000; at += 5'000) {
    CHECK(need.decide(load(at, 5000, 0, 3, std::nullopt)).replicas == 3);
  }
  CHECK(need.decide(load(65'000, 5000, 0, 3, std::nullopt)).replicas == 2);
  Need quiet({.partitions = 5, .max = 5});
  CHECK(quiet.decide(load(0, 500, 0, 3, std::nullopt)).replicas == 3);
  CHECK(quiet.decide(load(55'000, 500, 0, 3, std::nullopt)).replicas == 3);
  CHECK(quiet.decide(load(60'000, 500, 0, 3, std::nullopt)).replicas == 2);
}

TEST_CASE("workers that get nothing done are left alone") {
  Need need({.partitions = 5, .max = 5});
  const Decision stuck = need.decide(load(0, 100, 90'000, 2, 0.0));
  CHECK(stuck.replicas == 2);
  CHECK(stuck.reason.ends_with("more would not help"));
}

TEST_CASE("what the HPA would not hear is asked for louder") {
  const Decision loud = Need({.partitions = 100, .max = 100}).decide(load(0, 12'900, 0, 12));
  CHECK(loud.replicas == 14);  // 13 / 12 is within a tenth
  CHECK(loud.reason.find("a worker does 1,000/s: 13; 14 are asked for") != std::string::npos);
  CHECK(Need({.partitions = 100, .max = 100, .deaf_share = 0})
            .decide(load(0, 12'900, 0, 12))
            .replicas == 13);
  // Up to max and past it, where the HPA cuts it off.
  CHECK(Need({.partitions = 11, .max = 11}).decide(load(0, 99'000, 0, 10)).replicas == 12);
  CHECK(Need({.partitions = 11, .max = 11}).decide(load(0, 99'000, 0, 11)).replicas == 11);
}

TEST_CASE("numbers as people write them") {
  CHECK(with_commas(0) == "0");
  CHECK(with_commas(999) == "999");
  CHECK(with_commas(1'000) == "1,000");
  CHECK(with_commas(-1'234'567) == "-1,234,567");
}

}  // namespace penstock::scale
