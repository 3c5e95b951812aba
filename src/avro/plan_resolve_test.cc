#include "avro/plan_fixture.h"

namespace penstock::avro {
namespace {

std::string record(std::string_view fields, std::string_view name = "R") {
  return R"({"type":"record","name":")" + std::string(name) + R"(","fields":[)" +
         std::string(fields) + "]}";
}

bool failed(const std::string& result) { return result.starts_with("error: "); }

TEST_CASE("numbers are promoted, never narrowed") {
  CHECK(resolved("\"int\"", "\"long\"", Datum().whole(-5)) == std::string(Datum().whole(-5)));
  CHECK(resolved("\"int\"", "\"float\"", Datum().whole(-5)) == std::string(Datum().single(-5)));
  CHECK(resolved("\"int\"", "\"double\"", Datum().whole(-5)) == std::string(Datum().real(-5)));
  CHECK(resolved("\"long\"", "\"float\"", Datum().whole(5)) == std::string(Datum().single(5)));
  CHECK(resolved("\"long\"", "\"double\"", Datum().whole(5)) == std::string(Datum().real(5)));
  CHECK(resolved("\"float\"", "\"double\"", Datum().single(0.5f)) ==
        std::string(Datum().real(0.5)));
  CHECK(failed(resolved("\"long\"", "\"int\"", Datum().whole(5))));
  CHECK(failed(resolved("\"double\"", "\"float\"", Datum().real(5))));
  CHECK(failed(resolved("\"boolean\"", "\"int\"", "\x01")));
  CHECK(failed(resolved("\"int\"", "\"long\"", Datum().whole(int64_t{1} << 40))));
}

TEST_CASE("strings and bytes are each other's, if it is text") {
  CHECK(resolved("\"string\"", "\"bytes\"", Datum().text("ab")) == std::string(Datum().text("ab")));
  CHECK(resolved("\"bytes\"", "\"string\"", Datum().text("\xC3\xA4")) ==
        std::string(Datum().text("\xC3\xA4")));
  CHECK(failed(resolved("\"bytes\"", "\"string\"", Datum().text("\xC3"))));
  CHECK(resolved("\"bytes\"", "\"bytes\"", Datum().text("\xC3")) ==
        std::string(Datum().text("\xC3")));
}

TEST_CASE("fields match by name, then by alias; others are skipped or take defaults") {
  const std::string writer = record(
      R"({"name":"a","type":"int"},{"name":"b","type":"string"},{"name":"c","type":"double"})");
  const std::string datum = Datum().whole(1).text("bb").real(2);
  CHECK(resolved(writer, record(R"({"name":"b","type":"string"})"), datum) ==
        std::string(Datum().text("bb")));
  CHECK(resolved(writer,
                 record(R"({"name":"x","type":"int","default":7},{"name":"c","type":"double"})"),
                 datum) == std::string(Datum().whole(7).real(2)));
  CHECK(resolved(writer,
                 record(R"({"name":"c","type":"double"},{"name":"x","type":"string","default":"d"},
                                   {"name":"a","type":"long"})"),
                 datum) == std::string(Datum().real(2).text("d").whole(1)));
  CHECK(resolved(writer, record(R"({"name":"z","aliases":["q","b"],"type":"string"})"), datum) ==
        std::string(Datum().text("bb")));
  CHECK(resolved(writer, record(R"({"name":"b","type":"string"},
                                   {"name":"z","aliases":["b"],"type":"string","default":"own"})"),
                 datum) == std::string(Datum().text("bb").text("own")));
  const std::string none = resolved(writer, record(R"({"name":"x","type":"int"})"), datum);
  CHECK(none.find("field \"x\" is not in the writer's schema and has no default") !=
        std::string::npos);
}

TEST_CASE("what a reader skips is validated") {
  const std::string writer = record(R"({"name":"a","type":"string"},{"name":"b","type":"int"})");
  const std::string reader = record(R"({"name":"b","type":"int"})");
  CHECK(resolved(writer, reader, Datum().text("ok").whole(1)) == std::string(Datum().whole(1)));
  CHECK(failed(resolved(writer, reader, Datum().text("\xFF").whole(1))));
  const std::string other_order =
      record(R"({"name":"b","type":"int"},{"name":"a","type":"string"})");
  CHECK(failed(resolved(writer, other_order, Datum().text("ok"))));
  CHECK(failed(resolved(writer, other_order, Datum().text("ok").whole(1).whole(1))));
}

TEST_CASE("a record's name counts, without its namespace, and its aliases") {
  const std::string field = R"({"name":"a","type":"int"})";
  const std::string datum = Datum().whole(1);
  CHECK(resolved(record(field, "x.R"), record(field, "y.R"), datum) == datum);
  CHECK(failed(resolved(record(field, "R"), record(field, "S"), datum)));
  CHECK(resolved(record(field, "R"),
                 R"({"type":"record","name":"S","aliases":["R"],"fields":[)" + field + "]}",
                 datum) == datum);
}

TEST_CASE("enums resolve by symbol, with the reader's default") {
  constexpr std::string_view kWriter = R"({"type":"enum","name":"E","symbols":["A","B","C"]})";
  constexpr std::string_view kReader = R"({"type":"enum","name":"E","symbols":["C","A"]})";
  constexpr std::string_view kDefault =
      R"({"type":"enum","name":"E","symbols":["C","A"],"default":"A"})";
  CHECK(resolved(kWriter, kReader, Datum().whole(2)) == std::string(Datum().whole(0)));
  CHECK(resolved(kWriter, kReader, Datum().whole(0)) == std::string(Datum().whole(1)));
  CHECK(resolved(kWriter, kReader, Datum().whole(1)).find("does not have") != std::string::npos);
  CHECK(resolved(kWriter, kDefault, Datum().whole(1)) == std::string(Datum().whole(1)));
  CHECK(failed(resolved(kWriter, kReader, Datum().whole(3))));
  CHECK(
      failed(resolved(kWriter, R"({"type":"enum","name":"F","symbols":["A"]})", Datum().whole(0))));
}

TEST_CASE("fixed resolves by name and size, decimals by precision and scale") {
  constexpr std::string_view kTwo = R"({"type":"fixed","name":"F","size":2})";
  CHECK(resolved(kTwo, kTwo, "ab") == "ab");
  CHECK(failed(resolved(kTwo, R"({"type":"fixed","name":"F","size":3})", "ab")));
  CHECK(failed(resolved(kTwo, R"({"type":"fixed","name":"G","size":2})", "ab")));
  constexpr std::string_view kDecimal =
      R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":2})";
  const std::string datum = Datum().text("\x07");
  CHECK(resolved(kDecimal, kDecimal, datum) == datum);
  CHECK(resolved(kDecimal, "\"bytes\"", datum) == datum);
  CHECK(failed(resolved(
      kDecimal, R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":3})", datum)));
  CHECK(resolved(R"({"type":"long","logicalType":"timestamp-millis"})", "\"long\"",
                 Datum().whole(5)) == std::string(Datum().whole(5)));
}

TEST_CASE("a writer's union resolves by the branch that a datum uses") {
  CHECK(resolved(R"(["null","int"])", "\"long\"", Datum().whole(1).whole(5)) ==
        std::string(Datum().whole(5)));
  CHECK(failed(resolved(R"(["null","int"])", "\"long\"", Datum().whole(0))));
  CHECK(resolved(R"(["null","int"])", R"(["int","null"])", Datum().whole(0)) ==
        std::string(Datum().whole(1)));
  CHECK(resolved(R"(["null","int"])", R"(["string","double","null"])", Datum().whole(1).whole(5)) ==
        std::string(Datum().whole(1).real(5)));
  CHECK(failed(resolved(R"(["null","int"])", "\"string\"", Datum().whole(1).whole(5))));
  CHECK(failed(resolved(R"(["null","int"])", R"(["null","int"])", Datum().whole(2))));
}

TEST_CASE("a reader's union takes the very type before a promotion") {
  CHECK(resolved("\"int\"", R"(["null","double","int"])", Datum().whole(5)) ==
        std::string(Datum().whole(2).whole(5)));
  CHECK(resolved("\"int\"", R"(["null","double","long"])", Datum().whole(5)) ==
        std::string(Datum().whole(1).real(5)));
  CHECK(failed(resolved("\"string\"", R"(["null","int"])", Datum().text("a"))));
  const std::string datum = Datum().whole(5);
  const std::string in_x = record(R"({"name":"a","type":"int"})", "x.R");
  const std::string in_y = record(R"({"name":"a","type":"long"})", "y.R");
  CHECK(resolved(in_y, "[" + in_x + "," + in_y + "]", datum) ==
        std::string(Datum().whole(1).whole(5)));
  const std::string deaf = record(R"({"name":"a","type":"string"})", "x.R");
  CHECK(resolved(in_y,
                 "[" + deaf + ",\"null\"," + record(R"({"name":"a","type":"double"})", "z.R") + "]",
                 datum) == std::string(Datum().whole(2).real(5)));
}

TEST_CASE("arrays and maps resolve item by item, whatever their blocks") {
  constexpr std::string_view kInts = R"({"type":"array","items":"int"})";
  constexpr std::string_view kDoubles = R"({"type":"array","items":"double"})";
  CHECK(resolved(kInts, kDoubles, Datum().whole(2).whole(1).whole(2).whole(0)) ==
        std::string(Datum().whole(2).real(1).real(2).whole(0)));
  CHECK(resolved(kInts, kDoubles,
                 Datum().whole(-2).whole(2).whole(1).whole(2).whole(1).whole(3).whole(0)) ==
        std::string(Datum().whole(2).real(1).real(2).whole(1).real(3).whole(0)));
  CHECK(failed(resolved(kInts, kDoubles, Datum().whole(-2).whole(3).whole(1).whole(2).whole(0))));
  CHECK(failed(resolved(kInts, R"({"type":"array","items":"string"})", Datum().whole(0))));
  CHECK(resolved(R"({"type":"map","values":"int"})", R"({"type":"map","values":"long"})",
                 Datum().whole(1).text("k").whole(7).whole(0)) ==
        std::string(Datum().whole(1).text("k").whole(7).whole(0)));
  CHECK(resolved(R"({"type":"map","values":"int"})", R"({"type":"map","values":["null","float"]})",
                 Datum().whole(1).text("k").whole(7).whole(0)) ==
        std::string(Datum().whole(1).text("k").whole(1).single(7).whole(0)));
}

TEST_CASE("recursive and repeated records resolve") {
  const std::string writer =
      record(R"({"name":"v","type":"int"},{"name":"next","type":["null","R"]})");
  const std::string reader = record(
      R"({"name":"next","type":["null","R"]},{"name":"x","type":"string","default":"d"},
         {"name":"v","type":"double"})");
  const std::string datum = Datum().whole(1).whole(1).whole(2).whole(0);
  CHECK(resolved(writer, writer, datum) == datum);
  CHECK(resolved(writer, reader, datum) ==
        std::string(Datum().whole(1).whole(0).text("d").real(2).text("d").real(1)));
  const std::string twice = R"({"type":"record","name":"T","fields":[
    {"name":"p","type":{"type":"record","name":"P","fields":[{"name":"n","type":"int"}]}},
    {"name":"q","type":"P"}]})";
  const std::string wider = R"({"type":"record","name":"T","fields":[
    {"name":"p","type":{"type":"record","name":"P","fields":[{"name":"n","type":"double"}]}},
    {"name":"q","type":"P"}]})";
  CHECK(resolved(twice, wider, Datum().whole(1).whole(2)) == std::string(Datum().real(1).real(2)));
}

