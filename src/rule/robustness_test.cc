// Hostile texts: whatever is given, the answer is a value or an error, soon.

#include "base/random.h"
#include "rule/program.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

namespace penstock::rule {
namespace {

constexpr std::array<std::string_view, 16> kSeeds = {
    "kwh < 0.0 || kwh > 100.0",
    "[1, 2, 3].map(x, x > 1, {'a': x, 'b': [x]})",
    "has({'a': 1}.a) ? b'\\xff' : bytes('ä')",
    "timestamp('2026-01-01T00:00:00Z').getHours('Europe/Berlin') + 1",
    "duration('1h30m') + duration('-5ns') < duration('0')",
    "'abc'.matches('a[b-c]+') && 'x' in ['x', r'\\d', '''y''']",
    "x.y[0].z(1u, 0xffu, 1.5e-3, null, true)",
    "--1 - -9223372036854775808 * 2 % 0",
    "!!true ? 1 : false ? 2 : 3 // comment",
    "[[1], [2]].exists_one(a, a.all(b, b == 1u || b == 1.0))",
    "string(double('1e308')) + string(b'abc')",
    "{1: 1, 1u: 2, 'a': [], dyn(true): {}}[dyn(1.0)]",
    ".a.`b-c`.d",
    "type(1) == int && google.protobuf.Duration == type(duration('1s'))",
    "\"\\u00e4\\U0001F600\\101\\x41\" + r\"\\\"",
    "[1, 2, 3].filter(x, x in [1, 2].map(y, y + x))[9]"};

std::string mutated(std::string text, Random& random) {
  static constexpr std::string_view kBytes =
      "()[]{}.,:?!-+*/%<>=&|'\"`\\ \n\t_abex019ur\xff\xc3\xa4";
  const uint64_t changes = 1 + random.below(4);
  for (uint64_t i = 0; i < changes; i++) {
    const size_t at = random.below(text.size() + 1);
    const char byte = kBytes[random.below(kBytes.size())];
    switch (random.below(4)) {
      case 0:
        text.insert(at, 1, byte);
        break;
      case 1:
        if (at < text.size()) text[at] = byte;
        break;
      case 2:
        text.erase(at, 1 + random.below(3));
        break;
      default: {
        const std::string_view other = kSeeds[random.below(kSeeds.size())];
        const size_t from = random.below(other.size());
        text.insert(at, other.substr(from, random.below(12)));
      }
    }
  }
  return text;
}

std::string quoted(std::string_view text) {
  std::string json = "{\"expr\": \"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    if (c == '\n')
      json += "\\n";
    else if (c == '\t')
      json += "\\t";
    else
      json += c;
  }
  return json + "\"}";
}

TEST_CASE("mutated expressions are answered, never a crash") {
  Random random(3);
  size_t values = 0;
  for (int round = 0; round < 20'000; round++) {
    const std::string text = mutated(std::string(kSeeds[random.below(kSeeds.size())]), random);
    const std::string answer = evaluate_case(quoted(text));
    INFO(text);
    REQUIRE((answer.starts_with("{\"value\":") || answer.starts_with("{\"error\":")));
    values += answer.starts_with("{\"value\":") ? 1 : 0;
  }
  CHECK(values > 500);
}

TEST_CASE("what would run or grow for ever ends as an error") {
  std::string ten = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
  std::string loops = "true";
  for (const char name : std::string_view("abcdefgh"))
    loops = ten + ".all(" + name + ", " + loops + ")";
  CHECK(evaluate_case(quoted(loops)).find("too many steps") != std::string::npos);

  std::string doubling = "'0123456789abcdef'";
  for (int i = 0; i < 40; i++) doubling = "[" + doubling + "].map(s, s + s)[0]";
  CHECK(evaluate_case(quoted(doubling)).find("too many steps") != std::string::npos);

  std::string lists = "[1]";
  for (int i = 0; i < 40; i++) lists = "[" + lists + "].map(s, s + s)[0]";
  CHECK(evaluate_case(quoted("size(" + lists + ")")).find("too many steps") != std::string::npos);
}

TEST_CASE("twenty thousand brackets are an error at once") {
  for (const std::string_view bracket : {"(", "[", "{", "[1, ", "a(", "a[", "!(", "{1: "}) {
    std::string text;
    while (text.size() < 20'000) text += bracket;
    CHECK(evaluate_case(quoted(text)).starts_with("{\"error\":"));
  }
}

}  // namespace
}  // namespace penstock::rule
