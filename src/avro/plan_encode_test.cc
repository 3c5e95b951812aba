#include "avro/plan_fixture.h"

namespace penstock::avro {
namespace {

constexpr std::string_view kInput = R"({"type":"record","name":"R","fields":[
  {"name":"a","type":"string"},{"name":"b","type":"int"},{"name":"c","type":"double"},
  {"name":"d","type":["null","string"]}]})";

std::string record(std::string_view fields) {
  return R"({"type":"record","name":"R","fields":[)" + std::string(fields) + "]}";
}

Origin input_field(uint32_t field) { return {.from = Origin::From::input_field, .index = field}; }
Origin slot(uint32_t index, const Node& type) {
  return {.from = Origin::From::slot, .index = index, .slot_type = &type};
}

// Decodes kInput rows for `encode` and encodes row 0; "error: …" when that fails.
std::string encoded(const EncodePlan& encode, Rows& rows, std::vector<Want> wants = {}) {
  auto decode =
      DecodePlan::compile(schema_of(kInput), schema_of(kInput), std::move(wants), encode.cuts());
  REQUIRE(decode.has_value());
  decode->decode(rows.payloads, rows.batch);
  REQUIRE(rows.batch.live.size() == rows.payloads.size());
  std::string out = "kept";
  std::string why;
  if (!encode.encode(rows.batch, 0, out, &why)) {
    CHECK(out == "kept");
    return "error: " + why;
  }
  REQUIRE(out.starts_with("kept"));
  return out.substr(4);
}

EncodePlan plan_of(std::string_view output, std::vector<Origin> origins) {
  auto plan = EncodePlan::compile(schema_of(kInput), schema_of(output), std::move(origins));
  REQUIRE_MESSAGE(plan.has_value(), (plan ? "" : plan.error().message));
  return std::move(*plan);
}

std::string row_bytes() { return Datum().text("m1").whole(5).real(1.5).whole(1).text("ok"); }

TEST_CASE("a record with something appended is one copy and no cut") {
  const SchemaPtr text = schema_of(R"("string")");
  const EncodePlan plan = plan_of(
      record(
          R"({"name":"a","type":"string"},{"name":"b","type":"long"},{"name":"c","type":"double"},
                {"name":"d","type":["null","string"]},{"name":"e","type":"string"})"),
      {input_field(0), input_field(1), input_field(2), input_field(3), slot(0, text->root())});
  CHECK(plan.cuts().empty());
  Rows rows({row_bytes()}, 1);
  rows.batch.columns[0] = rows.batch.make_column(row::Kind::string, false);
  rows.batch.columns[0].views[0] = "north";
  CHECK(encoded(plan, rows) == row_bytes() + std::string(Datum().text("north")));
}

TEST_CASE("a replaced field is cut out, the rest is copied") {
  const SchemaPtr number = schema_of(R"("double")");
  EncodePlan plan = plan_of(
      record(R"({"name":"a","type":"string"},{"name":"b","type":"int"},{"name":"c","type":"double"},
                {"name":"d","type":["null","string"]})"),
      {input_field(0), input_field(1), slot(0, number->root()), input_field(3)});
  CHECK(plan.cuts() == std::vector<uint32_t>{2, 3});
  Rows rows({row_bytes()}, 1);
  rows.batch.columns[0] = rows.batch.make_column(row::Kind::float64, false);
  rows.batch.columns[0].float64s[0] = 9.25;
  CHECK(encoded(plan, rows) ==
        std::string(Datum().text("m1").whole(5).real(9.25).whole(1).text("ok")));
}

TEST_CASE("fields may change places and types") {
  const EncodePlan plan =
      plan_of(record(R"({"name":"d","type":["string","null"]},{"name":"b","type":"double"},
                        {"name":"a","type":["null","bytes"]})"),
              {input_field(3), input_field(1), input_field(0)});
  Rows rows({row_bytes()});
  CHECK(encoded(plan, rows) ==
        std::string(Datum().whole(0).text("ok").real(5).whole(1).text("m1")));
}

TEST_CASE("several outputs share one list of cuts") {
  EncodePlan plan = plan_of(record(R"({"name":"c","type":"double"})"), {input_field(2)});
  CHECK(plan.cuts() == std::vector<uint32_t>{2, 3});
  const std::vector<uint32_t> recorded{1, 2, 3};
  plan.bind_cuts(recorded);
  auto decode = DecodePlan::compile(schema_of(kInput), schema_of(kInput), {}, recorded);
  Rows rows({row_bytes()});
  decode->decode(rows.payloads, rows.batch);
  std::string out;
  REQUIRE(plan.encode(rows.batch, 0, out, nullptr));
  CHECK(out == std::string(Datum().real(1.5)));
}

// One slot of type `from`, filled by `fill`, as a field of type `to`.
template <class Fill>
std::string converted(std::string_view from, std::string_view to, Fill fill) {
  const SchemaPtr type = schema_of(from);
  auto plan = EncodePlan::compile(
      schema_of(kInput), schema_of(record(R"({"name":"x","type":)" + std::string(to) + "}")),
      {slot(0, type->root())});
  if (!plan) return "refused: " + plan.error().message;
  Rows rows({row_bytes()}, 1);
  const SlotShape shape = slot_shape(type->root());
  rows.batch.columns[0] = rows.batch.make_column(shape.kind, shape.nullable);
  fill(rows.batch.columns[0]);
  return encoded(*plan, rows);
}

