#include "avro/plan_fixture.h"

namespace penstock::avro {
namespace {

constexpr std::string_view kReading = R"({"type":"record","name":"Reading","fields":[
  {"name":"meter_id","type":"string"},
  {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
  {"name":"kwh","type":"double"},
  {"name":"voltage","type":"float"},
  {"name":"phase","type":{"type":"enum","name":"Phase","symbols":["A","B","C"]}},
  {"name":"status","type":["null","string"]},
  {"name":"note","type":["string","null"]},
  {"name":"ok","type":"boolean"},
  {"name":"quality","type":"int"},
  {"name":"mac","type":{"type":"fixed","name":"Mac","size":3}},
  {"name":"tags","type":{"type":"array","items":"string"}},
  {"name":"any","type":["long","string"]}]})";

std::string reading(std::string_view id, int64_t at) {
  return Datum()
      .text(id)
      .whole(at)
      .real(2.5)
      .single(230.5f)
      .whole(1)
      .whole(1)
      .text("ok")
      .whole(1)
      .raw("\x01")
      .whole(-3)
      .raw("mac")
      .whole(2)
      .text("x")
      .text("yy")
      .whole(0)
      .whole(0)
      .whole(9);
}

DecodePlan plan_of(std::string_view writer, std::string_view input, std::vector<Want> wants,
                   std::vector<uint32_t> cuts = {}) {
  auto plan =
      DecodePlan::compile(schema_of(writer), schema_of(input), std::move(wants), std::move(cuts));
  REQUIRE_MESSAGE(plan.has_value(), (plan ? "" : plan.error().message));
  return std::move(*plan);
}

std::vector<Want> all_fields(uint32_t count) {
  std::vector<Want> wants;
  for (uint32_t field = 0; field < count; ++field) wants.push_back({field, field});
  return wants;
}

void check_reading(const row::Batch& batch, uint32_t row, std::string_view id, int64_t at) {
  const auto& columns = batch.columns;
  CHECK(columns[0].views[row] == id);
  CHECK(columns[1].int64s[row] == at);
  CHECK(columns[2].float64s[row] == 2.5);
  CHECK(columns[3].float64s[row] == 230.5);
  CHECK(columns[4].views[row] == "B");
  CHECK(columns[5].views[row] == "ok");
  CHECK_FALSE(columns[5].is_null(row));
  CHECK(columns[6].is_null(row));
  CHECK(columns[6].views[row].empty());
  CHECK(columns[7].booleans[row] == 1);
  CHECK(columns[8].int64s[row] == -3);
  CHECK(columns[9].views[row] == "mac");
  CHECK(columns[10].views[row] == std::string(Datum().whole(2).text("x").text("yy").whole(0)));
  CHECK(columns[11].views[row] == std::string(Datum().whole(0).whole(9)));
}

