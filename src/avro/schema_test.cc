#include "avro/schema.h"

#include "avro/framing.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace penstock::avro {
namespace {

SchemaPtr good(std::string_view text) {
  auto schema = parse(text);
  REQUIRE_MESSAGE(schema.has_value(), schema.error().message);
  return *schema;
}
Error bad(std::string_view text) {
  auto schema = parse(text);
  REQUIRE_MESSAGE(!schema.has_value(), text);
  return schema.error();
}
std::string refused(std::string_view text) { return one_line(bad(text)); }

TEST_CASE("fingerprints are those of the specification's CRC-64-AVRO") {
  // From the schema-tests of the Apache Avro project, as signed 64-bit numbers.
  const auto fingerprint = [](std::string_view text) {
    return static_cast<int64_t>(good(text)->fingerprint());
  };
  CHECK(fingerprint("\"null\"") == 7195948357588979594);
  CHECK(fingerprint("\"boolean\"") == -6970731678124411036);
  CHECK(fingerprint("\"int\"") == 8247732601305521295);
  CHECK(fingerprint("\"long\"") == -3434872931120570953);
  CHECK(fingerprint("\"float\"") == 5583340709985441680);
  CHECK(fingerprint("\"double\"") == -8181574048448539266);
  CHECK(fingerprint("\"bytes\"") == 5746618253357095269);
  CHECK(fingerprint("\"string\"") == -8142146995180207161);
  CHECK(fingerprint(R"({"type":"fixed","name":"foo","size":15})") == 1756455273707447556);
}

TEST_CASE("the canonical form strips, orders and expands names") {
  const auto schema = good(R"({
    "type": "record", "doc": "x", "name": "Node", "namespace": "a.b", "aliases": ["Old"],
    "fields": [
      {"doc": "y", "default": 1, "type": {"type": "int", "logicalType": "date"}, "name": "v"},
      {"name": "next", "type": ["null", "Node"], "default": null},
      {"name": "kind", "type": {"symbols": ["A", "B"], "name": "c.Kind",
        "type": "enum", "default": "A"}},
      {"name": "raw", "type": {"type": "fixed", "size": 4, "name": "Raw"}},
      {"name": "list", "type": {"items": {"type": "c.Kind"}, "type": "array"}},
      {"name": "map", "type": {"values": "Raw", "type": "map"}}]})");
  CHECK(schema->canonical() ==
        R"({"name":"a.b.Node","type":"record","fields":[{"name":"v","type":"int"},)"
        R"({"name":"next","type":["null","a.b.Node"]},)"
        R"({"name":"kind","type":{"name":"c.Kind","type":"enum","symbols":["A","B"]}},)"
        R"({"name":"raw","type":{"name":"a.b.Raw","type":"fixed","size":4}},)"
        R"({"name":"list","type":{"type":"array","items":"c.Kind"}},)"
        R"({"name":"map","type":{"type":"map","values":"a.b.Raw"}}]})");
  CHECK(schema->root().aliases == std::vector<std::string>{"a.b.Old"});
  CHECK(schema->root().field("next")->type->branches[1] == &schema->root());
  CHECK(good(schema->canonical())->canonical() == schema->canonical());
  CHECK(good(schema->json())->json() == schema->json());
}

TEST_CASE("logical types are read, and ignored where they do not fit") {
  const auto logical = [](std::string_view text) { return good(text)->root().logical; };
  CHECK(logical(R"({"type":"int","logicalType":"date"})") == Logical::date);
  CHECK(logical(R"({"type":"long","logicalType":"date"})") == Logical::none);
  CHECK(logical(R"({"type":"long","logicalType":"timestamp-nanos"})") == Logical::timestamp_nanos);
  CHECK(logical(R"({"type":"string","logicalType":"uuid"})") == Logical::uuid);
  CHECK(logical(R"({"type":"string","logicalType":"mine"})") == Logical::none);
  CHECK(logical(R"({"type":"bytes","logicalType":"decimal","precision":4,"scale":2})") ==
        Logical::decimal);
  CHECK(logical(R"({"type":"bytes","logicalType":"decimal","precision":4,"scale":5})") ==
        Logical::none);
  CHECK(logical(R"({"type":"bytes","logicalType":"decimal"})") == Logical::none);
  CHECK(logical(R"({"type":"fixed","name":"F","size":2,"logicalType":"decimal","precision":4})") ==
        Logical::decimal);
  CHECK(logical(R"({"type":"fixed","name":"F","size":2,"logicalType":"decimal","precision":5})") ==
        Logical::none);
  CHECK(logical(R"({"type":"fixed","name":"F","size":12,"logicalType":"duration"})") ==
        Logical::duration);
}

