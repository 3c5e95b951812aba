#include "meter/meter_source.h"

#include "avro/json.h"
#include "meter/meter_fixture.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace penstock::meter {
namespace {

constexpr std::string_view kReading =
    R"({"type":"record","name":"Reading","fields":[{"name":"meter_id","type":"string"},)"
    R"({"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},)"
    R"({"name":"kwh","type":"double"},{"name":"kvarh","type":["null","double"]}]})";

constexpr int64_t kHour = 3'600'000;
constexpr Millis kThursday{1'767'225'600'000};  // 2026-01-01
constexpr Millis kSaturday{1'767'398'400'000};

MeterSourceSpec spec_of(std::string_view schema) {
  MeterSourceSpec spec;
  spec.producer = "field";
  spec.meters = {{"m1", false, 12.0}, {"b1", true, 80.0}, {"m2", false, 5.0}};
  spec.schema = schema_of(schema);
  return spec;
}

std::vector<std::string> json_of(MeterSourceSpec spec, int64_t next, size_t count) {
  FakeClock clock;
  const avro::SchemaPtr schema = spec.schema;
  spec.every_millis = 0;
  auto source = open_meters(std::move(spec), clock);
  REQUIRE_MESSAGE(source.has_value(), (source ? "" : one_line(source.error())));
  begin(**source, next);
  std::vector<std::string> all;
  for (const std::string& value : take(**source, count, 7)) {
    REQUIRE(value.size() > avro::kSingleObjectHeaderBytes);
    const auto json = avro::to_json(schema->root(),
                                    std::string_view(value).substr(avro::kSingleObjectHeaderBytes),
                                    avro::JsonStyle::plain);
    REQUIRE(json.has_value());
    all.push_back(*json);
  }
  return all;
}

bool starts(const std::string& text, std::string_view head) { return text.starts_with(head); }

double mean_kwh(bool business, Millis day, int from_hour, int to_hour) {
  double sum = 0.0;
  int count = 0;
  for (uint64_t index = 0; index < 200; ++index) {
    const Meter meter{"m", business, 10.0};
    for (int64_t at = from_hour * kHour; at < to_hour * kHour; at += kHour / 4, ++count)
      sum += reading_of(meter, 1, index, day + at, kHour / 4).kwh;
  }
  return sum / count;
}

}  // namespace

TEST_CASE("meters take turns, one interval after the other") {
  const auto all = json_of(spec_of(kReading), 0, 7);
  CHECK(starts(all[0], R"({"meter_id":"m1","at":"2026-01-01T00:00:00Z","kwh":)"));
  CHECK(starts(all[1], R"({"meter_id":"b1","at":"2026-01-01T00:00:00Z","kwh":)"));
  CHECK(starts(all[2], R"({"meter_id":"m2","at":"2026-01-01T00:00:00Z","kwh":)"));
  CHECK(starts(all[3], R"({"meter_id":"m1","at":"2026-01-01T00:15:00Z","kwh":)"));
  CHECK(starts(all[6], R"({"meter_id":"m1","at":"2026-01-01T00:30:00Z","kwh":)"));
}

TEST_CASE("a record depends on the seed and its offset alone") {
  const auto all = json_of(spec_of(kReading), 0, 40);
  for (const int64_t next : {0, 1, 17, 39}) {
    const auto rest = json_of(spec_of(kReading), next, 40 - static_cast<size_t>(next));
    CHECK(rest == std::vector<std::string>(all.begin() + next, all.end()));
  }
  MeterSourceSpec other = spec_of(kReading);
  other.seed = 2;
  CHECK(json_of(std::move(other), 0, 40) != all);
}

TEST_CASE("a reading is never more than the rated power allows, never less than nothing") {
  for (const bool business : {false, true}) {
    for (uint64_t index = 0; index < 50; ++index) {
      const Meter meter{"m", business, 10.0};
      for (int64_t i = 0; i < 7 * 96; ++i) {
        const Reading reading = reading_of(meter, 9, index, kThursday + i * kHour / 4, kHour / 4);
        REQUIRE((reading.kwh > 0.0 && reading.kwh <= 10.0 * 0.25));
        REQUIRE(std::abs(reading.kvarh) <= reading.kwh);
      }
    }
  }
}

