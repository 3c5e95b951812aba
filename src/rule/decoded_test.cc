// Rules over columns that a real decode plan filled, and computed columns that a real encode plan
// writes: both rooms mean the same by a slot.

#include "avro/json.h"
#include "avro/plan.h"
#include "rule/program.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::rule {
namespace {

constexpr std::string_view kSchema = R"({"type": "record", "name": "R", "fields": [
  {"name": "id", "type": "string"},
  {"name": "ok", "type": ["null", "boolean"]},
  {"name": "single", "type": "float"},
  {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["on", "off"]}},
  {"name": "old_status", "type": ["Status", "null"]},
  {"name": "mac", "type": {"type": "fixed", "name": "Mac", "size": 2}},
  {"name": "old_mac", "type": ["null", "Mac"]},
  {"name": "site", "type": {"type": "record", "name": "Site", "fields": [
    {"name": "town", "type": "string"}, {"name": "floor", "type": ["null", "int"]},
    {"name": "owner", "type": ["null", {"type": "record", "name": "Owner", "fields": [
      {"name": "name", "type": "string"}, {"name": "since", "type":
        {"type": "int", "logicalType": "date"}}]}]}]}},
  {"name": "old_site", "type": ["null", "Site"]},
  {"name": "site_first", "type": ["Site", "null"]},
  {"name": "tags", "type": {"type": "array", "items": "long"}},
  {"name": "old_tags", "type": ["null", {"type": "array", "items": "long"}]},
  {"name": "tags_first", "type": [{"type": "array", "items": ["null", "string"]}, "null"]},
  {"name": "counts", "type": {"type": "map", "values": "int"}},
  {"name": "old_counts", "type": ["null", {"type": "map", "values": ["null", "int"]}]},
  {"name": "price", "type":
    {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
  {"name": "old_price", "type": ["null",
    {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}]},
  {"name": "day", "type": {"type": "int", "logicalType": "date"}},
  {"name": "old_day", "type": ["null", {"type": "int", "logicalType": "date"}]},
  {"name": "clock", "type": {"type": "int", "logicalType": "time-millis"}},
  {"name": "fine_clock", "type": {"type": "long", "logicalType": "time-micros"}},
  {"name": "millis", "type": {"type": "long", "logicalType": "timestamp-millis"}},
  {"name": "micros", "type": {"type": "long", "logicalType": "timestamp-micros"}},
  {"name": "nanos", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
  {"name": "here", "type": {"type": "long", "logicalType": "local-timestamp-millis"}},
  {"name": "old_nanos", "type": ["null", {"type": "long", "logicalType": "timestamp-nanos"}]},
  {"name": "any", "type": ["null", "string", "long", {"type": "array", "items": "long"}]}
]})";

// One row with everything there, one with null wherever null can be.
constexpr std::string_view kFull = R"({"id": "full", "ok": {"boolean": true}, "single": 2.5,
  "status": "off", "old_status": {"Status": "off"}, "mac": "ab", "old_mac": {"Mac": "cd"},
  "site": {"town": "Turku", "floor": {"int": 3}, "owner": {"Owner": {"name": "Aino", "since": 1}}},
  "old_site": {"Site": {"town": "Pori", "floor": null, "owner": null}},
  "site_first": {"Site": {"town": "Oulu", "floor": {"int": -1}, "owner": null}},
  "tags": [1, 2], "old_tags": {"array": [7, -8]},
  "tags_first": {"array": [null, {"string": "x"}]},
  "counts": {"a": 1, "b": 2}, "old_counts": {"map": {"a": {"int": 5}, "n": null}},
  "price": "\u0001\u0000", "old_price": {"bytes": "\u00ff"}, "day": 20454, "old_day": {"int": -1},
  "clock": 1500, "fine_clock": 1500000, "millis": 1764000000123, "micros": 1764000000123456,
  "nanos": 1764000000123456789, "here": 1764000000123, "old_nanos": {"long": -1},
  "any": {"array": [1, 2, 3]}})";
constexpr std::string_view kNulls = R"({"id": "nulls", "ok": null, "single": -1.5, "status": "on",
  "old_status": null, "mac": "xy", "old_mac": null,
  "site": {"town": "", "floor": null, "owner": null}, "old_site": null, "site_first": null,
  "tags": [], "old_tags": null, "tags_first": null, "counts": {}, "old_counts": null, "price": "",
  "old_price": null, "day": 0, "old_day": null, "clock": 0, "fine_clock": 0, "millis": 0,
  "micros": 0, "nanos": 0, "here": 0, "old_nanos": null, "any": null})";

avro::SchemaPtr schema_of(std::string_view text) {
  auto schema = avro::parse(text);
  if (!schema) FAIL(render(schema.error()));
  return *schema;
}

