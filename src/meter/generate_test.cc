#include "meter/generate.h"

#include "avro/json.h"
#include "avro/json_text.h"
#include "avro/time_text.h"
#include "meter/meter_fixture.h"

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

namespace penstock::meter {
namespace {

using Hints = std::map<std::string, Hint>;

std::string record_of(std::string_view fields) {
  return R"({"type":"record","name":"R","fields":[)" + std::string(fields) + "]}";
}
std::string field_of(std::string_view type) {
  return record_of(R"({"name":"f","type":)" + std::string(type) + "}");
}

// Records as JSON; to_json refuses what is not a whole and valid datum.
std::vector<avro::Json> made(std::string_view schema, Hints hints = {}, int64_t count = 200) {
  const avro::SchemaPtr records = schema_of(schema);
  auto maker = Generator::make(records, std::move(hints), 1);
  REQUIRE_MESSAGE(maker.has_value(), (maker ? "" : one_line(maker.error())));
  std::vector<avro::Json> all;
  for (int64_t offset = 0; offset < count; ++offset) {
    std::string datum;
    (*maker)->append(offset, datum);
    auto text = avro::to_json(records->root(), datum, avro::JsonStyle::plain);
    REQUIRE_MESSAGE(text.has_value(), (text ? "" : one_line(text.error())));
    auto json = avro::read_json(*text);
    REQUIRE(json.has_value());
    all.push_back(*std::move(json));
  }
  return all;
}

// The texts of the field f.
std::vector<std::string> texts(std::string_view schema, Hints hints = {}) {
  std::vector<std::string> all;
  for (const avro::Json& json : made(schema, std::move(hints)))
    all.push_back(json.member("f")->text);
  return all;
}

Code refused(std::string_view schema, Hints hints = {}) {
  const auto maker = Generator::make(schema_of(schema), std::move(hints), 1);
  REQUIRE_FALSE(maker.has_value());
  return maker.error().code;
}

}  // namespace

TEST_CASE("a record depends on the seed and the offset alone") {
  const avro::SchemaPtr schema =
      schema_of(record_of(R"({"name":"a","type":"double"},{"name":"b","type":"string"})"));
  const auto one = [&](uint64_t seed, int64_t offset) {
    std::string out;
    auto maker = Generator::make(schema, {}, seed);
    REQUIRE(maker.has_value());
    (*maker)->append(offset, out);
    return out;
  };
  CHECK(one(1, 5) == one(1, 5));
  CHECK(one(1, 5) != one(1, 6));
  CHECK(one(1, 5) != one(2, 5));
}

TEST_CASE("ranges hold, both ends come, and what a type cannot hold is refused") {
  std::set<int> seen;
  for (const std::string& text : texts(field_of(R"("int")"), {{"f", {.low = -2, .high = 3}}}))
    seen.insert(std::atoi(text.c_str()));
  CHECK(seen == std::set<int>{-2, -1, 0, 1, 2, 3});
  for (const std::string& text :
       texts(field_of(R"("double")"), {{"f", {.low = 0.5, .high = 0.75}}}))
    CHECK((std::stod(text) >= 0.5 && std::stod(text) <= 0.75));
  CHECK(texts(field_of(R"("int")"), {{"f", {.low = 2147483647, .high = 2147483647}}}).at(0) ==
        "2147483647");
  CHECK(texts(field_of(R"(["null","long"])"), {{"f", {.low = 1e15, .high = 1e15}}}).size() == 200);
  CHECK(refused(field_of(R"("int")"), {{"f", {.low = 0, .high = 2147483648.0}}}) == "M001"_code);
  CHECK(refused(field_of(R"(["null","int"])"), {{"f", {.low = -2147483649.0, .high = 0}}}) ==
        "M001"_code);
  CHECK(refused(field_of(R"("int")"), {{"f", {.low = 0.2, .high = 0.8}}}) == "M001"_code);
  CHECK(refused(field_of(R"("string")"), {{"f", {.low = 0, .high = 1}}}) == "M001"_code);
  CHECK(refused(field_of(R"("int")"), {{"g", {.low = 0, .high = 1}}}) == "M001"_code);
}

TEST_CASE("lists: texts and symbols, no others") {
  std::set<std::string> seen;
  for (const std::string& text : texts(field_of(R"("string")"), {{"f", {{}, {}, {"red", "blue"}}}}))
    seen.insert(text);
  CHECK(seen == std::set<std::string>{"red", "blue"});
  const std::string color = field_of(R"({"type":"enum","name":"C","symbols":["a","b","c"]})");
  seen.clear();
  for (const std::string& text : texts(color, {{"f", {{}, {}, {"c", "a"}}}})) seen.insert(text);
  CHECK(seen == std::set<std::string>{"a", "c"});
  CHECK(refused(color, {{"f", {{}, {}, {"d"}}}}) == "M001"_code);
  CHECK(refused(field_of(R"("long")"), {{"f", {{}, {}, {"1"}}}}) == "M001"_code);
  CHECK(refused(field_of(R"("string")"), {{"f", {}}}) == "M001"_code);
}

TEST_CASE("times lie in 2026, each in its own unit") {
  for (const char* logical :
       {"timestamp-millis", "timestamp-micros", "timestamp-nanos", "local-timestamp-millis",
        "local-timestamp-micros", "local-timestamp-nanos"}) {
    INFO(logical);
    std::set<std::string> months;
    for (const std::string& text :
         texts(field_of(R"({"type":"long","logicalType":")" + std::string(logical) + "\"}"))) {
      REQUIRE(text.starts_with("2026-"));
      months.insert(text.substr(0, 7));
    }
    CHECK(months.size() == 12);
  }
  for (const std::string& text : texts(field_of(R"({"type":"int","logicalType":"date"})")))
    REQUIRE(text.starts_with("2026-"));
  for (const char* type : {R"({"type":"int","logicalType":"time-millis"})",
                           R"({"type":"long","logicalType":"time-micros"})"}) {
    for (const std::string& text : texts(field_of(type)))
      REQUIRE(avro::parse_time_of_day(text).has_value());
  }
}