TEST_CASE("defaults are checked and encoded") {
  const auto datum = [](std::string_view type, std::string_view initial) {
    return good(fmt::format(R"({{"type":"record","name":"R",)"
                            R"("fields":[{{"name":"f","type":{},"default":{}}}]}})",
                            type, initial))
        ->root()
        .fields[0]
        .default_datum;
  };
  CHECK(datum(R"("long")", "9223372036854775807") ==
        std::string("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
  CHECK(datum(R"(["null","string"])", "null") == std::string(1, '\0'));
  CHECK(datum(R"(["null","string"])", R"("a")") ==
        "\x02\x02"
        "a");
  CHECK(datum(R"("bytes")", R"("\u00ff")") == "\x02\xff");
  CHECK(datum(R"({"type":"array","items":"int"})", "[1,2]") == std::string("\x04\x02\x04\0", 4));
  CHECK(datum(R"({"type":"record","name":"I","fields":[{"name":"a","type":"int","default":3}]})",
              "{}") == "\x06");
  const std::string record =
      R"({{"type":"record","name":"R","fields":[{{"name":"f","type":{},"default":{}}}]}})";
  for (const auto& [type, initial] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"("int")", "2147483648"},
           {R"("int")", "\"1\""},
           {R"("string")", "null"},
           {R"(["null","int"])", "\"x\""},
           {R"("bytes")", R"("\u0100")"},
           {R"({"type":"enum","name":"E","symbols":["A"]})", R"("B")"},
           {R"("R")", "{}"}}) {
    const Error error = bad(fmt::format(fmt::runtime(record), type, initial));
    CHECK(error.code == "A003"_code);
    CHECK(error.message.ends_with("at /fields/0/default"));
  }
}