TEST_CASE("households peak in the morning and the evening, businesses by day") {
  const double night = mean_kwh(false, kThursday, 2, 4), morning = mean_kwh(false, kThursday, 7, 8);
  const double noon = mean_kwh(false, kThursday, 12, 14);
  const double evening = mean_kwh(false, kThursday, 18, 21);
  CHECK(morning > 2 * night);
  CHECK(morning > 1.5 * noon);
  CHECK(evening > morning);
  CHECK(mean_kwh(true, kThursday, 10, 12) > 3 * mean_kwh(true, kThursday, 1, 3));
  CHECK(mean_kwh(true, kThursday, 10, 12) > 2 * mean_kwh(true, kSaturday, 10, 12));
  CHECK(mean_kwh(false, kSaturday, 6, 8) < morning);  // people sleep longer
}

TEST_CASE("times come in the unit of their field") {
  const auto first = [](std::string_view logical) {
    return json_of(spec_of(R"({"type":"record","name":"R","fields":[)"
                           R"({"name":"meter_id","type":"string"},{"name":"at","type":)"
                           R"({"type":"long","logicalType":")" +
                           std::string(logical) + R"("}},{"name":"kwh","type":"float"}]})"),
                   3, 1)
        .at(0);
  };
  for (const char* logical : {"timestamp-millis", "timestamp-micros", "timestamp-nanos"})
    CHECK_MESSAGE(first(logical).find(R"("at":"2026-01-01T00:15:00Z")") != std::string::npos,
                  logical);
  for (const char* logical :
       {"local-timestamp-millis", "local-timestamp-micros", "local-timestamp-nanos"})
    CHECK_MESSAGE(first(logical).find(R"("at":"2026-01-01T00:15:00")") != std::string::npos,
                  logical);
}

TEST_CASE("fields that a meter does not know: default, null, or something") {
  const auto all = json_of(
      spec_of(R"({"type":"record","name":"R","fields":[{"name":"meter_id","type":"long"},)"
              R"({"name":"kwh","type":["double","null"]},)"
              R"({"name":"unit","type":"string","default":"kWh"},)"
              R"({"name":"note","type":["string","null"]},)"
              R"({"name":"phase","type":{"type":"enum","name":"P","symbols":["a","b"]}}]})"),
      1, 1);
  CHECK(starts(all[0], R"({"meter_id":1,"kwh":)"));
  CHECK(all[0].find(R"("unit":"kWh","note":null,"phase":")") != std::string::npos);
}

TEST_CASE("topics that cannot hold readings are refused") {
  const FakeClock clock;
  const auto code = [&](std::string_view schema) {
    const auto source = open_meters(spec_of(schema), clock);
    REQUIRE_FALSE(source.has_value());
    return source.error().code;
  };
  const auto record = [](std::string_view fields) {
    return R"({"type":"record","name":"R","fields":[)" + std::string(fields) + "]}";
  };
  CHECK(code(record(R"({"name":"meter_id","type":"string"})")) == "M003"_code);
  CHECK(code(record(R"({"name":"kwh","type":"double"})")) == "M003"_code);
  CHECK(code(record(R"({"name":"meter_id","type":"string"},{"name":"kwh","type":"string"})")) ==
        "M003"_code);
  CHECK(code(record(R"({"name":"meter_id","type":"string"},{"name":"kwh","type":"double"},)"
                    R"({"name":"at","type":"string"})")) == "M003"_code);
  CHECK(code(record(R"({"name":"meter_id","type":"string"},{"name":"kwh","type":"double"},)"
                    R"({"name":"big","type":{"type":"fixed","name":"F","size":100000}})")) ==
        "M002"_code);
}

}  // namespace penstock::meter