std::string datum_of(const avro::Node& type, std::string_view json) {
  std::string datum;
  auto written = avro::from_json(type, json, avro::JsonStyle::avro, datum);
  if (!written) FAIL(render(written.error()));
  return datum;
}

// Both rows behind a decode plan that fills just what the rule uses.
struct Decoded {
  explicit Decoded(std::string_view rule, avro::SchemaPtr of = schema_of(kSchema))
      : schema(std::move(of)), program(compile(rule)) {
    std::vector<avro::Want> wants;
    for (const Use& use : program.uses()) {
      const auto& fields = schema->root().fields;
      const auto found = std::ranges::find(fields, use.field, &avro::Field::name);
      REQUIRE(found != fields.end());
      slots.push_back(static_cast<uint32_t>(wants.size()));
      wants.push_back({static_cast<uint32_t>(found - fields.begin()), slots.back()});
    }
    auto plan = avro::DecodePlan::compile(schema, schema, wants, {});
    REQUIRE(plan.has_value());
    for (const std::string_view json : {kFull, kNulls})
      datums.push_back(datum_of(schema->root(), json));
    const std::vector<ByteView> payloads(datums.begin(), datums.end());
    records.resize(datums.size());
    batch.records = records;
    batch.arena = &arena;
    batch.columns.resize(wants.size());
    batch.live = {0, 1};
    plan->decode(payloads, batch);
    REQUIRE(batch.live.size() == 2);
  }
  Program compile(std::string_view rule) const {
    auto made = Program::compile(rule, schema);
    INFO(rule);
    if (!made) FAIL(render(made.error()));
    return std::move(*made);
  }

  avro::SchemaPtr schema;
  Program program;
  std::vector<uint32_t> slots;
  std::vector<std::string> datums;
  std::vector<row::RawRecord> records;
  Arena arena;
  row::Batch batch;
};

// 'true', 'false' or the error, of both rows.
std::string outcome(std::string_view rule, bool kernels) {
  Decoded rows(rule);
  Evaluation evaluation(rows.program, rows.slots);
  evaluation.use_kernels(kernels);
  std::vector<uint32_t> yes;
  std::vector<FailedRow> failed;
  evaluation.filter(rows.batch, rows.batch.live, yes, failed);
  std::string texts[2] = {"false", "false"};
  for (const uint32_t row : yes) texts[row] = "true";
  for (const FailedRow& row : failed) texts[row.row] = row.text;
  return texts[0] + ", " + texts[1];
}

// The computed values as Avro's JSON, through the encode plan of an output of just that field.
std::string computed(std::string_view rule, bool kernels) {
  Decoded rows(rule);
  Evaluation evaluation(rows.program, rows.slots);
  evaluation.use_kernels(kernels);
  std::vector<FailedRow> failed;
  rows.batch.columns.push_back(evaluation.compute(rows.batch, rows.batch.live, failed));
  for (const FailedRow& row : failed) FAIL(row.text);
  const auto type = rows.program.result_schema();
  REQUIRE(type.has_value());
  const auto output = avro::make_record("Out", {{"x", &(*type)->root(), ""}});
  REQUIRE(output.has_value());
  const auto slot = static_cast<uint32_t>(rows.batch.columns.size() - 1);
  const avro::Origin origin{avro::Origin::From::slot, slot, &(*type)->root()};
  const auto encode = avro::EncodePlan::compile(rows.schema, *output, {origin});
  REQUIRE(encode.has_value());
  std::string all;
  for (const uint32_t row : rows.batch.live) {
    std::string out;
    std::string why;
    const bool fits = encode->encode(rows.batch, row, out, &why);
    INFO(why);
    REQUIRE(fits);
    const auto json = avro::to_json((*output)->root(), out, avro::JsonStyle::avro);
    REQUIRE(json.has_value());
    all += (all.empty() ? "" : " ") + *json;
  }
  return all;
}

void check_outcome(std::string_view rule, std::string_view expected) {
  INFO(rule);
  CHECK(outcome(rule, true) == expected);
  CHECK(outcome(rule, false) == expected);
}

void check_computed(std::string_view rule, std::string_view expected) {
  INFO(rule);
  CHECK(computed(rule, true) == expected);
  CHECK(computed(rule, false) == expected);
}

TEST_CASE(
    "simple columns, nullable ones, enums, fixed and decimals as the decode plan fills them") {
  check_outcome("ok == true", "true, false");
  check_outcome("ok == null", "false, true");
  check_outcome("single == 2.5", "true, false");
  check_outcome("status == 'off'", "true, false");
  check_outcome("old_status == 'off'", "true, false");
  check_outcome("old_status == null", "false, true");
  check_outcome("mac == b'ab'", "true, false");
  check_outcome("old_mac == b'cd'", "true, false");
  check_outcome("old_mac == null", "false, true");
  check_outcome("price == 2.56", "true, false");
  check_outcome("old_price == -0.01", "true, false");
  check_outcome("old_price == null", "false, true");
}