TEST_CASE("every kind of field becomes a slot") {
  const DecodePlan plan = plan_of(kReading, kReading, all_fields(12));
  CHECK(plan.is_identity());
  Rows rows({reading("m1", 7), reading("a-longer-meter-id", 1'700'000'000'000'000)}, 12);
  plan.decode(rows.payloads, rows.batch);
  REQUIRE(rows.batch.rejects.empty());
  REQUIRE(rows.batch.live.size() == 2);
  check_reading(rows.batch, 0, "m1", 7);
  check_reading(rows.batch, 1, "a-longer-meter-id", 1'700'000'000'000'000);
  CHECK(rows.batch.datums[0].data() == rows.payloads[0].data());  // a view, not a copy
  CHECK(rows.batch.datums[1] == rows.payloads[1]);
}

TEST_CASE("fields that nobody wants are validated all the same, and cuts are recorded") {
  const DecodePlan plan = plan_of(kReading, kReading, {{.field = 8, .slot = 0}}, {0, 1, 2, 4, 12});
  Rows rows({reading("m1", 7), reading("m22", 300)}, 1);
  plan.decode(rows.payloads, rows.batch);
  REQUIRE(rows.batch.live.size() == 2);
  CHECK(rows.batch.columns[0].int64s[1] == -3);
  REQUIRE(rows.batch.cut_count == 5);
  const std::vector<uint32_t> cuts(rows.batch.cuts.begin(), rows.batch.cuts.end());
  const auto size = [&](uint32_t row) { return static_cast<uint32_t>(rows.datums[row].size()); };
  CHECK(cuts == std::vector<uint32_t>{0, 3, 4, 16, size(0), 0, 4, 6, 18, size(1)});
}

TEST_CASE("a bad row leaves live and says where it is wrong") {
  const DecodePlan plan = plan_of(kReading, kReading, {{.field = 0, .slot = 0}});
  std::string bad_enum = reading("m1", 7);
  bad_enum[16] = 6;  // phase: 1 + 2 + 1 + 8 + 4 bytes before it
  std::string trailing = reading("m1", 7) + "!";
  std::string cut_short = reading("m1", 7).substr(0, 9);
  std::string not_text = reading("\xC3(", 7);
  Rows rows({reading("m1", 7), bad_enum, trailing, cut_short, not_text, reading("m6", 7)}, 1);
  plan.decode(rows.payloads, rows.batch);
  CHECK(rows.batch.live == std::vector<uint32_t>{0, 5});
  REQUIRE(rows.batch.rejects.size() == 4);
  const auto& rejects = rows.batch.rejects;
  CHECK(rejects[0].row == 1);
  CHECK(rejects[0].step == row::kDecodeStep);
  CHECK(rejects[0].reason == "avro.enum_index");
  CHECK(rejects[0].detail.starts_with("field \"phase\": an enum index without a symbol"));
  CHECK(rejects[1].reason == "avro.trailing");
  CHECK(rejects[2].reason == "avro.truncated");
  CHECK(rejects[2].detail == "the bytes end inside a value, at byte 4");  // kwh or voltage: one run
  CHECK(rejects[3].reason == "avro.utf8");
  CHECK(rejects[3].detail.starts_with("field \"meter_id\""));
}

TEST_CASE("another writer's rows are resolved into the input schema") {
  constexpr std::string_view kOld = R"({"type":"record","name":"old.Reading","fields":[
    {"name":"gone","type":"string"},
    {"name":"kwh","type":"float"},
    {"name":"id","type":"string"}]})";
  constexpr std::string_view kNew = R"({"type":"record","name":"Reading","fields":[
    {"name":"meter_id","aliases":["id"],"type":"string"},
    {"name":"kwh","type":"double"},
    {"name":"site","type":"string","default":"none"}]})";
  const DecodePlan plan = plan_of(kOld, kNew, all_fields(3), {1});
  CHECK_FALSE(plan.is_identity());
  Rows rows({Datum().text("x").single(1.5f).text("m1"), Datum().text("x").single(1.5f), ""}, 3);
  plan.decode(rows.payloads, rows.batch);
  CHECK(rows.batch.live == std::vector<uint32_t>{0});
  CHECK(rows.batch.rejects.size() == 2);
  CHECK(rows.batch.datums[0] == std::string(Datum().text("m1").real(1.5).text("none")));
  CHECK(rows.batch.columns[0].views[0] == "m1");
  CHECK(rows.batch.columns[1].float64s[0] == 1.5);
  CHECK(rows.batch.columns[2].views[0] == "none");
  CHECK(rows.batch.cuts[0] == 3);
}

TEST_CASE("rows of two writers share one batch") {
  constexpr std::string_view kInt =
      R"({"type":"record","name":"R","fields":[{"name":"n","type":"int"}]})";
  constexpr std::string_view kFloat =
      R"({"type":"record","name":"R","fields":[{"name":"n","type":"float"}]})";
  constexpr std::string_view kDouble =
      R"({"type":"record","name":"R","fields":[{"name":"n","type":"double"}]})";
  const DecodePlan ints = plan_of(kInt, kDouble, all_fields(1));
  const DecodePlan floats = plan_of(kFloat, kDouble, all_fields(1));
  Rows rows({Datum().whole(3), Datum().single(0.5f)}, 1);
  rows.batch.live = {0};
  ints.decode({rows.payloads.data(), 1}, rows.batch);
  rows.batch.live = {1};
  floats.decode({rows.payloads.data() + 1, 1}, rows.batch);
  CHECK(rows.batch.columns[0].float64s[0] == 3.0);
  CHECK(rows.batch.columns[0].float64s[1] == 0.5);
  CHECK(rows.batch.datums[0] == std::string(Datum().real(3.0)));
}

TEST_CASE("a field wanted in two slots is in both") {
  const DecodePlan plan =
      plan_of(kReading, kReading, {{.field = 1, .slot = 0}, {.field = 1, .slot = 1}});
  Rows rows({reading("m1", 77)}, 2);
  plan.decode(rows.payloads, rows.batch);
  CHECK(rows.batch.columns[0].int64s[0] == 77);
  CHECK(rows.batch.columns[1].int64s[0] == 77);
}

TEST_CASE("what never resolves is refused when the plan is compiled") {
  const auto plan = DecodePlan::compile(
      schema_of(R"({"type":"record","name":"R","fields":[{"name":"a","type":"string"}]})"),
      schema_of(R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"}]})"), {}, {});
  REQUIRE_FALSE(plan.has_value());
  CHECK(plan.error().code == "A020"_code);
  CHECK(plan.error().message.find("field \"a\"") != std::string::npos);
}

}  // namespace
}  // namespace penstock::avro
