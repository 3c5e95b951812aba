// The chain: records in, an epoch's records and dead letters out.
#include "avro/write.h"
#include "engine/chain_fixture.h"

namespace penstock::engine {
namespace {

constexpr std::string_view kOld =  // without "note"
    R"({"type":"record","name":"Reading","fields":[{"name":"meter_id","type":"string"},)"
    R"({"name":"count","type":"int"},{"name":"kwh","type":"double"}]})";
constexpr std::string_view kNullable =
    R"({"type":"record","name":"Reading","fields":[{"name":"meter_id","type":"string"},)"
    R"({"name":"kwh","type":"double"},{"name":"count","type":"long"},)"
    R"({"name":"note","type":["null","string"],"default":null}]})";

constexpr std::string_view kLater =  // one field more
    R"({"type":"record","name":"Reading","fields":[{"name":"meter_id","type":"string"},)"
    R"({"name":"kwh","type":"double"},{"name":"count","type":"long"},)"
    R"({"name":"note","type":["null","string"]},{"name":"more","type":"long"}]})";

}  // namespace

TEST_CASE("records go through the steps and out, with keys and times") {
  Bench bench({.steps = "- drop: {when: count == 0}\n- set: {kw: kwh * 4.0}", .key = {"meter_id"}});
  CHECK(bench.chain().outputs() == std::vector<std::string>{"out", "dead.stage"});
  CHECK(
      bench.process(bench.batch({bench.record(reading("m1", 1)), bench.record(reading("m2", 1, 0)),
                                 bench.record(reading("m1", 2))})) == Processed::done);
  const Texts out = bench.records("out");
  REQUIRE(out.size() == 2);
  CHECK(out[0].ends_with(R"( m1 {"meter_id":"m1","kwh":1.0,"count":1,"note":null,"kw":4.0})"));
  CHECK(out[1].ends_with(R"( m1 {"meter_id":"m1","kwh":2.0,"count":1,"note":null,"kw":8.0})"));
  CHECK(out[0][0] == out[1][0]);  // one key, one partition
  std::vector<int64_t> times;
  bench.each_record("out", [&](int32_t partition, const wire::RecordView& record) {
    CHECK(partition == wire::partition_of("m1", 3));
    times.push_back(record.timestamp);
  });
  CHECK(times == std::vector<int64_t>{0, 2});  // from the first
  CHECK(bench.fates() == "in=3 out.out=2 drop.steps[0]=1");
}

TEST_CASE("without a key field the record's own key goes on; without any, partitions take turns") {
  Bench bench({});
  const auto rows = [&] {
    return bench.batch({bench.record(reading("a", 1), "k"), bench.record(reading("b", 1)),
                        bench.record(reading("c", 1)), bench.record(reading("d", 1))});
  };
  bench.process(rows());
  std::map<std::string, int32_t> where;
  bench.each_record("out", [&](int32_t partition, const wire::RecordView& record) {
    where[std::string(record.value.substr(11, 1))] = partition;
    CHECK(record.has_key == (record.value[11] == 'a'));
  });
  // Offsets 101, 102, 103 of 3 partitions.
  CHECK(where == std::map<std::string, int32_t>{
                     {"a", wire::partition_of("k", 3)}, {"b", 2}, {"c", 0}, {"d", 1}});
}

TEST_CASE("the same batch gives the same bytes, in a new epoch too") {
  const BenchSpec spec{.steps =
                           "- reject: {when: count == 0, reason: none}\n"
                           "- set: {x: 6 / (count - 3)}\n- send: audit\n- drop: {when: x == 6}",
                       .key = {"meter_id"}};
  Bench bench(spec);
  std::string first;
  for (int round = 0; round < 3; ++round) {
    std::vector<Bench::Row> rows;
    for (int i = 0; i < 50; ++i)
      rows.push_back(bench.record(reading(fmt::format("m{}", i), i, i % 7)));
    bench.process(bench.batch(std::move(rows)));
    const std::string bytes = bench.bytes() + bench.fates();
    if (round == 0) first = bytes;
    CHECK(bytes == first);
    bench.epoch().clear();
  }
}

TEST_CASE("fields that no step touched keep their bytes") {
  Bench bench({.steps = "- set: {kwh: kwh + 1.0}"});
  // An overlong varint for "count" is valid Avro; encoding it anew would shorten it.
  std::string value;
  avro::append_single_object_header(bench.input()->fingerprint(), value);
  const std::string tail("\x82\x80\x00\x00", 4);  // count = 1 in three bytes, note = null
  avro::append_bytes("m1", value);
  avro::append_double(1.0, value);
  bench.process(bench.batch({{value + tail, {}}}));
  bench.each_record("out", [&](int32_t, const wire::RecordView& record) {
    CHECK(record.value.ends_with(tail));
    std::string kwh;
    avro::append_double(2.0, kwh);
    CHECK(record.value.substr(13, 8) == kwh);
  });
  CHECK(bench.records("out").size() == 1);
}

TEST_CASE("records of several writers' schemas in one batch keep their order") {
  Bench bench({.steps = "- drop: {when: note == 'x'}", .input = kNullable});
  const auto old = schema_of(kOld);
  REQUIRE(bench.schemas().add(old).has_value());
  bench.process(bench.batch({bench.record(reading("a", 1, 1, "\"n\""), "k"),
                             bench.record(*old, R"({"meter_id":"b","count":5,"kwh":2})", "k"),
                             bench.record(reading("c", 1, 1, "\"x\""), "k"),
                             bench.record(*old, R"({"meter_id":"d","count":6,"kwh":3})", "k"),
                             bench.record(reading("e", 4, 1), "k")}));
  const std::string p = std::to_string(wire::partition_of("k", 3));
  CHECK(bench.records("out") ==
        Texts{p + R"( k {"meter_id":"a","kwh":1.0,"count":1,"note":"n"})",
              p + R"( k {"meter_id":"b","kwh":2.0,"count":5,"note":null})",
              p + R"( k {"meter_id":"d","kwh":3.0,"count":6,"note":null})",
              p + R"( k {"meter_id":"e","kwh":4.0,"count":1,"note":null})"});
  CHECK(bench.fates() == "in=5 out.out=4 drop.steps[0]=1");
}

TEST_CASE("a schema that is on its way blocks, and nothing is touched") {
  Bench bench({});
  const auto later = schema_of(kLater);
  bench.schemas().late.insert(later->fingerprint());
  bench.process(bench.batch({bench.record(reading("a", 1))}));
  const std::string before = bench.bytes() + bench.fates();
  const auto rows = [&] {
    return bench.batch(
        {bench.record(reading("b", 1)),
         {"bad", {}},
         bench.record(*later, R"({"meter_id":"c","kwh":1,"count":1,"note":null,"more":2})")});
  };
  CHECK(bench.process(rows()) == Processed::blocked);
  CHECK(bench.process(rows()) == Processed::blocked);
  CHECK(bench.bytes() + bench.fates() == before);
  REQUIRE(bench.schemas().add(later).has_value());
  CHECK(bench.process(rows()) == Processed::done);
  CHECK(bench.records("out").size() == 3);
  CHECK(bench.dead() == Texts{"101 decode avro.framing"});
}

TEST_CASE("what cannot be decoded is a dead letter with its reason and its bytes") {
  Bench bench({.steps = "- drop: {when: kwh > 5.0}"});
  const auto stranger = schema_of(R"({"type":"record","name":"S","fields":[]})");
  const auto other = schema_of(
      R"({"type":"record","name":"Reading","fields":[{"name":"meter_id","type":"long"}]})");
  REQUIRE(bench.schemas().add(other).has_value());
  Bench::Row damaged = bench.record(reading("m1", 1), "key");
  damaged.value.pop_back();
  const std::string bytes = damaged.value;
  bench.process(bench.batch({{"", {}, true},
                             {"\xc3\x01short", {}},
                             bench.record(*stranger, "{}"),
                             bench.record(*other, R"({"meter_id":1})"),
                             damaged,
                             {"", {}}}));
  Texts dead = bench.dead();
  std::ranges::sort(dead);
  REQUIRE(dead.size() == 6);
  CHECK(dead[0] == "100 decode value.null");
  CHECK(dead[1] == "101 decode avro.framing");
  CHECK(dead[2] == "102 decode avro.unknown_schema");
  CHECK(dead[3] == "103 decode avro.unresolvable");
  CHECK(dead[4].starts_with("104 decode avro."));
  CHECK(dead[5] == "105 decode avro.framing");
  for (const flow::DeadLetter& one : bench.letters()) {
    if (one.offset.value == 100) CHECK(!one.value.has_value());
    if (one.offset.value == 105) CHECK(one.value == "");
    if (one.offset.value != 104) continue;
    CHECK(one.stage == "stage");
    CHECK(one.topic == "in");
    CHECK(one.lineage == "lineage-of-in");
    CHECK(one.partition == 1);
    CHECK(one.timestamp.value == 1004);
    CHECK(one.key == "key");
    CHECK(one.value == bytes);
  }
  CHECK(bench.fates() == "in=6 dead=6");
  CHECK(bench.records("out").empty());
}

TEST_CASE("letters of steps name the step") {
  Bench bench({.steps =
                   "- drop: {when: count == 9}\n- reject: {when: kwh > 5.0, reason: much}\n"
                   "- set: {x: 6 / count}\n- join: {table: meters, by: meter_id, take: site}"});
  bench.process(bench.batch({bench.record(reading("m1", 6)), bench.record(reading("m1", 1, 0)),
                             bench.record(reading("m9", 1)), bench.record(reading("m2", 1)),
                             bench.record(reading("m2", 1, 9))}));
  CHECK(bench.dead() ==
        Texts{"100 steps[1] much", "101 steps[2] rule.error", "102 steps[3] join.no_match"});
  CHECK(bench.fates() == "in=5 dead=3 out.out=1 drop.steps[0]=1");
}

TEST_CASE("bare topics need no framing and no known schema") {
  Bench bench({.framing = avro::Framing::bare});
  bench.process(bench.batch({bench.record(reading("m1", 1)), {"\x02", {}}}));
  CHECK(bench.records("out").size() == 1);
  REQUIRE(bench.letters().size() == 1);
  CHECK(bench.letters()[0].offset.value == 101);
}

TEST_CASE("records go to their tenant's topic; other values are dead letters") {
  Bench bench({.steps = "- join: {table: meters, by: meter_id, take: [tenant]}",
               .key = {"meter_id"},
               .route = "tenant"});
  bench.process(bench.batch({bench.record(reading("m2", 1)), bench.record(reading("m1", 2)),
                             bench.record(reading("m3", 3)), bench.record(reading("m4", 4)),
                             bench.record(reading("m2", 5))}));
  CHECK(bench.records("out.alpine").size() == 1);
  CHECK(bench.records("out.nordic").size() == 2);
  CHECK(bench.dead() == Texts{"102 route route.unknown", "103 route route.unknown"});
  const auto letters = bench.letters();
  CHECK(letters[0].detail == "tenant \"atlantis\" is not declared");
  CHECK(letters[1].detail == "tenant is null");
  CHECK(bench.fates() == "in=5 dead=2 out.out.alpine=1 out.out.nordic=2");
}

TEST_CASE("copies sent aside are counted apart and stand as they were") {
  Bench bench({.steps = "- send: audit\n- set: {kwh: 0.5}\n- drop: {when: count == 2}"});
  bench.process(
      bench.batch({bench.record(reading("a", 1), "k"), bench.record(reading("b", 1, 2), "k")}));
  const std::string p = std::to_string(wire::partition_of("k", 3));
  CHECK(bench.records("audit") ==
        Texts{p + " k " + reading("a", 1), p + " k " + reading("b", 1, 2)});
  CHECK(bench.records("out") == Texts{p + " k " + reading("a", 0.5)});
  CHECK(bench.fates() == "in=2 out.out=1 drop.steps[2]=1 copy.audit=2");
}

TEST_CASE("rules see key, topic, partition, offset and timestamp") {
  Bench bench({.steps = "- drop: {when: offset == 101}\n"
                        "- set: {t: topic, p: partition, o: offset}\n"
                        "- set: {k: 'key == null ? b\"none\" : key'}"});
  bench.process(bench.batch({bench.record(reading("a", 1), "K"), bench.record(reading("b", 1)),
                             bench.record(reading("c", 1))}));
  Texts out = bench.records("out");
  std::ranges::sort(out, {}, [](const std::string& text) { return text.substr(text.find('{')); });
  REQUIRE(out.size() == 2);
  CHECK(out[0].ends_with(R"("t":"in","p":1,"o":100,"k":"K"})"));
  CHECK(out[1].ends_with(R"("t":"in","p":1,"o":102,"k":"none"})"));
}

TEST_CASE("a stage that ends in a store hands over dense rows with their origins") {
  Bench bench(
      {.steps = "- drop: {when: count == 0}\n- reject: {when: count == 9, reason: nine}\n"
                "- join: {table: meters, by: meter_id, take: [site]}\n- set: {up: meter_id + '!'}",
       .store = true});
  auto rows =
      bench.batch({bench.record(reading("m1", 1, 0)), bench.record(reading("m1", 2, 9)),
                   bench.record(reading("m2", 3, 3, "\"n\"")), bench.record(reading("m1", 4, 4))});
  CHECK(bench.process(std::move(rows)) == Processed::done);
  REQUIRE(bench.epoch().rows.size() == 1);
  const flow::StoreRows& got = bench.epoch().rows[0];
  REQUIRE(got.count == 2);
  REQUIRE(got.columns.size() == 6);  // meter_id kwh count note site up
  CHECK(got.columns[0].views[0] == "m2");
  CHECK(got.columns[1].float64s[1] == 4.0);
  CHECK(got.columns[2].int64s[0] == 3);
  CHECK(!got.columns[3].is_null(0));
  CHECK(got.columns[3].views[0] == "n");
  CHECK(got.columns[3].is_null(1));
  CHECK(got.columns[4].views[1] == "s1");
  CHECK(got.columns[5].views[0] == "m2!");
  CHECK(got.ids[0] == flow::RowId{{0, 1}, {102}});
  CHECK(got.ids[1] == flow::RowId{{0, 1}, {103}});
  CHECK(bench.fates() == "in=4 dead=1 out.rows=2 drop.steps[0]=1");
  // The batch's memory is the epoch's now: later batches leave the rows as they are.
  bench.process(bench.batch({bench.record(reading("m3", 7))}, 2));
  CHECK(bench.epoch().rows[0].columns[0].views[0] == "m2");
  CHECK(bench.epoch().rows[0].columns[5].views[0] == "m2!");
  // A row that the store refuses becomes a letter with its original bytes.
  bench.chain().make_dead({{{0, 1}, {102}}, "store.range", "too large"}, bench.epoch());
  const auto letters = bench.letters();
  REQUIRE(letters.size() == 2);
  CHECK(letters[1].step == "store");
  CHECK(letters[1].reason == "store.range");
  CHECK(letters[1].value == bench.record(reading("m2", 3, 3, "\"n\"")).value);
}

TEST_CASE("a batch of nothing but bad records leaves a store's epoch without rows") {
  Bench bench({.store = true});
  bench.process(bench.batch({{"x", {}}, {"", {}, true}}));
  CHECK(bench.epoch().rows.empty());
  CHECK(bench.letters().size() == 2);
  CHECK(bench.fates() == "in=2 dead=2");
}

}  // namespace penstock::engine
