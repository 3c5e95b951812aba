#include "rule/program.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace penstock::rule {
namespace {

constexpr std::string_view kReading = R"({"type": "record", "name": "energy.Reading", "fields": [
  {"name": "meter_id", "type": "string"},
  {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
  {"name": "kwh", "type": "double"},
  {"name": "count", "type": "int"},
  {"name": "note", "type": ["null", "string"], "default": null},
  {"name": "peak", "type": ["null", "double"], "default": null},
  {"name": "day", "type": {"type": "int", "logicalType": "date"}},
  {"name": "clock", "type": {"type": "int", "logicalType": "time-millis"}},
  {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["on", "off"]}},
  {"name": "tags", "type": {"type": "array", "items": "string"}},
  {"name": "labels", "type": {"type": "map", "values": ["null", "long"]}},
  {"name": "site", "type": {"type": "record", "name": "Site", "fields": [
    {"name": "town", "type": "string"}, {"name": "floor", "type": ["null", "int"]}]}},
  {"name": "any", "type": ["string", "long"]},
  {"name": "raw", "type": "bytes"}
]})";

avro::SchemaPtr reading() {
  auto schema = avro::parse(kReading);
  REQUIRE(schema.has_value());
  return *schema;
}

Program compiled(std::string_view text) {
  auto program = Program::compile(text, reading());
  INFO(text);
  if (!program) FAIL(render(program.error()));
  return std::move(*program);
}

Error refused(std::string_view text) {
  auto program = Program::compile(text, reading());
  INFO(text);
  REQUIRE(!program.has_value());
  return program.error();
}

void check_refused(std::string_view text, Code code, uint32_t line, uint32_t column, uint32_t width,
                   std::string_view part) {
  const Error error = refused(text);
  INFO(render(error));
  CHECK(error.code == code);
  CHECK(error.place.line == line);
  CHECK(error.place.column == column);
  CHECK(error.place.width == width);
  CHECK(render(error).find(part) != std::string::npos);
}

TEST_CASE("errors point at the offending token and name the cure") {
  check_refused("kwj > 1.0", "R002"_code, 1, 1, 3, "did you mean \"kwh\"?");
  check_refused("kwh > 0.0 && status == Done", "R002"_code, 1, 24, 4, "'Done', in quotes");
  check_refused("kwh < 'low'", "R003"_code, 1, 5, 1, "no operator \"<\" for double and string");
  check_refused("kwh * 4", "R003"_code, 1, 5, 1, "write 4 as 4.0");
  check_refused("kwh > 0.0 &&\n  count + 1.0 > 2.0", "R003"_code, 2, 9, 1, "int and double");
  check_refused("peak > 1.0", "R004"_code, 1, 1, 4, "peak != null &&");
  check_refused("record.kwk > 1.0", "R002"_code, 1, 8, 3, "did you mean \"kwh\"?");
  check_refused("site.twon == ''", "R002"_code, 1, 6, 4, "did you mean \"town\"?");
  check_refused("meter_id.startWith('a')", "R006"_code, 1, 10, 9, "did you mean \"startsWith\"?");
  check_refused("meter_id.matches('(')", "R007"_code, 1, 18, 3, "RE2");
  check_refused("at > '2026-01-01T00:00:00Z'", "R003"_code, 1, 4, 1, "timestamp('2026-01-31");
  check_refused("kwh > 0.0 && (", "R001"_code, 1, 15, 1, "too early");
  check_refused("kwh = 1.0", "R001"_code, 1, 5, 1, "write ==");
  check_refused("kwh == null", "R003"_code, 1, 5, 2, "never null");
  check_refused("'kWh: ' + kwh", "R003"_code, 1, 9, 1, "string(kwh)");
  check_refused("kwh > 0.0 && count", "R003"_code, 1, 14, 5, "takes a bool");
}

TEST_CASE("what an optional or a list can not be asked is refused") {
  for (const std::string_view text :
       {"[1][?'a'].hasValue()", "optional.of(1)[0].hasValue()", "optional.of([1])[?'a'].hasValue()",
        "site[?1].hasValue()", "optional.of(1).a.hasValue()", "optional.of(1).?a.hasValue()",
        "math.least([1], 2) > 0"})
    CHECK(refused(text).code == "R003"_code);
  // What either of two holds is known only when it runs.
  CHECK(compiled("optional.of(1).or(optional.of('a')).value()").result_type() == "dyn");
  CHECK(compiled("optional.none().or(optional.of(1)).value()").result_type() == "int");
  CHECK(compiled("optional.of(1).or(optional.none()).value()").result_type() == "int");
}