// The inner pair is assumed to resolve while the outer one is tried; when that fails, the
// assumption goes too.
TEST_CASE("a branch that fails late leaves nothing behind") {
  const std::string writer =
      record(R"({"name":"next","type":["null","R"]},{"name":"v","type":"int"})", "a.R");
  const std::string deaf =
      record(R"({"name":"next","type":["null","R"]},{"name":"v","type":"string"})", "b.R");
  const std::string good =
      record(R"({"name":"next","type":["null","R"]},{"name":"v","type":"double"})", "c.R");
  const std::string datum = Datum().whole(1).whole(0).whole(2).whole(1);
  CHECK(resolved(writer, "[" + deaf + "," + good + "]", datum) ==
        std::string(Datum().whole(1).whole(1).whole(0).real(2).real(1)));
}

TEST_CASE("equal schemas keep their bytes") {
  const std::string text =
      record(R"({"name":"a","type":"int"},{"name":"b","type":["null","string"]})");
  const auto keeps = [](std::string_view writer, std::string_view reader) {
    return Resolver::compile(schema_of(writer)->root(), schema_of(reader)->root())->keeps_bytes();
  };
  CHECK(keeps(text, text));
  CHECK(keeps(
      text,
      record(
          R"({"name":"z","aliases":["a"],"type":"int"},{"name":"b","type":["null","string"]})")));
  CHECK_FALSE(
      keeps(text, record(R"({"name":"a","type":"int"},{"name":"b","type":["string","null"]})")));
  CHECK_FALSE(
      keeps(text, record(R"({"name":"b","type":["null","string"]},{"name":"a","type":"int"})")));
  CHECK_FALSE(keeps("\"bytes\"", "\"string\""));
}

}  // namespace
}  // namespace penstock::avro
