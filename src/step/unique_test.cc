#include "step/key_hash.h"
#include "step/step_fixture.h"

#include <doctest/doctest.h>

namespace penstock::step {
namespace {

constexpr std::string_view kTimed =
    R"({"type":"record","name":"Reading","fields":[{"name":"meter_id","type":"string"},)"
    R"({"name":"at","type":["null",{"type":"long","logicalType":"timestamp-millis"}]},)"
    R"({"name":"kwh","type":"double"}]})";

std::string reading(std::string_view meter, std::string_view at, double kwh = 1.0) {
  return fmt::format(R"({{"meter_id":"{}","at":{},"kwh":{:.1f}}})", meter, at, kwh);
}

const std::string kStep = "unique: {by: [meter_id, at], at: at, within: 1h}";

// A record's sender is its key: the fixture gives none, so that they are all of one.
constexpr std::string_view kFirst = "\"2026-01-01T00:00:00Z\"";
constexpr std::string_view kLater = "\"2026-01-01T01:00:00Z\"";
constexpr std::string_view kMuchLater = "\"2026-01-01T02:00:00.001Z\"";

}  // namespace

TEST_CASE("unique lets the first pass, within a batch and across batches") {
  Line line(kTimed);
  line.add(kStep);
  Trip first = line.run({reading("m1", kFirst), reading("m1", kFirst, 2.0), reading("m2", kFirst),
                         reading("m1", kLater)});
  CHECK(first.batch.live == std::vector<uint32_t>{0, 2, 3});
  CHECK(first.batch.rejects.empty());
  CHECK(line.absorbed() == 1);
  Trip second = line.run({reading("m2", kFirst), reading("m2", kLater), reading("m1", kLater)});
  CHECK(second.batch.live == std::vector<uint32_t>{1});
  CHECK(line.absorbed() == 3);
}

TEST_CASE("unique sets aside what is late and what has no time") {
  Line line(kTimed);
  line.add("drop: kwh > 100.0");
  line.add(kStep);
  Trip trip = line.run({reading("m1", kFirst), reading("m1", "null"), reading("m1", kMuchLater),
                        reading("m1", kFirst), reading("m2", kLater)});
  CHECK(trip.batch.live == std::vector<uint32_t>{0, 2});
  CHECK(trip.rejects() == Texts{"1 1 unique.no_time", "3 1 unique.late", "4 1 unique.late"});
  CHECK(trip.batch.rejects[2].detail == "\"at\" is 1 ms older than what is remembered");
  CHECK(line.absorbed() == 0);
}

TEST_CASE("unique's settings are checked where they stand") {
  Line line(kTimed);
  CHECK(line.error("unique: {by: meter, at: at, within: 1h}").starts_with("P301 1:14"));
  CHECK(line.error("unique: {by: meter_id, at: kwh, within: 1h}").starts_with("P309 1:28"));
  CHECK(line.error("unique: {by: meter_id, at: when, within: 1h}").starts_with("P301 1:28"));
  CHECK(line.error("unique: {by: meter_id, at: at, within: 0s}").starts_with("P026 1:40"));
  CHECK(line.error("unique: {by: meter_id, at: at, within: 1h, keys: 0}").starts_with("P026 1:50"));
  CHECK(line.error("unique: {by: meter_id, at: at, within: 1h, keys: 10}") == "none");
}

TEST_CASE("micros and nanos are floored to milliseconds, before 1970 too") {
  for (const std::string_view unit : {"micros", "nanos"}) {
    const int64_t per_milli = unit == "micros" ? 1'000 : 1'000'000;
    Line line(
        fmt::format(R"({{"type":"record","name":"R","fields":[{{"name":"k","type":"string"}},)"
                    R"({{"name":"t","type":{{"type":"long","logicalType":"timestamp-{}"}}}}]}})",
                    unit));
    line.add("unique: {by: k, at: t, within: 1ms}");
    const auto at = [&](std::string_view key, int64_t time) {
      return fmt::format(R"({{"k":"{}","t":{}}})", key, time);
    };
    Trip trip = line.run({at("a", 0), at("b", -per_milli), at("c", -per_milli - 1)});
    CHECK(trip.rejects() == Texts{"2 0 unique.late"});
  }
}

TEST_CASE("equal values have equal bytes, and others others") {
  double numbers[] = {0.0, -0.0, 1.0};
  row::Column column;
  column.kind = row::Kind::float64;
  column.float64s = numbers;
  std::string zero, minus, one;
  append_canonical(column, 0, zero);
  append_canonical(column, 1, minus);
  append_canonical(column, 2, one);
  CHECK(zero == minus);
  CHECK(zero != one);
  ByteView texts[] = {"ab", "c", "a", "bc", ""};
  uint8_t nulls[] = {0, 0, 0, 0, 1};
  column.kind = row::Kind::string;
  column.views = texts;
  column.nulls = nulls;
  std::string left, right, null, empty;
  append_canonical(column, 0, left);
  append_canonical(column, 1, left);
  append_canonical(column, 2, right);
  append_canonical(column, 3, right);
  append_canonical(column, 4, null);
  nulls[4] = 0;
  append_canonical(column, 4, empty);
  CHECK(left != right);
  CHECK(null != empty);
  // XXH3 of these bytes, for good: it lies in state.
  CHECK(hash_of("penstock") == Hash128{0x763ffab4001f7bdf, 0xc6932a2f07b073d6});
}

}  // namespace penstock::step
