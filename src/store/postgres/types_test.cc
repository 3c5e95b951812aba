#include "avro/json.h"
#include "store/postgres/test_database.h"

#include <cmath>
#include <limits>

namespace penstock::store::postgres {
namespace {

using namespace std::string_view_literals;
using row::Kind;

// One row of one field, as the sink gets it.
struct OneField {
  explicit OneField(const std::string& type) {
    auto parsed = avro::parse(R"({"type":"record","name":"R","fields":[{"name":"k","type":"long"},)"
                              R"({"name":"f","type":)" +
                              type + "}]}");
    REQUIRE_MESSAGE(parsed.has_value(), type);
    spec = flow::store_contract_spec(flow::Merge::upsert);
    spec.table.key = {"k"};
    spec.table.schema = *parsed;
    kind = avro::slot_shape(*(*parsed)->root().fields[1].type).kind;
  }
  // Commits the value as row `key`; how the commit ended, and why a row was rejected.
  std::string put(flow::Store& store, const std::function<void(row::Column&)>& set) {
    flow::StoreContractWaker waker;
    auto sink = store.open_sink(spec, waker);
    REQUIRE(sink.has_value());
    const auto wait = [&] {
      while (true) {
        flow::SinkEvent event = (*sink)->poll();
        if (!std::holds_alternative<flow::Waiting>(event)) return event;
        waker.wait();
      }
    };
    (*sink)->begin_claim({{0, 0}}, nullptr);
    const flow::Owned owned = std::get<flow::Claimed>(wait()).owned.at(0);
    flow::StoreRows rows;
    rows.count = 1;
    rows.columns.resize(2);
    int64_t key = 1;
    rows.columns[0] = {.kind = Kind::int64, .int64s = &key};
    rows.columns[1].kind = kind;
    set(rows.columns[1]);
    const flow::RowId id{{0, 0}, owned.next};
    rows.ids = {&id, 1};
    REQUIRE((*sink)->write(rows) == flow::WriteAnswer::accepted);
    const Offset next{owned.next.value + 1};
    (*sink)->begin_commit({{{owned.partition, owned.term, owned.next, next, {}}}, nullptr});
    const flow::Ended ended = std::get<flow::Ended>(wait());
    if (ended.end == flow::CommitEnd::rejected) return ended.rejected.at(0).reason;
    return ended.end == flow::CommitEnd::done ? "done" : one_line(ended.error);
  }
  flow::StoreSpec spec;
  Kind kind;
};

struct Types {
  PostgresHarness harness;
  int number = 0;

  // What `SELECT f` shows, after "type: ".
  std::string shows(OneField& one, const std::function<void(row::Column&)>& set) {
    one.spec.table.table = "f" + std::to_string(number);
    one.spec.store = "store" + std::to_string(number++);
    auto made = harness.store().create_missing(one.spec.table);
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : one_line(made.error())));
    if (const std::string end = one.put(harness.store(), set); end != "done") return end;
    const Rows rows = harness.run(
        "SELECT pg_typeof(f)::text || ': ' || coalesce(f::text, 'null') "
        "FROM " +
        harness.schema() + "." + one.spec.table.table);
    REQUIRE(rows.cells.size() == 1);
    return *rows.cells[0][0];
  }
  std::string whole(const std::string& type, int64_t value) {
    OneField one(type);
    return shows(one, [&](row::Column& column) { column.int64s = &value; });
  }
  std::string real(const std::string& type, double value) {
    OneField one(type);
    return shows(one, [&](row::Column& column) { column.float64s = &value; });
  }
  std::string view(const std::string& type, ByteView value) {
    OneField one(type);
    return shows(one, [&](row::Column& column) { column.views = &value; });
  }
  std::string json(const std::string& type, std::string_view text) {
    OneField one(type);
    std::string datum;
    REQUIRE(avro::from_json(*one.spec.table.schema->root().fields[1].type, text,
                            avro::JsonStyle::plain, datum));
    ByteView value = datum;
    return shows(one, [&](row::Column& column) { column.views = &value; });
  }
};

std::string logical(const char* base, const char* name) {
  return std::string(R"({"type":")") + base + R"(","logicalType":")" + name + "\"}";
}

}  // namespace

