#include "engine/rate_gate.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace penstock::engine {
namespace {

// Takes all that is allowed, every `step_millis`.
uint64_t taken(RateGate& gate, int64_t from, int64_t to, int64_t step_millis) {
  uint64_t sum = 0;
  for (int64_t now = from; now < to; now += step_millis) {
    gate.tick({now});
    sum += gate.allowed();
    gate.took(gate.allowed());
  }
  return sum;
}

}  // namespace

TEST_CASE("so many a second, however often it is asked") {
  for (const uint64_t rate : {1U, 7U, 100U, 1000U, 50'000U}) {
    for (const int64_t step : {1, 3, 20, 50, 100}) {
      RateGate gate(rate);
      const uint64_t sum = taken(gate, 0, 60'000, step);
      CHECK(sum <= 60 * rate);
      CHECK(sum + rate / 8 + 1 >= 60 * rate);
    }
  }
}

TEST_CASE("no limit is no limit") {
  RateGate gate(0);
  gate.tick({1});
  gate.took(1'000'000);
  CHECK(gate.allowed() == UINT32_MAX);
  CHECK(gate.opens_at() == kNever);
}

TEST_CASE("a quiet minute is good for a tenth of a second, not for a flood") {
  RateGate gate(1000);
  gate.tick({0});
  gate.tick({60'000});
  CHECK(gate.allowed() == 101);
}

TEST_CASE("it says when it opens, and a batch that was too large is paid back") {
  RateGate gate(1000);
  gate.tick({0});
  CHECK(gate.allowed() == 0);
  CHECK(gate.opens_at() == Millis{20});
  gate.tick({20});
  CHECK(gate.allowed() == 20);
  gate.took(520);
  CHECK(gate.opens_at() == Millis{540});
  gate.tick({539});
  CHECK(gate.allowed() == 0);
  gate.tick({540});
  CHECK(gate.allowed() == 20);
  RateGate slow(3);
  slow.tick({0});
  CHECK(slow.opens_at() == Millis{334});
  slow.tick({334});
  CHECK(slow.allowed() == 1);
}

TEST_CASE("a time that is set back stops nothing") {
  RateGate gate(1000);
  gate.tick({1'000'000});
  gate.tick({0});
  CHECK(taken(gate, 0, 10'000, 10) >= 9'900);
}

}  // namespace penstock::engine
