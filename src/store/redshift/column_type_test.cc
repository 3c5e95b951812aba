#include "store/redshift/column_type.h"

#include "avro/json.h"

#include <doctest/doctest.h>

#include <string>

namespace penstock::store::redshift {
namespace {

using namespace std::string_view_literals;

struct One {
  explicit One(const std::string& type, bool exact = false) {
    auto parsed =
        avro::parse(R"({"type":"record","name":"R","fields":[{"name":"f","type":)" + type + "}]}");
    REQUIRE_MESSAGE(parsed.has_value(), type);
    schema = *parsed;
    column = column_type(*schema->root().fields[0].type, exact);
  }
  std::string types() const {
    return column.sql() + " | " + column.stage_sql() + " | " + column.from_stage("c0");
  }
  // The text, or the reason why there is none.
  std::string whole(int64_t value) const {
    row::Column values;
    values.int64s = &value;
    return text(values);
  }
  std::string view(std::string_view value) const {
    row::Column values;
    values.kind = row::Kind::bytes;
    values.views = &value;
    return text(values);
  }
  std::string text(const row::Column& values) const {
    std::string out = "=";
    std::string_view reason;
    std::string why;
    if (append_text(column, values, 0, out, reason, why)) return out.substr(1);
    CHECK(out == "=");
    CHECK_FALSE(why.empty());
    return std::string(reason);
  }
  avro::SchemaPtr schema;
  ColumnType column;
};

std::string logical(const char* type, const char* name, const char* more = "") {
  return R"({"type":")" + std::string(type) + R"(","logicalType":")" + name + "\"" + more + "}";
}

}  // namespace

TEST_CASE("each Avro type has a column, a stage and a way between them") {
  CHECK(One("\"boolean\"").types() == "boolean | boolean | c0");
  CHECK(One("[\"null\",\"int\"]").types() == "integer | integer | c0");
  CHECK(One("\"long\"").types() == "bigint | bigint | c0");
  CHECK(One("\"float\"").types() == "real | real | c0");
  CHECK(One("\"double\"").types() == "double precision | double precision | c0");
  CHECK(One("\"string\"").types() == "varchar(65535) | varchar(65535) | c0");
  CHECK(One(R"({"type":"enum","name":"E","symbols":["ab","abcd"]})").column.sql() == "varchar(4)");
  CHECK(One("\"bytes\"").types() == "varbyte(32767) | varchar(65534) | TO_VARBYTE(c0, 'hex')");
  CHECK(One(R"({"type":"fixed","name":"F","size":3})").types() ==
        "varbyte(3) | varchar(6) | TO_VARBYTE(c0, 'hex')");
  CHECK(One(R"({"type":"array","items":"long"})").types() ==
        "super | varchar(65535) | JSON_PARSE(c0)");
  CHECK(One(logical("bytes", "decimal", R"(,"precision":38,"scale":3)")).types() ==
        "decimal(38, 3) | decimal(38, 3) | c0");
  CHECK(One(logical("bytes", "decimal", R"(,"precision":39,"scale":3)")).types() ==
        "varchar(42) | varchar(42) | c0");
  CHECK(One(logical("long", "timestamp-millis")).types() == "timestamptz | timestamptz | c0");
  CHECK(One(logical("long", "timestamp-nanos"), true).types() == "bigint | bigint | c0");
  CHECK(One(logical("int", "date")).column.staged() == avro::Type::string);
  CHECK(One("\"long\"").column.staged() == avro::Type::long_);
}

TEST_CASE("times are text of the type that reads it, at most microseconds") {
  CHECK(One(logical("long", "timestamp-millis")).whole(1'767'225'600'500) ==
        "2026-01-01 00:00:00.5+00");
  CHECK(One(logical("long", "local-timestamp-micros")).whole(1'767'225'600'000'001) ==
        "2026-01-01 00:00:00.000001");
  CHECK(One(logical("long", "timestamp-nanos")).whole(-1) == "1969-12-31 23:59:59.999999+00");
  CHECK(One(logical("int", "date")).whole(20'454) == "2026-01-01");
  CHECK(One(logical("int", "time-millis")).whole(86'399'999) == "23:59:59.999");
  CHECK(One(logical("long", "timestamp-millis")).whole(INT64_MAX) == "store.out_of_range");
}

TEST_CASE("views are text, and what Redshift could not hold as it is, is refused") {
  CHECK(One("\"string\"").view("grün | \\N") == "grün | \\N");
  CHECK(One("\"string\"").view("a\0b"sv) == "store.nul_character");
  CHECK(One("\"string\"").view(kNullText) == "store.constraint");
  CHECK(One("\"string\"").view(std::string(65'535, 'x')).size() == 65'535);
  CHECK(One("\"string\"").view(std::string(65'536, 'x')) == "store.too_large");
  CHECK(One("\"bytes\"").view("\0\xff"sv) == "00ff");
  CHECK(One("\"bytes\"").view(std::string(32'768, 'x')) == "store.too_large");
  CHECK(One(logical("bytes", "decimal", R"(,"precision":5,"scale":2)")).view("\xff\x85") ==
        "-1.23");
  CHECK(One(R"({"type":"fixed","name":"D","size":12,"logicalType":"duration"})")
            .view("\1\0\0\0\2\0\0\0\xdc\5\0\0"sv) == "P1M2DT1.500S");
  CHECK(One(R"({"type":"array","items":"long"})").view("\4\2\4\0"sv) == "[1,2]");
}

TEST_CASE("a column that is there narrows what is taken, or does not fit") {
  std::string why;
  One text("\"string\"");
  REQUIRE(text.column.fit({"character varying", 4, 0, 0}, why));
  CHECK(text.view("grün") == "store.too_large");  // five bytes
  CHECK(text.view("grau") == "grau");

  One number("\"long\"");
  REQUIRE(number.column.fit({"smallint", 0, 0, 0}, why));
  int64_t value = 40'000;
  row::Column values;
  values.int64s = &value;
  std::string_view reason;
  CHECK_FALSE(check_number(number.column, values, 0, reason, why));
  CHECK(reason == "store.out_of_range");

  why.clear();
  One real("\"double\"");
  CHECK_FALSE(real.column.fit({"real", 0, 0, 0}, why));
  CHECK(why == "as real, the records need double precision");
  One decimal(logical("bytes", "decimal", R"(,"precision":10,"scale":3)"));
  CHECK(decimal.column.fit({"numeric", 0, 12, 3}, why));
  CHECK_FALSE(decimal.column.fit({"numeric", 0, 12, 2}, why));
  CHECK_FALSE(decimal.column.fit({"numeric", 0, 9, 3}, why));
}

}  // namespace penstock::store::redshift