auto whole(int64_t value) {
  return [=](row::Column& column) { column.int64s[0] = value; };
}
auto real(double value) {
  return [=](row::Column& column) { column.float64s[0] = value; };
}
auto view(std::string_view value) {
  return [=](row::Column& column) { column.views[0] = value; };
}
void null(row::Column& column) { column.nulls[0] = 1; }

constexpr std::string_view kEnum = R"({"type":"enum","name":"E","symbols":["A","B"]})";
constexpr std::string_view kFixed = R"({"type":"fixed","name":"F","size":3})";

TEST_CASE("slots become numbers that they fit") {
  CHECK(converted("\"long\"", "\"long\"", whole(-70)) == std::string(Datum().whole(-70)));
  CHECK(converted("\"long\"", "\"int\"", whole(INT32_MIN)) ==
        std::string(Datum().whole(INT32_MIN)));
  CHECK(converted("\"long\"", "\"int\"", whole(int64_t{INT32_MAX} + 1)) ==
        "error: 2147483648 does not fit an int, for field \"x\"");
  CHECK(converted("\"long\"", "\"float\"", whole(3)) == std::string(Datum().single(3)));
  CHECK(converted("\"int\"", "\"double\"", whole(3)) == std::string(Datum().real(3)));
  CHECK(converted("\"double\"", "\"float\"", real(0.5)) == std::string(Datum().single(0.5f)));
  CHECK(converted("\"double\"", "\"float\"", real(1e300)).starts_with("error: "));
  CHECK(converted("\"float\"", "\"double\"", real(0.5)) == std::string(Datum().real(0.5)));
  CHECK(converted("\"double\"", "\"long\"", real(0.5)).starts_with("refused: "));
  CHECK(converted("\"boolean\"", "\"boolean\"",
                  [](row::Column& column) { column.booleans[0] = 1; }) == "\x01");
}

TEST_CASE("slots become text, symbols and fixed") {
  CHECK(converted("\"string\"", kEnum, view("B")) == std::string(Datum().whole(1)));
  CHECK(converted("\"string\"", kEnum, view("C")) == "error: unknown symbol \"C\" for field \"x\"");
  CHECK(converted(kEnum, "\"string\"", view("B")) == std::string(Datum().text("B")));
  CHECK(converted("\"bytes\"", kFixed, view("abc")) == "abc");
  CHECK(converted("\"bytes\"", kFixed, view("ab")) ==
        "error: 2 bytes instead of 3 for field \"x\"");
  CHECK(converted("\"bytes\"", "\"string\"", view("ab")) == std::string(Datum().text("ab")));
  CHECK(converted("\"bytes\"", "\"string\"", view("\xFF")).starts_with("error: "));
}

TEST_CASE("nulls go where null fits") {
  const std::string to_null_first = std::string(Datum().whole(1).whole(7));
  CHECK(converted("\"long\"", R"(["null","long"])", whole(7)) == to_null_first);
  CHECK(converted("\"long\"", R"(["long","null"])", whole(7)) ==
        std::string(Datum().whole(0).whole(7)));
  CHECK(converted(R"(["null","long"])", R"(["null","long"])", null) ==
        std::string(Datum().whole(0)));
  CHECK(converted(R"(["null","long"])", R"(["long","null"])", null) ==
        std::string(Datum().whole(1)));
  CHECK(converted(R"(["null","long"])", R"(["null","long"])", whole(7)) ==
        std::string(Datum().whole(1).whole(7)));
  CHECK(converted(R"(["null","long"])", "\"long\"", whole(7)) == std::string(Datum().whole(7)));
  CHECK(converted(R"(["null","long"])", "\"long\"", null) == "error: null for field \"x\"");
  CHECK(converted("\"int\"", R"(["null","double","long"])", whole(7)) ==
        std::string(Datum().whole(1).real(7)));
  CHECK(converted("\"long\"", R"(["null","double","long"])", whole(7)) ==
        std::string(Datum().whole(2).whole(7)));
}

TEST_CASE("datum slots are taken over, or resolved") {
  const std::string items = Datum().whole(2).whole(3).whole(4).whole(0);
  CHECK(converted(R"({"type":"array","items":"int"})", R"({"type":"array","items":"long"})",
                  view(items)) == items);
  CHECK(converted(R"({"type":"array","items":"int"})",
                  R"(["null",{"type":"array","items":"double"}])",
                  view(items)) == std::string(Datum().whole(1).whole(2).real(3).real(4).whole(0)));
  CHECK(converted("\"null\"", R"(["long","null"])", view("")) == std::string(Datum().whole(1)));
  constexpr std::string_view kMaybe = R"(["null",{"type":"array","items":"int"}])";
  constexpr std::string_view kSure = R"({"type":"array","items":"int"})";
  CHECK(converted(kMaybe, kSure, view(std::string(Datum().whole(1)) + items)) == items);
  CHECK(
      converted(kMaybe, kSure, view(std::string_view("\0", 1))).starts_with("error: null cannot"));
}

}  // namespace
}  // namespace penstock::avro
