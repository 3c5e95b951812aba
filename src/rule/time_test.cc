#include "rule/time.h"

#include <doctest/doctest.h>

#include <cstdint>

namespace penstock::rule {
namespace {

TEST_CASE("units before 1970 and the very least of them become whole seconds and nanos") {
  CHECK(time_of_units(-1, 1'000) == Time{-1, 999'000'000});
  CHECK(time_of_units(-1'000, 1'000) == Time{-1, 0});
  CHECK(time_of_units(INT64_MIN, 1'000'000) == Time{-9'223'372'036'855, 224'192'000});
  CHECK(time_of_units(INT64_MIN, 1) == Time{INT64_MIN, 0});
  CHECK(time_of_units(INT64_MAX, 1'000) == Time{9'223'372'036'854'775, 807'000'000});
}

TEST_CASE("units that fit come back, others do not") {
  for (const int64_t units : {INT64_MIN, int64_t{-1}, int64_t{0}, INT64_MAX})
    CHECK(units_of_time(time_of_units(units, 1'000'000), 1'000'000) == units);
  CHECK(units_of_time({kMaxSeconds, 0}, kNanosPerSecond) == std::nullopt);
}

TEST_CASE("the least of all durations is added, or is out of range") {
  CHECK(add({0, 0}, INT64_MIN) == Time{-9'223'372'037, 145'224'192});
  CHECK(add({kMinSeconds, 0}, INT64_MIN) == std::nullopt);
}

}  // namespace
}  // namespace penstock::rule
