// The scenario files of testdata/, and the shared cases of the CEL conformance suite where they are
// there.
//
// Paths are relative to the root of the repository, where ctest starts this program.
// PENSTOCK_CEL_CASES names the conformance file when it lies elsewhere than
// ../shared/data/cel/conformance.jsonl.

#include "rule/program.h"
#include "rule/zone.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::rule {
namespace {

// A line's parts as text. `expect` is the last key of a line: {"value": …} or {"error": "…"}.
struct Line {
  std::string all;
  std::string id;
  std::string expect;

  bool expects_error() const { return expect.starts_with("{\"error\""); }
  bool expects_check_error() const {
    return expects_error() && expect.find("\"phase\": \"check\"") != std::string::npos;
  }
  std::string error_text() const {
    const size_t from = std::string_view("{\"error\": \"").size();
    const size_t to = expects_check_error() ? expect.rfind("\", \"phase\"") : expect.rfind('"');
    return expect.substr(from, to - from);
  }
  // The expected value in the form in which evaluate_case() writes it.
  std::string expected_output() const {
    const size_t from = std::string_view("{\"value\": ").size();
    const std::string value = expect.substr(from, expect.size() - from - 1);
    return evaluate_case("{\"expr\": \"x\", \"bindings\": {\"x\": " + value + "}}");
  }
};

std::vector<Line> read_lines(const std::string& path) {
  std::vector<Line> lines;
  std::ifstream file(path);
  for (std::string text; std::getline(file, text);) {
    constexpr std::string_view kExpect = "\"expect\": ";
    const size_t id = std::string_view("{\"id\": \"").size();
    const size_t expect = text.rfind(kExpect) + kExpect.size();
    lines.push_back({text, text.substr(id, text.find('"', id) - id),
                     text.substr(expect, text.size() - expect - 1)});
  }
  return lines;
}

TEST_CASE("own scenarios: every value and every error is as it stands in testdata") {
  size_t count = 0;
  for (const std::string name :
       {"comparison", "containers", "conversions", "doubles", "grammar", "integers", "literals",
        "logic", "nulls", "readings", "strings", "times", "extensions"}) {
    const auto lines = read_lines("src/rule/testdata/" + name + ".jsonl");
    INFO("src/rule/testdata/" << name << ".jsonl is looked for from the root of the repository");
    REQUIRE(!lines.empty());
    count += lines.size();
    for (const Line& line : lines) {
      const std::string output = evaluate_case(line.all);
      INFO(line.all);
      INFO(output);
      if (line.expects_error()) {
        CHECK(output.starts_with("{\"error\":"));
        CHECK(output.ends_with("\"phase\":\"check\"}") == line.expects_check_error());
        CHECK(output.find(line.error_text()) != std::string::npos);
      } else {
        CHECK(output.starts_with("{\"value\":"));
        CHECK(output == line.expected_output());
      }
    }
  }
  CHECK(count >= 490);
}

// Cases of the suite that are known to come out otherwise, each with its reason. Empty: all agree.
struct KnownDifference {
  std::string_view id;
  std::string_view reason;
};
const std::vector<KnownDifference> kKnownDifferences = {};

bool agrees(const Line& line) {
  const std::string output = evaluate_case(line.all);
  if (line.expects_error()) return output.starts_with("{\"error\":");
  return output.starts_with("{\"value\":") && output == line.expected_output();
}

// The machine's zone, as the program gives it to the rules.
std::string machine_zone(std::string_view name) {
  std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST_CASE("the conformance cases agree, those of the extensions as well") {
  const char* given = std::getenv("PENSTOCK_CEL_CASES");
  const std::string path = given != nullptr ? given : "../shared/data/cel/conformance.jsonl";
  const auto lines = read_lines(path);
  if (lines.empty()) {
    MESSAGE("no conformance cases here: " << path << " is absent, nothing was compared");
    return;
  }
  set_zone_files(machine_zone);
  size_t compared = 0;
  size_t agreed = 0;
  for (const Line& line : lines) {
    compared++;
    const bool known = std::ranges::any_of(
        kKnownDifferences, [&](const KnownDifference& each) { return each.id == line.id; });
    const bool agreeing = agrees(line);
    agreed += agreeing ? 1 : 0;
    INFO(line.all);
    INFO(evaluate_case(line.all));
    CHECK(agreeing != known);
  }
  set_zone_files(nullptr);
  MESSAGE(agreed << " of " << compared << " conformance cases agree");
  CHECK(compared == 783);
  CHECK(agreed == compared - kKnownDifferences.size());
}

TEST_CASE("a line that is no case is answered, not refused with a crash") {
  for (const std::string_view line :
       {"", "{", "[]", "{}", "{\"expr\": 1}", "{\"expr\": \"x\", \"bindings\": {\"x\": 1}}",
        "{\"expr\": \"x\", \"bindings\": {\"x\": {\"int64Value\": \"a\"}}}",
        "{\"expr\": \"x\", \"bindings\": {\"x\": {\"bytesValue\": \"*\"}}}",
        "{\"expr\": \"x\", \"bindings\": {\"x\": {\"objectValue\": {\"@type\": \"Foo\"}}}}",
        "{\"expr\": \"x\", \"bindings\": {\"x\": {\"listValue\": {\"values\": [3]}}}}"}) {
    INFO(line);
    CHECK(evaluate_case(line).ends_with("\"phase\":\"check\"}"));
  }
}

}  // namespace
}  // namespace penstock::rule
