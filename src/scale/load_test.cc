#include "scale/load.h"

#include <doctest/doctest.h>

namespace penstock::scale {
namespace {

// The message for a text that is none, with its line.
std::string wrong(std::string_view text) {
  const auto load = load_from_csv(text, "t.csv");
  REQUIRE_FALSE(load.has_value());
  return std::to_string(load.error().place.line) + ": " + load.error().message;
}

}  // namespace

TEST_CASE("rates hold until the next line") {
  const auto load =
      load_from_csv("# a day\nseconds,records_per_second\r\n0, 200\n\n10.5,100\n20,0\n", "t.csv");
  REQUIRE(load.has_value());
  CHECK(load->end() == Millis{20'000});
  CHECK(load->rate({0}) == 200);
  CHECK(load->rate({10'499}) == 200);
  CHECK(load->rate({10'500}) == 100);
  CHECK(load->rate({20'000}) == 0);
  CHECK(load->total({0}) == 0);
  CHECK(load->total({10'000}) == 2000);
  CHECK(load->total({99'000}) == 2100 + 950);
  const auto later = load_from_csv("seconds,records_per_second\n5,10\n6,0\n", "t.csv");
  CHECK(later->total({6'000}) == 10);
}

TEST_CASE("what is no trace is told with its line") {
  const std::string head = "seconds,records_per_second\n";
  CHECK(wrong("0,1\n") == "1: the first line has to be seconds,records_per_second");
  CHECK(wrong(head + "0,1,2\n1,0\n").starts_with("2: a line has two columns"));
  CHECK(wrong(head + "0,1\n0,2\n") == "3: the seconds have to grow from line to line");
  CHECK(wrong(head + "0,x\n").starts_with("2: the records per second"));
  CHECK(wrong(head + "0,-1\n").starts_with("2: the records per second"));
  CHECK(wrong(head + "0,nan\n").starts_with("2: the records per second"));
  CHECK(wrong(head + "1e300,1\n").starts_with("2: the seconds are"));
  CHECK(wrong(head + "0,1\n").starts_with("0: t.csv has to have two lines"));
  CHECK(wrong("").starts_with("0: t.csv"));
}

}  // namespace penstock::scale