TEST_CASE("numbers, texts and bytes") {
  Types types;
  CHECK(types.whole("\"int\"", -7) == "integer: -7");
  CHECK(types.whole("\"long\"", INT64_MIN) == "bigint: -9223372036854775808");
  CHECK(types.real("\"float\"", 1.5) == "real: 1.5");
  CHECK(types.real("\"double\"", -0.25) == "double precision: -0.25");
  CHECK(types.real("\"double\"", std::numeric_limits<double>::infinity()) ==
        "double precision: Infinity");
  CHECK(types.real("\"double\"", std::nan("")) == "double precision: NaN");
  CHECK(types.view("\"string\"", "Größe '\\") == "text: Größe '\\");
  CHECK(types.view("\"string\"", "a\0b"sv) == "store.nul_character");
  CHECK(types.view("\"bytes\"", "\0\xff"sv) == "bytea: \\x00ff");
  CHECK(types.view(R"({"type":"enum","name":"E","symbols":["A","B"]})", "B") == "text: B");
}

TEST_CASE("times of every unit") {
  Types types;
  CHECK(types.whole(logical("long", "timestamp-millis"), -1) ==
        "timestamp with time zone: 1969-12-31 23:59:59.999+00");
  CHECK(types.whole(logical("long", "timestamp-micros"), 1'767'225'600'000'001) ==
        "timestamp with time zone: 2026-01-01 00:00:00.000001+00");
  CHECK(types.whole(logical("long", "timestamp-nanos"), -1) ==
        "timestamp with time zone: 1969-12-31 23:59:59.999999+00");
  CHECK(types.whole(logical("long", "local-timestamp-millis"), 951'782'400'000) ==
        "timestamp without time zone: 2000-02-29 00:00:00");
  CHECK(types.whole(logical("long", "local-timestamp-micros"), 1) ==
        "timestamp without time zone: 1970-01-01 00:00:00.000001");
  CHECK(types.whole(logical("int", "date"), -719'162) == "date: 0001-01-01");
  CHECK(types.whole(logical("int", "date"), INT32_MIN) == "store.out_of_range");
  CHECK(types.whole(logical("int", "time-millis"), 86'399'999) ==
        "time without time zone: 23:59:59.999");
  CHECK(types.whole(logical("long", "time-micros"), 86'400'000'000) == "store.out_of_range");
  CHECK(types.whole(logical("long", "timestamp-millis"), INT64_MAX) == "store.out_of_range");
  CHECK(types.whole(logical("long", "timestamp-micros"), INT64_MIN) == "store.out_of_range");
}

TEST_CASE("decimals, uuids, durations and what becomes JSON") {
  Types types;
  const std::string decimal = R"({"type":"bytes","logicalType":"decimal","precision":6,"scale":2})";
  CHECK(types.view(decimal, "\x04\xd2"sv) == "numeric: 12.34");
  CHECK(types.view(decimal, "\xfb\x2e"sv) == "numeric: -12.34");
  CHECK(types.view(decimal, "\x7f\xff\xff\xff"sv) == "store.out_of_range");  // 21474836.47
  CHECK(types.view(logical("string", "uuid"), "f81d4fae-7dec-11d0-a765-00a0c91e6bf6") ==
        "uuid: f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
  CHECK(types.view(logical("string", "uuid"), "no uuid") == "store.constraint");
  CHECK(types.view(R"({"type":"fixed","name":"U","size":16,"logicalType":"uuid"})",
                   "0123456789abcdef") == "uuid: 30313233-3435-3637-3839-616263646566");
  const std::string duration = R"({"type":"fixed","name":"D","size":12,"logicalType":"duration"})";
  CHECK(types.view(duration, "\x0e\0\0\0\x03\0\0\0\xdc\x05\0\0"sv) ==
        "interval: 1 year 2 mons 3 days 00:00:01.5");
  CHECK(types.view(duration, "\xff\xff\xff\xff\0\0\0\0\0\0\0\0"sv) != "done");
  CHECK(types.json(R"({"type":"array","items":"long"})", "[1, 2]") == "jsonb: [1, 2]");
  CHECK(types.json(R"({"type":"map","values":"string"})", R"({"a": "b"})") ==
        R"(jsonb: {"a": "b"})");
  CHECK(types.json(R"({"type":"record","name":"P","fields":[{"name":"x","type":"int"}]})",
                   R"({"x": 5})") == R"(jsonb: {"x": 5})");
  CHECK(types.json(R"({"type":"array","items":"string"})", R"(["a\u0000"])") == "store.constraint");
}

TEST_CASE("a null stays null, in every kind of column") {
  Types types;
  for (const std::string type :
       {"\"int\"", "\"double\"", "\"string\"", R"({"type":"array","items":"long"})"}) {
    OneField one(R"(["null",)" + type + "]");
    uint8_t null = 1;
    int64_t zero[2] = {};
    CHECK(types
              .shows(one,
                     [&](row::Column& column) {
                       column.slots = zero;
                       column.nulls = &null;
                     })
              .ends_with(": null"));
  }
}

}  // namespace penstock::store::postgres
