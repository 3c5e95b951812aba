// join: what a table adds, and records without a row.
#include "step/step_fixture.h"

namespace penstock::step {
namespace {

constexpr std::string_view kMeters =
    R"({"type":"record","name":"Meter","fields":[{"name":"id","type":"string"},)"
    R"({"name":"tenant","type":"string"},{"name":"rated_kw","type":"double"},)"
    R"({"name":"floor","type":["null","long"]},{"name":"smart","type":"boolean"},)"
    R"({"name":"kwh","type":"double"}]})";

Line with_meters() {
  Line line(kReading);
  line.add_table(
      "meters", kMeters, {"id"},
      {R"({"id":"m1","tenant":"alpine","rated_kw":2.5,"floor":3,"smart":true,"kwh":0})",
       R"({"id":"m2","tenant":"nordic","rated_kw":7,"floor":null,"smart":false,"kwh":0})"});
  return line;
}

}  // namespace

TEST_CASE("join adds the columns of the row with the record's key") {
  Line line = with_meters();
  line.add("join: {table: meters, by: meter_id, take: [tenant, rated_kw, floor, smart]}");
  line.add("unset: [note, count, kwh]");
  CHECK(line.run({reading("m2", 1), reading("m1", 2), reading("m2", 3)}).left() ==
        Texts{R"({"meter_id":"m2","tenant":"nordic","rated_kw":7.0,"floor":null,"smart":false})",
              R"({"meter_id":"m1","tenant":"alpine","rated_kw":2.5,"floor":3,"smart":true})",
              R"({"meter_id":"m2","tenant":"nordic","rated_kw":7.0,"floor":null,"smart":false})"});
}

TEST_CASE("a record without a row is rejected, and the rows around it keep theirs") {
  Line line = with_meters();
  line.add("drop: {when: count == 2}");
  line.add("join: {table: meters, by: [meter_id], take: tenant}");
  line.add("drop: {when: tenant == 'nordic'}");
  const Trip trip = line.run({reading("m9", 1), reading("m1", 2), reading("m1", 3, 2),
                              reading("", 4), reading("m2", 5), reading("m1", 6)});
  CHECK(trip.rejects() == Texts{"0 1 join.no_match", "3 1 join.no_match"});
  CHECK(trip.batch.rejects[0].detail == "table \"meters\" has no row for \"m9\"");
  CHECK(trip.batch.live == std::vector<uint32_t>{1, 5});
}

TEST_CASE("joined fields are fields for the rules behind") {
  Line line = with_meters();
  line.add("join: {table: meters, by: meter_id, take: [rated_kw, floor]}");
  line.add("set: {share: kwh / rated_kw, up: floor != null && floor > 2}");
  line.add("unset: [note, count, floor, rated_kw, kwh]");
  CHECK(line.run({reading("m1", 5), reading("m2", 7)}).left() ==
        Texts{R"({"meter_id":"m1","share":2.0,"up":true})",
              R"({"meter_id":"m2","share":1.0,"up":false})"});
}

TEST_CASE("a null key has no row") {
  Line line = with_meters();
  line.add("join: {table: meters, by: note, take: [tenant]}");
  const Trip trip = line.run({reading("a", 1), reading("b", 1, 1, "\"m1\"")});
  CHECK(trip.rejects() == Texts{"0 0 join.no_match"});
  CHECK(trip.batch.rejects[0].detail.find("null") != std::string::npos);
  CHECK(trip.batch.live == std::vector<uint32_t>{1});
}

TEST_CASE("several fields and whole numbers are keys") {
  Line line(kReading);
  line.add_table("rates",
                 R"({"type":"record","name":"R","fields":[{"name":"m","type":"string"},)"
                 R"({"name":"n","type":"int"},{"name":"rate","type":"long"}]})",
                 {"m", "n"}, {R"({"m":"m1","n":-2,"rate":7})", R"({"m":"m1","n":12,"rate":8})"});
  line.add("join: {table: rates, by: [meter_id, count], take: rate}");
  line.add("unset: [note, kwh]");
  const Trip trip = line.run({reading("m1", 1, 12), reading("m1", 1, -2), reading("m11", 1, 2)});
  CHECK(trip.left() == Texts{R"({"meter_id":"m1","count":12,"rate":8})",
                             R"({"meter_id":"m1","count":-2,"rate":7})"});
  CHECK(trip.rejects() == Texts{"2 0 join.no_match"});
  CHECK(trip.batch.rejects[0].detail == "table \"rates\" has no row for \"m11, 2\"");
}

TEST_CASE("a key that is no text, or long, is shown as text") {
  Line line(R"({"type":"record","name":"B","fields":[{"name":"id","type":"bytes"}]})");
  line.add_table("t",
                 R"({"type":"record","name":"T","fields":[{"name":"id","type":"bytes"},)"
                 R"({"name":"x","type":"long"}]})",
                 {"id"}, {R"({"id":"a","x":1})"});
  line.add("join: {table: t, by: id, take: x}");
  const std::string far(100'000, 'k');
  const Trip trip = line.run({R"({"id":"ÿ"})", R"({"id":"a"})", R"({"id":")" + far + "\"}"});
  REQUIRE(trip.batch.rejects.size() == 2);
  CHECK(trip.batch.rejects[0].detail == "table \"t\" has no row for \"\xef\xbf\xbd\"");
  CHECK(trip.batch.rejects[1].detail.size() < 500);
  CHECK(trip.left() == Texts{R"({"id":"a","x":1})"});
}

TEST_CASE("what join cannot do is told at the place to blame") {
  Line line = with_meters();
  CHECK(line.error("join: {table: meter, by: meter_id, take: tenant}") ==
        "P308 1:15 no table \"meter\" is declared");
  CHECK(line.error("join: {table: meters, by: [meter_id, count], take: tenant}") ==
        "P304 1:27 the table's key has 1 field(s), the join names 2");
  CHECK(line.error("join: {table: meters, by: meterid, take: tenant}") ==
        "P301 1:27 the record has no field \"meterid\" here");
  CHECK(line.error("join: {table: meters, by: kwh, take: tenant}") ==
        "P302 1:27 \"kwh\" is double");
  CHECK(line.error("join: {table: meters, by: meter_id, take: [tennant]}") ==
        "P307 1:44 the table has no column \"tennant\"");
  CHECK(line.error("join: {table: meters, by: meter_id, take: [floor, kwh]}") ==
        "P303 1:51 the record has a field \"kwh\" already");
  CHECK(line.error("join: {table: meters, by: meter_id, take: [smart, smart]}") ==
        "P303 1:51 the record has a field \"smart\" already");
}

}  // namespace penstock::step