TEST_CASE("a value that may be null needs a guard, and every form of guard is taken") {
  for (const std::string_view text : {"peak != null && peak > 1.0",
                                      "peak == null || peak > 1.0",
                                      "null != peak && peak > 1.0",
                                      "peak == null ? false : peak > 1.0",
                                      "peak != null ? peak > 1.0 : true",
                                      "has(record.peak) && peak > 1.0",
                                      "!has(record.peak) || record.peak > 1.0",
                                      "!(peak == null) && peak > 1.0",
                                      "(peak != null && kwh > 1.0) && peak > 1.0",
                                      "kwh > 1.0 && peak != null && kwh > 2.0 && peak > 1.0",
                                      "peak == 1.0 && peak < 2.0",
                                      "!(peak == null || kwh > 1.0) && peak > 1.0",
                                      "record.peak != null && peak > 1.0",
                                      "site.floor != null && site.floor > 1",
                                      "has(site.floor) && site.floor > 1",
                                      "labels['a'] != null && labels['a'] > 1",
                                      "labels.a != null && labels.a > 1",
                                      "labels.exists(k, labels[k] == 5)",
                                      "note == 'x'",
                                      "note in ['x', 'y']",
                                      "peak != null && (peak != null && peak > 1.0)"}) {
    INFO(text);
    CHECK(compiled(text).is_condition());
  }
  for (const std::string_view text :
       {"peak > 1.0", "peak > 1.0 && peak != null", "peak != null || peak > 1.0",
        "peak == null && peak > 1.0", "peak == null ? peak > 1.0 : false",
        "(peak != null || kwh > 1.0) && peak > 1.0", "note.startsWith('a')", "size(note) > 1",
        "site.floor > 1", "labels['a'] > 1", "labels['a'] != null && labels['b'] > 1",
        "[1].all(peak, peak > 0) && peak > 1.0", "note != null && peak > 1.0",
        "peak != null ? true : peak > 1.0", "-peak > 1.0", "has(record.kwh) && peak > 1.0",
        "tags.all(note, note != 'x') && note.startsWith('a')"}) {
    INFO(text);
    CHECK(refused(text).code == "R004"_code);
  }
}

TEST_CASE("what a rule uses, and what its result is") {
  const Program program = compiled("kwh > 1.0 && record.count > 2 && topic == 't' && kwh < 9.0");
  const std::vector<Use> uses = {
      {Use::What::field, "kwh"}, {Use::What::field, "count"}, {Use::What::topic, ""}};
  CHECK(program.uses() == uses);
  CHECK(compiled("record == record").uses().size() == 14);

  const auto type_of = [](std::string_view text) {
    const Program made = compiled(text);
    const auto schema = made.result_schema();
    return made.result_type() + " -> " +
           (schema ? (*schema)->json() : std::string(catalogue_entry(schema.error().code).name));
  };
  CHECK(type_of("kwh * 4.0") == "double -> \"double\"");
  CHECK(type_of("count + 1") == "int -> \"long\"");
  CHECK(type_of("count") == "int -> \"int\"");
  CHECK(type_of("record.count") == "int -> \"int\"");
  CHECK(type_of("'Done'") == "string -> \"string\"");
  CHECK(type_of("key") == "null or bytes -> [\"null\",\"bytes\"]");
  CHECK(type_of("kwh > 1.0") == "bool -> \"boolean\"");
  CHECK(type_of("peak == null ? null : peak * 2.0") == "null or double -> [\"null\",\"double\"]");
  CHECK(type_of("tags + ['x']") == "list(string) -> {\"type\":\"array\",\"items\":\"string\"}");
  CHECK(type_of("{'a': 1}") == "map(string, int) -> {\"type\":\"map\",\"values\":\"long\"}");
  CHECK(type_of("at + duration('1h')").starts_with("timestamp -> "));
  CHECK(type_of("any") == "dyn -> [\"string\",\"long\"]");
  CHECK(type_of("dyn(1)") == "dyn -> R008");
  CHECK(type_of("at - at") == "duration -> R008");
  CHECK(type_of("type(1)") == "type -> R008");
  CHECK(type_of("[]") == "list(dyn) -> R008");
  CHECK(!compiled("kwh").is_condition());
  CHECK(compiled("any").is_condition());
}

TEST_CASE("Avro types as CEL sees them") {
  for (const std::string_view text :
       {"at > timestamp('2026-01-01T00:00:00Z')", "day == timestamp('2026-01-01T00:00:00Z')",
        "clock < duration('12h')", "status == 'on'", "'pv' in tags", "raw == b'x'",
        "site.town == 'Lund'", "site['town'] == 'Lund'", "any == 'x' || any == 5",
        "'kwh' in record", "record['kwh'] > 1.0", "timestamp > at", "offset >= 0",
        "key != null && size(key) > 0", "timestamp('2026-01-01T00:00:00Z') < timestamp"}) {
    INFO(text);
    CHECK(compiled(text).is_condition());
  }
}

TEST_CASE("limits end in an error at once") {
  for (const char bracket : {'(', '[', '{', '!', '-'}) {
    const std::string many(20'000, bracket);
    const Error error = refused(many);
    CHECK((error.code == "R005"_code || error.code == "R001"_code));
  }
  CHECK(refused(std::string(20'000, '(')).code == "R005"_code);
  CHECK(refused(std::string(40'000, ' ')).code == "R005"_code);
  std::string sum = "1";
  for (int i = 0; i < 5'000; i++) sum += "+1";
  CHECK(refused(sum).code == "R005"_code);
  std::string selects = "any";
  for (int i = 0; i < 5'000; i++) selects += ".a";
  CHECK(refused(selects).code == "R005"_code);
  std::string conditions = "kwh > 1.0";
  for (int i = 0; i < 1'000; i++) conditions += " || kwh > 1.0";
  CHECK(compiled(conditions).is_condition());
  std::string deep = "kwh > 1.0";
  for (int i = 0; i < 60; i++) deep = "(" + deep + ")";
  CHECK(compiled(deep).is_condition());
}

}  // namespace
}  // namespace penstock::rule
