// set and send: what is added, and what a copy is.
#include "step/step_fixture.h"

namespace penstock::step {

TEST_CASE("set adds fields at the end, in the order of the file") {
  Line line(kReading);
  line.add("set: {kw: kwh * 4.0, status: \"'Done'\"}");
  CHECK(line.run({reading("m1", 1.5), reading("m2", 0.25, 7, "\"x\"")}).left() ==
        Texts{R"({"meter_id":"m1","kwh":1.5,"count":1,"note":null,"kw":6.0,"status":"Done"})",
              R"({"meter_id":"m2","kwh":0.25,"count":7,"note":"x","kw":1.0,"status":"Done"})"});
}

TEST_CASE("set replaces a field where it stands, also by another type") {
  Line line(kReading);
  line.add("set: {count: meter_id, kwh: kwh + 1.0}");
  CHECK(line.run({reading("m1", 1.5)}).left() ==
        Texts{R"({"meter_id":"m1","kwh":2.5,"count":"m1","note":null})"});
}

TEST_CASE("all rules of a set see the record before the step") {
  Line line(R"({"type":"record","name":"P","fields":[{"name":"a","type":"long"},)"
            R"({"name":"b","type":"long"}]})");
  line.add("set: {a: b, b: a, c: a + b}");
  CHECK(line.run({R"({"a":1,"b":2})"}).left() == Texts{R"({"a":2,"b":1,"c":3})"});
  line.add("set: {a: a + 10}");  // the next step sees what this one did
  CHECK(line.run({R"({"a":1,"b":2})"}).left() == Texts{R"({"a":12,"b":1,"c":3})"});
}

TEST_CASE("a field that is set is there for the steps behind") {
  Line line(kReading);
  line.add("set: {kw: kwh * 4.0}");
  line.add("drop: {when: kw > 5.0}");
  CHECK(line.run({reading("m1", 1.5), reading("m2", 1)}).batch.live == std::vector<uint32_t>{1});
}

TEST_CASE("a field can be unset and set again") {
  Line line(kReading);
  line.add("unset: [kwh, note]");
  line.add("set: {kwh: \"'none'\"}");
  CHECK(line.run({reading("m1", 1)}).left() ==
        Texts{R"({"meter_id":"m1","count":1,"kwh":"none"})"});
}

TEST_CASE("a nullable field used as it is keeps its nulls") {
  Line line(kReading);
  line.add("set: {copy: note, sure: \"note == null ? 'none' : note\"}");
  CHECK(line.run({reading("a", 1), reading("b", 1, 1, "\"x\"")}).left() ==
        Texts{R"({"meter_id":"a","kwh":1.0,"count":1,"note":null,"copy":null,"sure":"none"})",
              R"({"meter_id":"b","kwh":1.0,"count":1,"note":"x","copy":"x","sure":"x"})"});
}

TEST_CASE("a rule of set that fails rejects the row for all its rules") {
  Line line(kReading);
  line.add("set: {x: 6 / count, y: 6 % count, z: count + 1}");
  const Trip trip = line.run({reading("a", 1, 0), reading("b", 1, 4)});
  CHECK(trip.rejects() == Texts{"0 0 rule.error"});
  CHECK(trip.left() ==
        Texts{R"({"meter_id":"b","kwh":1.0,"count":4,"note":null,"x":1,"y":2,"z":5})"});
}

TEST_CASE("what set cannot do is told at the place to blame") {
  Line line(kReading);
  CHECK(line.error("set: {2nd: kwh}") == "P306 1:7 \"2nd\" cannot be a field's name");
  CHECK(line.error("set: {\"a b\": kwh}").starts_with("P306 1:7 "));
  CHECK(line.error("set: {ok: kwh, kw: kw * 2.0}").find(" 1:20 ") != std::string::npos);
  CHECK(line.error("set: {text: Done}").find(" 1:13 ") != std::string::npos);
  CHECK(line.error("set: {t: type(kwh)}").find(" 1:10 ") != std::string::npos);
  CHECK(line.error("set: {n: note.size()}").starts_with("R"));  // may be null
  // A step that could not be made has changed nothing.
  CHECK(line.shape().field("ok") == nullptr);
  CHECK(line.shape().fields().size() == 4);
}

TEST_CASE("set makes arrays, and a datum may be carried on") {
  Line line(R"({"type":"record","name":"P","fields":[{"name":"tags","type":)"
            R"({"type":"array","items":"string"}},{"name":"n","type":"long"}]})");
  line.add("set: {same: tags, more: \"[n, n + 1]\"}");
  CHECK(line.run({R"({"tags":["x","y"],"n":4})"}).left() ==
        Texts{R"({"tags":["x","y"],"n":4,"same":["x","y"],"more":[4,5]})"});
}

TEST_CASE("send copies the records as they stand there") {
  Line line(kReading);
  line.add("set: {kw: kwh * 4.0}");
  line.add("send: audit");
  line.add("unset: [kw, note, count]");
  line.add("set: {kwh: kwh + 1.0}");
  line.add("drop: {when: kwh > 2.0}");
  const Trip trip = line.run({reading("m1", 1), reading("m2", 2)});
  CHECK(trip.left() == Texts{R"({"meter_id":"m1","kwh":2.0})"});
  REQUIRE(trip.copies.size() == 1);
  CHECK(trip.copies[0].topic == "audit");
  CHECK(trip.copies[0].records ==
        Texts{R"({"meter_id":"m1","kwh":1.0,"count":1,"note":null,"kw":4.0})",
              R"({"meter_id":"m2","kwh":2.0,"count":1,"note":null,"kw":8.0})"});
}

TEST_CASE("send copies only what is live") {
  Line line(kReading);
  line.add("drop: {when: count == 2}");
  line.add("send: {to: audit}");
  const Trip trip = line.run({reading("m1", 1, 2), reading("m2", 1, 3)});
  REQUIRE(trip.copies.size() == 1);
  CHECK(trip.copies[0].records == Texts{reading("m2", 1, 3)});
  CHECK(trip.left() == Texts{reading("m2", 1, 3)});
}

TEST_CASE("send to what is not a topic is told at the topic") {
  Line line(kReading);
  CHECK(line.error("send: undeclared").starts_with("P301 1:7 "));
  CHECK(line.error("send: {to: undeclared}").starts_with("P301 1:12 "));
}

}  // namespace penstock::step
