#include "store/redshift/staged_rows.h"

#include "avro/container.h"
#include "avro/json.h"
#include "avro/write.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

namespace penstock::store::redshift {
namespace {

avro::SchemaPtr schema() {
  auto parsed = avro::parse(R"({"type":"record","name":"R","fields":[
    {"name":"flag","type":"boolean"},{"name":"Small","type":["null","int"]},
    {"name":"large","type":"long"},{"name":"ratio","type":["float","null"]},
    {"name":"share","type":"double"},{"name":"text","type":["null","string"]},
    {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"raw","type":["null","bytes"]},
    {"name":"list","type":{"type":"array","items":"long"}}]})");
  REQUIRE(parsed.has_value());
  return *parsed;
}

// Three rows that differ in everything; of the second all that may be null is.
struct Rows {
  Rows() {
    avro::append_long(2, list);
    avro::append_long(7, list);
    avro::append_long(-8, list);
    avro::append_long(0, list);
    rows.count = 3;
    rows.ids = ids;
    rows.columns = {{.kind = row::Kind::boolean, .booleans = flags.data()},
                    {.int64s = smalls.data(), .nulls = nulls.data()},
                    {.int64s = larges.data()},
                    {.kind = row::Kind::float64, .float64s = ratios.data(), .nulls = nulls.data()},
                    {.kind = row::Kind::float64, .float64s = shares.data()},
                    {.kind = row::Kind::string, .views = texts.data(), .nulls = nulls.data()},
                    {.int64s = ats.data()},
                    {.kind = row::Kind::bytes, .views = raws.data(), .nulls = nulls.data()},
                    {.kind = row::Kind::datum, .views = lists.data()}};
    lists.fill(list);
  }
  std::array<uint8_t, 3> flags = {1, 0, 1}, nulls = {0, 1, 0};
  std::array<int64_t, 3> smalls = {-5, 0, 2'147'483'647};
  std::array<int64_t, 3> larges = {INT64_MIN, 0, INT64_MAX};
  std::array<double, 3> ratios = {0.5, 0, -2}, shares = {1e300, -0.0, 0.1};
  std::array<ByteView, 3> texts = {"\xc3\xa4", "", ""};
  std::array<int64_t, 3> ats = {1'767'225'600'500, 0, -1};
  std::array<ByteView, 3> raws = {ByteView("\x00\xff", 2), "", "a"};
  std::string list;
  std::array<ByteView, 3> lists;
  std::array<flow::RowId, 3> ids = {{{{0, 0}, {10}}, {{0, 0}, {11}}, {{0, 1}, {12}}}};
  flow::StoreRows rows;
};

std::vector<ColumnType> columns_of(const avro::Schema& schema) {
  std::vector<ColumnType> columns;
  for (const avro::Field& field : schema.root().fields) {
    columns.push_back(column_type(*field.type, false));
  }
  return columns;
}

std::vector<std::string> read(std::string_view bytes) {
  auto file = avro::ContainerReader::open(bytes);
  REQUIRE(file.has_value());
  std::vector<std::string> all;
  while (true) {
    const auto datum = file->next();
    REQUIRE(datum.has_value());
    if (!*datum) return all;
    all.push_back(*avro::to_json(file->schema()->root(), **datum, avro::JsonStyle::plain));
  }
}

}  // namespace

TEST_CASE("the staging file: a record for each winner, in their order, as the columns read it") {
  const avro::SchemaPtr types = schema();
  const Rows some;
  const std::array<flow::StoreRows, 2> rows = {some.rows, some.rows};
  const std::vector<Winner> winners = {{1, 0, 0}, {0, 1, 0}, {0, 2, 0}};
  const StagedRows staged = stage_rows(columns_of(*types), *types, rows, winners);
  CHECK(staged.rejected.empty());
  const std::vector<std::string> read_back = read(staged.bytes);
  REQUIRE(read_back.size() == 3);
  CHECK(read_back[0] ==
        R"({"penstock_row":0,"c0":true,"c1":-5,"c2":-9223372036854775808,"c3":0.5,"c4":1e+300,)"
        "\"c5\":\"\xc3\xa4\","
        R"("c6":"2026-01-01 00:00:00.5+00","c7":"00ff","c8":"[7,-8]"})");
  CHECK(read_back[1] == R"({"penstock_row":1,"c0":false,"c1":null,"c2":0,"c3":null,"c4":-0.0,)"
                        R"("c5":null,"c6":"1970-01-01 00:00:00+00","c7":null,"c8":"[7,-8]"})");
  CHECK(read_back[2].contains(R"("c1":2147483647,"c2":9223372036854775807,"c3":-2)"));
  CHECK(read_back[2].contains(R"("c6":"1969-12-31 23:59:59.999+00","c7":"61")"));
  CHECK(stage_rows(columns_of(*types), *types, rows, winners).bytes == staged.bytes);
}

TEST_CASE("the staging file: a row without a place is told, and is not in it; numbers stay") {
  const avro::SchemaPtr types = schema();
  Rows some;
  std::vector<ColumnType> columns = columns_of(*types);
  std::string why;
  REQUIRE(columns[1].fit({"smallint"}, why));
  const std::array<flow::StoreRows, 1> rows = {some.rows};
  const std::vector<Winner> winners = {{0, 2, 0}, {0, 0, 0}, {0, 1, 0}};
  const StagedRows staged = stage_rows(columns, *types, rows, winners);
  REQUIRE(staged.rejected.size() == 1);
  CHECK(staged.rejected[0].row == some.ids[2]);
  CHECK(staged.rejected[0].reason == "store.out_of_range");
  CHECK(staged.rejected[0].detail.starts_with("column \"Small\" "));
  const std::vector<std::string> read_back = read(staged.bytes);
  REQUIRE(read_back.size() == 2);
  CHECK(read_back[0].starts_with(R"({"penstock_row":1,)"));
  CHECK(read_back[1].starts_with(R"({"penstock_row":2,)"));
}

TEST_CASE("the staging file: COPY's limits of 1 MB for the header and 4 MB for a block hold") {
  std::string text = R"({"type":"record","name":"R","fields":[)";
  constexpr size_t kFields = 1'600;  // Redshift's most columns
  for (size_t i = 0; i < kFields; ++i) {
    text += (i > 0 ? "," : "") + ("{\"name\":\"f" + std::to_string(i)) +
            "\",\"type\":[\"null\",\"string\"]}";
  }
  const auto parsed = avro::parse(text + "]}");
  REQUIRE(parsed.has_value());
  const std::string value(60'000, 'x');
  std::array<ByteView, 2> values = {value, value};
  std::array<uint8_t, 2> nulls = {0, 1};
  std::array<flow::RowId, 2> ids = {{{{0, 0}, {1}}, {{0, 0}, {2}}}};
  flow::StoreRows rows{.count = 2, .columns = {}, .ids = ids};
  rows.columns.assign(kFields,
                      {.kind = row::Kind::string, .views = values.data(), .nulls = nulls.data()});
  const std::array<flow::StoreRows, 1> all = {rows};
  const std::vector<Winner> winners = {{0, 0, 0}, {0, 1, 0}};
  const StagedRows staged = stage_rows(columns_of(**parsed), **parsed, all, winners);
  REQUIRE(staged.rejected.size() == 1);  // 96 MB
  CHECK(staged.rejected[0].reason == "store.too_large");
  CHECK(read(staged.bytes).size() == 1);
  CHECK(staged.bytes.size() < 1'000'000);
}

}  // namespace penstock::store::redshift
