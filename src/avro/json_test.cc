#include "avro/json.h"

#include "avro/cases.h"
#include "avro/logical_text.h"
#include "avro/time_text.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace penstock::avro {
namespace {

std::string there_and_back(std::string_view schema, std::string_view text, JsonStyle style) {
  const auto type = parse(schema);
  REQUIRE(type.has_value());
  std::string datum;
  const auto read = from_json((*type)->root(), text, style, datum);
  if (!read) return read.error().message;
  const auto json = to_json((*type)->root(), datum, style);
  return json ? *json : json.error().message;
}

TEST_CASE("Avro's JSON encoding there and back") {
  for (const auto& [schema, text] : std::initializer_list<std::pair<const char*, const char*>>{
           {"null", "null"},
           {"boolean", "true"},
           {"int", "-2147483648"},
           {"long", "9223372036854775807"},
           {"double", "0.1"},
           {"float", "0.1"},
           {"double", "\"NaN\""},
           {"float", "\"-Infinity\""},
           {"double", "5e-324"},
           {"string", R"("ä\n\u0001😀")"},
           {"bytes", "\"\\u0000ÿ\""},
           {R"(["null","int"])", "null"},
           {R"(["null","int"])", R"({"int":3})"},
           {R"(["null",{"type":"fixed","name":"a.F","size":2}])", R"({"a.F":"ab"})"},
           {R"({"type":"map","values":"int"})", R"({"a":1,"b":2})"},
           {R"({"type":"array","items":["null","string"]})", R"([null,{"string":"x"}])"},
           {R"({"type":"long","logicalType":"timestamp-millis"})", "5"}}) {
    CHECK(there_and_back(schema, text, JsonStyle::avro) == text);
  }
}

TEST_CASE("a map's key that comes again replaces the one before, also in another block") {
  const auto type = parse(R"({"type":"map","values":"int"})");
  REQUIRE(type.has_value());
  using namespace std::string_view_literals;
  for (const std::string_view datum :
       {"\x06\x02k\x02\x02l\x04\x02k\x06\x00"sv, "\x04\x02k\x02\x02l\x04\x01\x06\x02k\x06\x00"sv}) {
    const auto json = to_json((*type)->root(), datum, JsonStyle::avro);
    REQUIRE_MESSAGE(json.has_value(), (json ? "" : json.error().message));
    CHECK(*json == R"({"l":2,"k":3})");
  }
}

TEST_CASE("plain JSON there and back") {
  const auto logical = [](std::string_view base, std::string_view name) {
    return fmt::format(R"({{"type":"{}","logicalType":"{}","precision":9,"scale":2}})", base, name);
  };
  for (const auto& [base, name, text] :
       std::initializer_list<std::tuple<const char*, const char*, const char*>>{
           {"long", "timestamp-millis", R"("2026-01-31T23:59:59.5Z")"},
           {"long", "timestamp-nanos", R"("1969-12-31T23:59:59.999999999Z")"},
           {"long", "timestamp-nanos", R"("1677-09-21T00:12:43.145224192Z")"},  // the earliest
           {"long", "timestamp-nanos", R"("2262-04-11T23:47:16.854775807Z")"},  // the latest
           {"long", "local-timestamp-micros", R"("2024-02-29T00:00:00")"},
           {"long", "timestamp-millis", "9223372036854775807"},
           {"int", "date", R"("0001-01-01")"},
           {"int", "time-millis", R"("12:00:00.001")"},
           {"bytes", "decimal", R"("-1234567.89")"},
           {"bytes", "decimal", R"("0.00")"},
           {"bytes", "decimal", R"("-0.01")"},
           {"bytes", "decimal", R"("1.28")"}}) {
    CHECK(there_and_back(logical(base, name), text, JsonStyle::plain) == text);
  }
  CHECK(there_and_back(R"(["null","string"])", "\"x\"", JsonStyle::plain) == "\"x\"");
  CHECK(there_and_back(R"({"type":"fixed","name":"U","size":16,"logicalType":"uuid"})",
                       R"("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")",
                       JsonStyle::plain) == R"("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")");
}

TEST_CASE("values that do not fit name their place") {
  const auto why = [](std::string_view schema, std::string_view text) {
    return there_and_back(schema, text, JsonStyle::plain);
  };
  CHECK(why(R"({"type":"array","items":"int"})", R"([1,"x"])") ==
        "a string (x) is not a value of int, at /1");
  const char* record = R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"}]})";
  CHECK(why(record, "{}") == R"(field "a" is missing and has no default, at /a)");
  CHECK(why(record, R"({"a":1,"b":2})") == R"(record R has no field "b")");
  CHECK(why(record, R"({"a":1,"a":2})").contains("twice"));
  CHECK(why("int", "1.0").contains("is not a value of int"));
  CHECK(why("long", "9223372036854775808").contains("is not a value of long"));
  CHECK(why("double", "1e999").contains("is not a value of double"));
  CHECK(why("string", R"("\ud800")").contains("half a surrogate"));
}

TEST_CASE("damaged datums are errors of to_json") {
  const auto why = [](std::string_view schema, ByteView datum) {
    const auto json = to_json((*parse(schema))->root(), datum, JsonStyle::avro);
    return json ? *json : json.error().message;
  };
  CHECK(why("string",
            "\x08"
            "abc") == "the bytes end inside a value");
  CHECK(why("null", "x") == "bytes after the end of the datum");
  CHECK(why(R"({"type":"array","items":"null"})", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01") ==
        "too many items of no size, at /65536");
  CHECK(why(R"({"type":"record","name":"R","fields":[{"name":"n","type":["null","R"]}]})",
            std::string(1000, '\x02'))
            .starts_with("values nested too deeply"));
}

TEST_CASE("trying union branches is bounded") {
  std::string schema = "\"int\"";
  std::string value = "\"x\"";
  for (int i = 0; i < 25; ++i) {
    schema =
        fmt::format(R"(["null",{{"type":"array","items":{0}}},{{"type":"record","name":"R{1}",)"
                    R"("fields":[]}}])",
                    schema, i);
    value = "[" + value + "]";
  }
  std::string datum;
  CHECK(!from_json((*parse(schema))->root(), value, JsonStyle::plain, datum).has_value());
  CHECK(datum.empty());
}

TEST_CASE("csv cells") {
  const auto cell = [](std::string_view schema, std::string_view text) {
    const auto type = parse(schema);
    std::string datum;
    const auto read = from_text((*type)->root(), text, datum);
    return read ? *to_json((*type)->root(), datum, JsonStyle::plain) : "no";
  };
  CHECK(cell("double", "1.5") == "1.5");
  CHECK(cell("double", "x") == "no");
  CHECK(cell("double", "") == "no");
  CHECK(cell("string", "") == R"("")");
  CHECK(cell(R"(["null","string"])", "") == "null");
  CHECK(cell(R"(["double","null"])", "2") == "2.0");
  CHECK(cell(R"(["null","double"])", "x") == "no");
  CHECK(cell("boolean", "true") == "true");
  CHECK(cell(R"({"type":"long","logicalType":"timestamp-micros"})", "2026-01-01T00:00:00+01:00") ==
        R"("2025-12-31T23:00:00Z")");
  CHECK(cell(R"({"type":"long","logicalType":"timestamp-micros"})", "7") ==
        R"("1970-01-01T00:00:00.000007Z")");
  CHECK(cell(R"({"type":"array","items":"int"})", "[1]") == "[1]");
}

TEST_CASE("every day of four centuries there and back") {
  int64_t days = days_from_date({1999, 12, 31});
  CHECK(days_from_date({1970, 1, 1}) == 0);
  for (int i = 0; i < 146'097; ++i, ++days) {
    const Date date = date_from_days(days);
    REQUIRE(days_from_date(date) == days);
  }
  CHECK(date_from_days(days).year == 2399);
}

TEST_CASE("times that are none are refused") {
  for (const char* text : {"2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z",
                           "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01",
                           "2026-01-01T00:00:00.0000000001Z", "0000-01-01T00:00:00Z",
                           "2026-01-01T00:00:00Zx", "0001-01-01T00:00:00+01:00", ""}) {
    CHECK_MESSAGE(!parse_rfc3339(text).has_value(), text);
  }
  int64_t units = 0;
  for (const Logical logical : {Logical::timestamp_millis, Logical::timestamp_micros,
                                Logical::local_timestamp_millis, Logical::local_timestamp_micros}) {
    std::string text;
    CHECK(!append_logical_time(logical, INT64_MIN, text));  // no such year, and no overflow
    CHECK(!append_logical_time(logical, INT64_MAX, text));
    CHECK(text.empty());
  }
  CHECK(!parse_logical_time(Logical::timestamp_millis, "2026-01-01T00:00:00.0001Z", units));
  CHECK(!parse_logical_time(Logical::timestamp_nanos, "9999-01-01T00:00:00Z", units));
  CHECK(!parse_logical_time(Logical::timestamp_nanos, "1677-09-21T00:12:43.145224191Z", units));
}

TEST_CASE("decimals keep to precision, scale and size") {
  std::string bytes;
  CHECK(!parse_decimal("123.45", 2, 4, bytes));
  CHECK(!parse_decimal("1.234", 2, 9, bytes));
  CHECK(parse_decimal("1.200", 1, 9, bytes));
  CHECK(bytes == "\x0c");
  bytes.clear();
  CHECK(parse_decimal("-128", 0, 9, bytes));
  CHECK(bytes == "\x80");
  CHECK(widen_decimal(3, bytes));
  CHECK(bytes == "\xff\xff\x80");
  CHECK(!widen_decimal(2, bytes));
  std::string big;
  CHECK(parse_decimal(std::string(300, '9'), 0, 300, big));
  std::string text;
  CHECK(append_decimal(big, 0, text));
  CHECK(text == std::string(300, '9'));
}

TEST_CASE("cases of the command line") {
  CHECK(decode_case(R"({"writer":"int","reader":"double","hex":"02"})") == R"({"value":1.0})");
  CHECK(decode_case(R"({"writer":"int","hex":"0202"})").starts_with(R"({"error":)"));
  CHECK(decode_case("nonsense").starts_with(R"({"error":)"));
  CHECK(encode_case(R"({"schema":["null","int"],"value":{"int":1}})") == R"({"hex":"0202"})");
  CHECK(encode_case(R"({"schema":"int","value":"1"})").starts_with(R"({"error":)"));
  const auto framed = encode_text("\"int\"", Framing::single_object, "1");
  REQUIRE(framed.has_value());
  CHECK(*decode_text("int", "long", Framing::single_object, *framed) == "1");
  CHECK(decode_text("long", "", Framing::single_object, *framed).error().code == "A007"_code);
}

}  // namespace
}  // namespace penstock::avro
