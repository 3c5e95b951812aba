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