TEST_CASE("what is not a schema is refused, with its place") {
  CHECK(bad(R"({"type":"record","name":"R","fields":[{"name":"a","type":"Foo"}]})").message ==
        R"(unknown type "Foo", at /fields/0/type)");
  CHECK(refused(R"(["int",["null"]])").starts_with("A001"));
  CHECK(refused(R"(["int","int"])").starts_with("A001"));
  CHECK(refused(R"({"type":"enum","name":"E","symbols":["A","A"]})").starts_with("A001"));
  CHECK(refused(R"({"type":"enum","name":"E","symbols":["A-"]})").starts_with("A001"));
  CHECK(refused(R"({"type":"fixed","name":"E","size":-1})").starts_with("A001"));
  CHECK(refused(R"({"type":"fixed","name":"E","size":1.5})").starts_with("A001"));
  CHECK(refused(R"({"type":"array"})").starts_with("A001"));
  CHECK(refused(R"({"type":"int","type":"int"})").starts_with("A001"));
  CHECK(refused(R"({"type":"record","name":"1R","fields":[]})").starts_with("A001"));
  CHECK(refused(R"({"type":"record","name":"a.int","fields":[]})").starts_with("A001"));
  CHECK(refused("").starts_with("A001"));
  CHECK(refused("{").starts_with("A001"));
  CHECK(refused("\"\xff\"").starts_with("A001"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += R"({"type":"array","items":)";
  CHECK(refused(deep + "\"int\"" + std::string(100, '}')).starts_with("A004"));
  CHECK(refused(std::string(300'000, '[')).starts_with("A004"));
  CHECK(refused(std::string(200'000, '[')).starts_with("A001"));
  std::string wide = R"({"type":"record","name":"R","fields":[)";
  for (int i = 0; i < 2001; ++i)
    wide += fmt::format(R"({}{{"name":"f{}","type":"int"}})", i == 0 ? "" : ",", i);
  CHECK(refused(wide + "]}").starts_with("A004"));
}

TEST_CASE("defaults of defaults cannot grow without bounds") {
  std::string text =
      R"({"type":"record","name":"L0","fields":[{"name":"x","type":"long","default":1}]})";
  for (int level = 1; level < 30; ++level) {
    text = fmt::format(
        R"({{"type":"record","name":"L{0}","fields":[{{"name":"a","type":{1},"default":{{}}}},)"
        R"({{"name":"b","type":"L{2}","default":{{}}}}]}})",
        level, text, level - 1);
  }
  CHECK(bad(text).code == "A003"_code);
}

TEST_CASE("schemas are made from parts of others") {
  const auto source =
      good(R"({"type":"record","name":"e.R","fields":[)"
           R"({"name":"k","type":{"type":"enum","name":"K","symbols":["A"]}},)"
           R"({"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}},)"
           R"({"name":"self","type":["null","R"]}]})");
  const Node* kind = source->root().field("k")->type;
  const Node* time = source->root().field("t")->type;
  auto made = make_record("e.S", {{"a", kind, ""}, {"b", kind, "\"A\""}, {"t", time, "5"}});
  REQUIRE(made.has_value());
  CHECK((*made)->root().field("b")->default_datum == std::string(1, '\0'));
  CHECK((*made)->root().field("b")->type == (*made)->root().field("a")->type);
  CHECK((*made)->root().field("t")->type->logical == Logical::timestamp_micros);
  auto clash = make_record("e.R", {{"self", source->root().field("self")->type, ""}});
  REQUIRE(!clash.has_value());
  CHECK(clash.error().code == "A002"_code);
  const auto copy = extract(source->root());
  REQUIRE(copy.has_value());
  CHECK((*copy)->canonical() == source->canonical());
  CHECK((*nullable(*time))->root().nullable_branch()->logical == Logical::timestamp_micros);
  CHECK((*nullable(primitive(Type::null_)->root()))->root().type == Type::null_);
  CHECK((*nullable(good(R"(["int","string"])")->root()))->canonical() ==
        R"(["null","int","string"])");
  CHECK(describe((*nullable(*time))->root()) == "null or timestamp-micros");
  CHECK(describe(source->root()) == "record e.R");
}

TEST_CASE("slot shapes") {
  const auto shape = [](std::string_view text) { return slot_shape(good(text)->root()); };
  CHECK(shape("int").kind == row::Kind::int64);
  CHECK(shape("float").kind == row::Kind::float64);
  CHECK(shape(R"({"type":"fixed","name":"F","size":2})").kind == row::Kind::bytes);
  CHECK(shape("null").kind == row::Kind::datum);
  CHECK(shape(R"(["string","null"])").kind == row::Kind::string);
  CHECK(shape(R"(["string","null"])").nullable);
  const SlotShape list = shape(R"(["null",{"type":"array","items":"int"}])");
  CHECK(list.kind == row::Kind::datum);
  CHECK(!list.nullable);
  CHECK(shape(R"(["int","string"])").kind == row::Kind::datum);
}

TEST_CASE("single-object framing") {
  std::string framed;
  append_single_object_header(0x0123456789abcdef, framed);
  CHECK(framed == "\xc3\x01\xef\xcd\xab\x89\x67\x45\x23\x01");
  framed += "datum";
  uint64_t fingerprint = 0;
  ByteView datum;
  REQUIRE(strip_single_object(framed, fingerprint, datum));
  CHECK(fingerprint == 0x0123456789abcdef);
  CHECK(datum == "datum");
  CHECK(!strip_single_object(std::string_view(framed).substr(0, 9), fingerprint, datum));
  CHECK(!strip_single_object("\xc3\x02 and eight more", fingerprint, datum));
}

}  // namespace
}  // namespace penstock::avro
