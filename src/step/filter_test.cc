// drop, reject and unset: what leaves, and how.
#include "step/step_fixture.h"

namespace penstock::step {

TEST_CASE("drop leaves out what its rule is true for, without a reject") {
  Line line(kReading);
  line.add("drop: {when: \"meter_id.startsWith('TEST-')\"}");
  const Trip trip = line.run({reading("m1", 1), reading("TEST-1", 2), reading("m3", 3)});
  CHECK(trip.left() == Texts{reading("m1", 1.0), reading("m3", 3.0)});
  CHECK(trip.batch.live == std::vector<uint32_t>{0, 2});
  CHECK(trip.rejects().empty());
}

TEST_CASE("drop may be written as the bare rule") {
  Line line(kReading);
  line.add("drop: count == 2");
  CHECK(line.run({reading("a", 1, 2), reading("b", 1, 3)}).left().size() == 1);
}

TEST_CASE("steps see what the steps before them left") {
  Line line(kReading);
  line.add("drop: {when: count > 2}");
  line.add("reject: {when: 100 / (count - 3) > 0, reason: odd}");  // count 3 would fail
  const Trip trip = line.run({reading("a", 1, 3), reading("b", 1, 2), reading("c", 1, 1)});
  CHECK(trip.rejects().empty());
  CHECK(trip.left().size() == 2);
}

TEST_CASE("reject makes rejects with its step, reason and rule") {
  Line line(kReading);
  line.add("drop: {when: count == 9}");
  line.add("reject: {when: \"kwh < 0.0 || kwh > 100.0\", reason: implausible}");
  const Trip trip = line.run({reading("m1", -1), reading("m2", 1), reading("m3", 101)});
  CHECK(trip.rejects() == Texts{"0 1 implausible", "2 1 implausible"});
  CHECK(trip.batch.rejects[0].detail == "kwh < 0.0 || kwh > 100.0");
  CHECK(trip.left() == Texts{reading("m2", 1)});
}

TEST_CASE("reject without a reason says rejected") {
  Line line(kReading);
  line.add("reject: {when: count > 0}");
  CHECK(line.run({reading("m1", 1)}).rejects() == Texts{"0 0 rejected"});
}

TEST_CASE("a rule that fails on a row makes that row a reject, and only that one") {
  for (const char* step : {"drop: {when: 6 / count > 5}", "reject: {when: 6 / count > 5}"}) {
    Line line(kReading);
    line.add(step);
    const Trip trip = line.run({reading("m1", 1, 0), reading("m2", 1, 3), reading("m3", 1, 0)});
    CHECK(trip.rejects() == Texts{"0 0 rule.error", "2 0 rule.error"});
    CHECK(trip.batch.rejects[0].detail.find("zero") != std::string::npos);
    CHECK(trip.left() == Texts{reading("m2", 1, 3)});
  }
}

TEST_CASE("one batch after another gives the same as one alone") {
  Line line(kReading);
  line.add("drop: {when: 6 / count == 6}");
  const Trip first = line.run({reading("a", 1, 0), reading("b", 1, 1), reading("c", 1, 2)});
  const Trip second = line.run({reading("a", 1, 0), reading("b", 1, 1), reading("c", 1, 2)});
  CHECK(first.left() == second.left());
  CHECK(first.rejects() == second.rejects());
}

TEST_CASE("a batch of no rows goes through") {
  Line line(kReading);
  line.add("drop: {when: count == 2}");
  line.add("set: {twice: count * 2}");
  CHECK(line.run({}).left().empty());
}

TEST_CASE("a condition has to be true or false") {
  Line line(kReading);
  const std::string error = line.error("drop: {when: kwh * 2.0}");
  CHECK(error.starts_with("P305 1:14 "));
  CHECK(error.find("double") != std::string::npos);
}

TEST_CASE("an unknown field in a rule is told with its place inside the rule") {
  Line line(kReading);
  const std::string plain = line.error("drop: {when: count > kwhh}");
  CHECK(plain.starts_with("R"));
  CHECK(plain.find(" 1:22 ") != std::string::npos);
  CHECK(plain.find("kwhh") != std::string::npos);
  CHECK(line.error("drop: {when: 'count > kwhh'}").find(" 1:23 ") != std::string::npos);
  CHECK(line.error("drop:\n  when: |\n    count > 1 &&\n    kwhh > 1").find(" 4:5 ") !=
        std::string::npos);
}

TEST_CASE("unset leaves the field out, bare, as a list and as a mapping") {
  for (const char* step : {"unset: note", "unset: [note]", "unset: {fields: [note]}"}) {
    Line line(kReading);
    line.add(step);
    CHECK(line.run({reading("m1", 1.5)}).left() ==
          Texts{R"({"meter_id":"m1","kwh":1.5,"count":1})"});
  }
}

TEST_CASE("a field that was unset is gone for the steps behind") {
  Line line(kReading);
  line.add("unset: [kwh, count]");
  CHECK(line.error("drop: {when: kwh > 1.0}").find("kwh") != std::string::npos);
  CHECK(line.error("unset: [meter_id, kwh]") == "P301 1:19 the record has no field \"kwh\" here");
  CHECK(line.error("unset: meter").starts_with("P301 1:8 "));
}

}  // namespace penstock::step