TEST_CASE("every type has values that are whole and valid") {
  for (const char* type :
       {R"("null")", R"("boolean")", R"("float")", R"("bytes")",
        R"({"type":"fixed","name":"F","size":0})", R"({"type":"fixed","name":"F","size":7})",
        R"({"type":"bytes","logicalType":"decimal","precision":1,"scale":0})",
        R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":2})",
        R"({"type":"fixed","name":"F","size":1,"logicalType":"decimal","precision":2})",
        R"({"type":"fixed","name":"F","size":6,"logicalType":"decimal","precision":4,"scale":4})",
        R"({"type":"fixed","name":"F","size":12,"logicalType":"duration"})",
        R"({"type":"string","logicalType":"uuid"})", R"(["int","string","null"])",
        R"({"type":"array","items":["null",{"type":"map","values":"double"}]})"})
    CHECK_MESSAGE(made(field_of(type)).size() == 200, type);
}

TEST_CASE("recursion ends, also where no branch is null; what never ends is refused") {
  const std::string list =
      record_of(R"({"name":"next","type":["null","R"]},{"name":"v","type":"int"})");
  CHECK(made(list).size() == 200);
  CHECK(
      made(record_of(R"({"name":"next","type":["R","string"]},{"name":"more","type":["R","int"]})"))
          .size() == 200);
  CHECK(made(record_of(R"({"name":"all","type":{"type":"array","items":"R"}},)"
                       R"({"name":"by","type":{"type":"map","values":"R"}})"))
            .size() == 200);
  CHECK(refused(record_of(R"({"name":"next","type":"R"})")) == "M002"_code);
  CHECK(refused(R"({"type":"record","name":"A","fields":[{"name":"b","type":{"type":"record",)"
                R"("name":"B","fields":[{"name":"a","type":"A"}]}}]})") == "M002"_code);
  CHECK(refused(R"("string")") == "M002"_code);
}

TEST_CASE("wide schemas stay small: sizes are bounded, not only depths") {
  // Each level holds ten of the next: 10^12 strings.
  std::string type = R"("string")";
  for (int level = 0; level < 12; ++level) {
    const std::string name = "L" + std::to_string(level);
    std::string fields = R"({"name":"f0","type":)" + type + "}";
    const std::string inner = level == 0 ? "\"string\"" : "\"L" + std::to_string(level - 1) + "\"";
    for (int i = 1; i < 10; ++i)
      fields += R"(,{"name":"f)" + std::to_string(i) + R"(","type":)" + inner + "}";
    type = R"({"type":"record","name":")" + name + R"(","fields":[)" + fields + "]}";
  }
  CHECK(refused(type) == "M002"_code);
  // The same behind arrays has a smallest form, and grows no further than it may.
  std::string arrays = R"("string")";
  for (int level = 0; level < 30; ++level) arrays = R"({"type":"array","items":)" + arrays + "}";
  const avro::SchemaPtr schema = schema_of(field_of(arrays));
  auto maker = Generator::make(schema, {}, 1);
  REQUIRE(maker.has_value());
  std::string out;
  for (int64_t offset = 0; offset < 1'000; ++offset) {
    out.clear();
    (*maker)->append(offset, out);
    REQUIRE(out.size() < 128 * 1024);
  }
}

TEST_CASE("what is a range") {
  CHECK(range_hint("0..1000")->high == 1000.0);
  CHECK(range_hint("-1.5..-0.5")->low == -1.5);
  for (const char* bad :
       {"", "..", "1..", "..1", "2..1", "1...2", "a..b", "0..1e16", "0..nan", "inf..inf", "1..2 "})
    CHECK_MESSAGE(!range_hint(bad), bad);
}

}  // namespace penstock::meter
