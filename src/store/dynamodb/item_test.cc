#include "store/dynamodb/item.h"

#include "store/dynamodb/answer.h"
#include "store/dynamodb/version.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace penstock::store::dynamodb {
namespace {

// One field of one row.
struct Cell {
  explicit Cell(const std::string& type_json) : schema(*avro::parse(type_json)) {
    column.kind = avro::slot_shape(schema->root()).kind;
  }
  std::string write() {
    std::string out;
    size = 0;
    refusal = {};
    return append_attribute(schema->root(), column, 0, out, size, refusal) ? out : "refused";
  }
  std::string of(int64_t value) {
    column.int64s = &value;
    return write();
  }
  std::string of(double value) {
    column.float64s = &value;
    return write();
  }
  std::string of(std::string_view value) {
    column.views = &value;
    return write();
  }
  std::string ordered(double value) {
    column.float64s = &value;
    std::string out;
    append_ordered(schema->root(), column, 0, out);
    return out;
  }
  std::string ordered(std::string_view value) {
    column.views = &value;
    std::string out;
    append_ordered(schema->root(), column, 0, out);
    return out;
  }
  avro::SchemaPtr schema;
  row::Column column;
  size_t size = 0;
  Refusal refusal;
};

}  // namespace

TEST_CASE("types of Avro as attributes") {
  CHECK(Cell(R"("long")").of(int64_t{-12}) == R"({"N":"-12"})");
  CHECK(Cell(R"("string")").of("a\"b") == R"({"S":"a\"b"})");
  CHECK(Cell(R"("bytes")").of(std::string_view("\x00\xff", 2)) == R"({"B":"AP8="})");
  CHECK(Cell(R"("double")").of(2.5) == R"({"N":"2.5"})");
  CHECK(Cell(R"("double")").of(-0.0) == R"({"N":"0"})");
  CHECK(Cell(R"("float")").of(static_cast<double>(0.1f)) == R"({"N":"0.1"})");
  const char* millis = R"({"type":"long","logicalType":"timestamp-millis"})";
  CHECK(Cell(millis).of(int64_t{0}) == R"({"S":"1970-01-01T00:00:00.000Z"})");
  CHECK(Cell(millis).of(int64_t{1'500}) == R"({"S":"1970-01-01T00:00:01.500Z"})");
  CHECK(Cell(R"({"type":"int","logicalType":"date"})").of(int64_t{31}) == R"({"S":"1970-02-01"})");
  CHECK(Cell(R"({"type":"int","logicalType":"time-millis"})").of(int64_t{1}) ==
        R"({"S":"00:00:00.001"})");
  const char* decimal = R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":2})";
  CHECK(Cell(decimal).of(std::string_view("\xfb\x1e", 2)) == R"({"N":"-12.50"})");
}

TEST_CASE("nested values are maps and lists, nulls are left out") {
  Cell list(R"({"type":"array","items":["null","long"]})");
  CHECK(list.of(std::string_view("\x04\x00\x02\x0e\x00", 5)) ==
        R"({"L":[{"NULL":true},{"N":"7"}]})");
  Cell record(R"({"type":"record","name":"R","fields":[{"name":"a","type":["null","string"]},)"
              R"({"name":"b","type":{"type":"map","values":"boolean"}}]})");
  CHECK(record.of(std::string_view("\x00\x02\x02k\x01\x00", 6)) ==
        R"({"M":{"b":{"M":{"k":{"BOOL":true}}}}})");
  CHECK(record.of(std::string_view("\x02", 1)) == "refused");
}

TEST_CASE("what DynamoDB has no number or time for is refused") {
  Cell real(R"("double")");
  CHECK(real.of(std::numeric_limits<double>::quiet_NaN()) == "refused");
  CHECK(real.refusal.reason == "store.not_a_number");
  CHECK(real.of(1e126) == "refused");
  CHECK(real.refusal.reason == "store.out_of_range");
  CHECK(real.of(1e-131) == "refused");
  CHECK(real.of(9e125) != "refused");
  Cell time(R"({"type":"long","logicalType":"timestamp-micros"})");
  CHECK(time.of(std::numeric_limits<int64_t>::min()) == "refused");
  Cell decimal(R"({"type":"bytes","logicalType":"decimal","precision":60,"scale":0})");
  CHECK(decimal.of(std::string(17, '\x7f')) == "refused");
}

TEST_CASE("the order of versions is that of the values") {
  Cell real(R"("double")");
  const double ascending[] = {-1e300, -2.5, -1.0, 0.0, 1e-9, 1.0, 2.5, 1e300};
  for (size_t i = 1; i < std::size(ascending); ++i)
    CHECK(real.ordered(ascending[i - 1]) < real.ordered(ascending[i]));
  CHECK(real.ordered(-0.0) == real.ordered(0.0));
  Cell text(R"("string")");
  const std::string_view texts[] = {
      "", std::string_view("\0", 1), "a", std::string_view("a\0b", 3), "ab", "b"};
  for (size_t i = 1; i < std::size(texts); ++i) {
    // What follows a value must not change the order.
    CHECK(text.ordered(texts[i - 1]) + "\xff" < text.ordered(texts[i]) + '\0');
  }
  Cell decimal(R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":0})");
  const std::string_view decimals[] = {"\xff\x00", "\xff", std::string_view("\0", 1), "\x01",
                                       "\x01\x01"};
  CHECK(decimal.ordered(std::string_view("\xff\x00", 2)) < decimal.ordered(decimals[1]));
  for (size_t i = 2; i < std::size(decimals); ++i)
    CHECK(decimal.ordered(decimals[i - 1]) < decimal.ordered(decimals[i]));
  std::string before, after;
  append_ordered_whole(-1, before);
  append_ordered_whole(0, after);
  CHECK(before < after);
}

TEST_CASE("keys that DynamoDB can not have") {
  flow::StoreTable table{"t", flow::Merge::upsert, {"a", "b", "c"}, "", nullptr};
  table.schema =
      *avro::parse(R"({"type":"record","name":"R","fields":[{"name":"a","type":"string"},)"
                   R"({"name":"b","type":"boolean"},{"name":"c","type":"bytes"}]})");
  CHECK(key_parts(table).error().code == "S008"_code);  // three
  table.key = {"b"};
  CHECK(key_parts(table).error().code == "S008"_code);  // a boolean
  table.key = {"x"};
  CHECK(key_parts(table).error().code == "S008"_code);  // no field
  table.key = {"a", "c"};
  CHECK(*key_parts(table) == std::vector<KeyPart>{{"a", "S"}, {"c", "B"}});
}

TEST_CASE("answers that are none") {
  CHECK_FALSE(item_of("<html>").has_value());
  CHECK_FALSE(page_of("{}").has_value());
  CHECK_FALSE(table_of(R"({"Table":{"KeySchema":7}})").has_value());
  CHECK_FALSE(unprocessed_of("[", "t").has_value());
  CHECK(unprocessed_of("{}", "t")->empty());
  CHECK(capacity_of(R"({"ConsumedCapacity":{"CapacityUnits":2.5}})") == doctest::Approx(2.5));
}

}  // namespace penstock::store::dynamodb
