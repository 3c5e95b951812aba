#include "flow/positions.h"

#include <doctest/doctest.h>

namespace penstock::flow {
namespace {

TEST_CASE("positions stay ascending, whatever the order in which they were set") {
  Positions positions;
  positions.set({1, 0}, {5});
  positions.set({0, 3}, {7});
  positions.set({0, 1}, {9});
  positions.set({0, 3}, {8});
  CHECK(positions.size() == 3);
  CHECK(positions.begin()->first == Partition{0, 1});
  CHECK(positions.find({0, 3}) == Offset{8});
  CHECK(!positions.find({0, 2}));
  positions.erase({0, 1});
  positions.erase({0, 2});
  CHECK(positions.size() == 2);
  CHECK(!positions.find({0, 1}));
}

Fates sample() {
  Fates fates;
  fates.in = 9;
  fates.dead = 1;
  fates.absorbed = 2;
  fates.out.add("usage.nordic", 1);
  fates.out.add("usage.alpine", 3);
  fates.dropped.add("steps[0]", 2);
  fates.copied.add("audit", 9);
  return fates;
}

TEST_CASE("fates add up, and adding keeps that true") {
  Fates fates = sample();
  CHECK(fates.adds_up());
  fates.add(sample());
  CHECK(fates.adds_up());
  CHECK(fates.in == 18);
  CHECK(fates.out.of("usage.alpine") == 6);
  CHECK(fates.out.of("usage.baltic") == 0);
  fates.dead += 1;
  CHECK(!fates.adds_up());
}

TEST_CASE("fates as text") {
  CHECK(to_text(sample()) ==
        "in=9 dead=1 absorbed=2 out.usage.nordic=1 out.usage.alpine=3 drop.steps[0]=2 "
        "copy.audit=9");
  CHECK(fates_from_text(to_text(sample())) == sample());
  CHECK(to_text(Fates{}) == "in=0");
  CHECK(fates_from_text("in=0") == Fates{});
}

TEST_CASE("names that are no plain words come back as they were") {
  Fates fates;
  fates.in = 4;
  fates.out.add("a b=c%", 2);
  fates.out.add("\xff\n", 2);
  const std::string text = to_text(fates);
  for (const char c : text) CHECK((c >= ' ' && c < 0x7f));
  CHECK(fates_from_text(text) == fates);
}

TEST_CASE("anything else is refused") {
  for (const char* text :
       {"", " ", "in", "in=", "in=x", "in=-1", "in=1 ", "in=1  dead=1", "dead=1", "in=1 in=1",
        "in=1 out.a=1 out.a=1", "in=1 other=1", "in=1 out.%4=1", "in=1 out.%zz=1",
        "in=99999999999999999999", "in=1\n", "in=1 out.\x01=1", "in=1 out.\xc3\xa9=1"}) {
    CAPTURE(text);
    CHECK(!fates_from_text(text));
  }
}

}  // namespace
}  // namespace penstock::flow
