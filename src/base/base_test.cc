#include "base/arena.h"
#include "base/error.h"
#include "base/random.h"
#include "base/suggest.h"

#include <doctest/doctest.h>

#include <array>

using namespace penstock;

TEST_CASE("render shows the place, a caret, cause and cure") {
  const Error error = fail("P001"_code, "unknown field \"form\"")
                          .at({"pipeline.yaml", 21, 5, 4, "    form: ingest"})
                          .hint("did you mean \"from\"?")
                          .cure("rename the field")
                          .take();
  const std::string text = render(error);
  CHECK(text.starts_with("error[P001] unknown field \"form\"\n"));
  CHECK(text.find("  pipeline.yaml:21:5   |     form: ingest\n") != std::string::npos);
  CHECK(text.find("                       |     ^^^^ did you mean \"from\"?\n") !=
        std::string::npos);
  CHECK(text.find("  cure:  rename the field; more: penstock explain P001\n") != std::string::npos);
  CHECK(exit_code(error) == 78);
}

TEST_CASE(
    "a line beside the caret is text, whatever its bytes are, and the caret stands under its "
    "place") {
  struct Line {
    std::string line;
    uint32_t column, width;
    std::string shown, marked;
  };
  const Line lines[] = {
      {"a: \xff\xfe b", 7, 1, R"(a: \xff\xfe b)", "            ^"},
      {"a: \xff\xfe b", 4, 2, R"(a: \xff\xfe b)", "   ^^^^^^^^"},
      {"\xc3\xa4: \xe2\x82\xac b", 9, 1, "\xc3\xa4: \xe2\x82\xac b", "     ^"},
      {"a: \xe2\x82", 4, 1, R"(a: \xe2\x82)", "   ^^^^"},            // cut off
      {"\xc0\xaf\xed\xa0\x80 b", 7, 1, R"(\xc0\xaf\xed\xa0\x80 b)",  // overlong, a surrogate
       "                     ^"},
      {"\tx: \x1b[31m", 2, 1, " x:  [31m", " ^"},  // no control reaches a terminal
      {"x \xc2\x9b"
       "31m",
       5, 3, "x  31m", "   ^^^"},  // nor one of the upper half
      {"x", 9, 1, "x", " ^"},      // behind the end
  };
  for (const Line& one : lines) {
    const std::string text =
        render(fail("P001"_code, "m").at({"p.yaml", 1, one.column, one.width, one.line}).take());
    CAPTURE(text);
    CHECK(text.find(" | " + one.shown + "\n") != std::string::npos);
    CHECK(text.find(" | " + one.marked + "\n") != std::string::npos);
  }
  // A long line is cut between characters.
  std::string long_line;
  for (int i = 0; i < 200; ++i) long_line += "\xe2\x82\xac";
  for (uint32_t column = 1; column < 600; column += 3) {
    const std::string text =
        render(fail("P001"_code, "m").at({"p.yaml", 1, column, 3, long_line}).take());
    CHECK(text.find("\\x") == std::string::npos);
    CHECK(text.find("^\n") != std::string::npos);
  }
}

TEST_CASE("a message with control characters shows blanks: names come from files") {
  const Error error = fail("P001"_code, std::string("\x1b[31ma\0b\tc\xff", 11)).take();
  CHECK(render(error).starts_with("error[P001]  [31ma b c\\xff\n  cause: "));
  CHECK(one_line(error) == "P001  [31ma b c\\xff");
}

TEST_CASE("a catalogue entry is found by its name in any case") {
  REQUIRE(find_catalogue_entry("p001") != nullptr);
  CHECK(find_catalogue_entry("p001")->name == catalogue_entry("P001"_code).name);
  CHECK(find_catalogue_entry("nope") == nullptr);
}

TEST_CASE("nearest finds slips and leaves strangers alone") {
  const std::array<std::string_view, 3> fields = {"from", "to", "steps"};
  CHECK(nearest("form", fields) == "from");
  CHECK(nearest("stesp", fields) == "steps");
  CHECK(nearest("warehouse", fields).empty());
}

TEST_CASE("an arena reuses its blocks") {
  Arena arena;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 1000; ++i) CHECK(arena.array<int64_t>(100).size() == 100);
    CHECK(arena.array<char>(200'000).size() == 200'000);
    arena.reset();
  }
  CHECK(arena.footprint_bytes() < 2'000'000);
}

TEST_CASE("the same seed gives the same numbers") {
  Random a(7), b(7), c(8);
  CHECK(a.next() == b.next());
  CHECK(a.next() != c.next());
  for (int i = 0; i < 1000; ++i) CHECK(a.below(10) < 10);
}