TEST_CASE("dates, times and timestamps of each unit") {
  check_outcome("day == timestamp('2026-01-01T00:00:00Z')", "true, false");
  check_outcome("old_day == timestamp('1969-12-31T00:00:00Z')", "true, false");
  check_outcome("old_day == null", "false, true");
  check_outcome("clock == duration('1.5s')", "true, false");
  check_outcome("fine_clock == duration('1.5s')", "true, false");
  check_outcome("millis == timestamp('2025-11-24T16:00:00.123Z')", "true, false");
  check_outcome("micros == timestamp('2025-11-24T16:00:00.123456Z')", "true, false");
  check_outcome("nanos == timestamp('2025-11-24T16:00:00.123456789Z')", "true, false");
  check_outcome("here == millis", "true, true");
  check_outcome("old_nanos == timestamp('1969-12-31T23:59:59.999999999Z')", "true, false");
}

TEST_CASE("records, arrays and maps, whether they may be null or not") {
  check_outcome("site.town == 'Turku' && site.floor == 3", "true, false");
  check_outcome("site.owner != null && site.owner.name == 'Aino'", "true, false");
  check_outcome("site.owner != null && site.owner.since == timestamp('1970-01-02T00:00:00Z')",
                "true, false");
  check_outcome("old_site != null", "true, false");
  check_outcome("old_site == null", "false, true");
  check_outcome("old_site != null && old_site.town == 'Pori'", "true, false");
  check_outcome("has(record.old_site)", "true, false");
  check_outcome("site_first != null && site_first.floor == -1", "true, false");
  check_outcome("site_first == null", "false, true");
  check_outcome("tags == [1, 2]", "true, false");
  check_outcome("2 in tags", "true, false");
  check_outcome("old_tags != null && old_tags[1] == -8", "true, false");
  check_outcome("old_tags == null || size(old_tags) == 2", "true, true");
  check_outcome("old_tags == null ? false : old_tags.exists(t, t == 7)", "true, false");
  check_outcome("tags_first != null && tags_first[0] == null && tags_first[1] == 'x'",
                "true, false");
  check_outcome("counts == {'b': 2, 'a': 1}", "true, false");
  check_outcome("old_counts != null && old_counts.a == 5 && old_counts.n == null", "true, false");
  check_outcome("old_counts == null", "false, true");
}

TEST_CASE("general unions and the whole record") {
  check_outcome("any == null", "false, true");
  check_outcome("type(any) == list && any[2] == 3", "true, false");
  check_outcome("record == record", "true, true");
  check_outcome("record.old_site == null", "false, true");
  check_outcome("dyn(record)['old_tags'] == [7, -8]", "true, false");
  check_outcome("dyn(record)['old_counts'] == null", "false, true");
  check_outcome("dyn(record).site.owner.name == 'Aino'", "true, a null_type has no field \"name\"");
}

TEST_CASE("computed columns are what the encode plan takes them for") {
  check_computed("old_site",
                 R"({"x":{"Site":{"town":"Pori","floor":null,"owner":null}}} {"x":null})");
  check_computed("old_tags", R"({"x":{"array":[7,-8]}} {"x":null})");
  check_computed("tags_first", R"({"x":{"array":[null,{"string":"x"}]}} {"x":null})");
  check_computed("any", R"({"x":{"array":[1,2,3]}} {"x":null})");
  check_computed("old_tags == null ? tags : old_tags", R"({"x":[7,-8]} {"x":[]})");
  check_computed("id == 'full' ? tags : null", R"({"x":{"array":[1,2]}} {"x":null})");
  check_computed("id == 'full' ? null : tags", R"({"x":null} {"x":{"array":[]}})");
  check_computed("id == 'full' ? counts : null", R"({"x":{"map":{"a":1,"b":2}}} {"x":null})");
  check_computed("id == 'full' ? site.owner : null",
                 R"({"x":{"Owner":{"name":"Aino","since":1}}} {"x":null})");
  check_computed("site.owner", R"({"x":{"Owner":{"name":"Aino","since":1}}} {"x":null})");
  check_computed("tags.map(t, t * 2)", R"({"x":[2,4]} {"x":[]})");
  check_computed("id == 'full' ? 1 : null", R"({"x":{"long":1}} {"x":null})");
  check_computed("old_status", R"({"x":{"Status":"off"}} {"x":null})");
  check_computed("old_price", "{\"x\":{\"bytes\":\"\xC3\xBF\"}} {\"x\":null}");
}

}  // namespace
}  // namespace penstock::rule
