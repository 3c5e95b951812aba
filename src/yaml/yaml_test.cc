#include "yaml/node.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace penstock::yaml {
namespace {

void refuses(const std::string& text, std::string_view code, uint32_t line, uint32_t column) {
  CAPTURE(text.substr(0, 100));
  const auto begin = std::chrono::steady_clock::now();
  const auto document = parse(text, "t.yaml");
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
  REQUIRE(!document);
  const Error& error = document.error();
  INFO(render(error));
  CHECK(catalogue_entry(error.code).name == code);
  CHECK(error.place.line == line);
  CHECK(error.place.column == column);
}

std::string bomb() {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 9; ++j) text += ", " + last;
    text += "]\n";
  }
  return text;
}

TEST_CASE("every broken text has a code and a place") {
  refuses("a: 1\nb: \xff\xff\n", "P004", 2, 4);
  refuses("% \xff\xff", "P004", 1, 3);
  refuses(std::string("a: 1\nb: x") + '\0' + "y\n", "P005", 2, 5);
  refuses("a:\n\tb: 1\n", "P006", 2, 1);
  refuses("a: " + std::string(20'000, '['), "P007", 1, 68);
  refuses("a:\n  b: 1\n  c: 2\n  b: 3\n", "P009", 4, 3);
  refuses("a: 1\nb: \"open\nc: 2\n", "P010", 2, 4);
  refuses("a: 1\nb: 'it''s\nc: 2\n", "P010", 2, 4);
  refuses("base: &b {x: 1}\nother:\n  <<: *b\n", "P013", 3, 3);
  refuses("a: !!str 1\n", "P014", 1, 4);
  refuses("a: *nobody\n", "P015", 1, 4);
  refuses("a: 1\n---\nb: 2\n", "P016", 2, 1);
  refuses("a:\n  b: 1\n c: 2\n", "P018", 3, 2);
  refuses("a: [1, 2\nb: 3\n", "P011", 1, 4);
  refuses("[a, b]: 1\n", "P019", 1, 1);
  refuses(std::string(2 << 20, 'a'), "P003", 1, 1);
}

TEST_CASE("an alias bomb ends at once") {
  const auto document = parse(bomb(), "t.yaml");
  REQUIRE(!document);
  CHECK(document.error().code == "P008"_code);
  CHECK(document.error().place.line > 1);
}

TEST_CASE("deep blocks end at the bound") {
  std::string text;
  for (int i = 0; i < 500; ++i) text += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  const auto document = parse(text, "t.yaml");
  REQUIRE(!document);
  CHECK(document.error().code == "P007"_code);
}

TEST_CASE("values, places, aliases, line ends") {
  const auto document = parse(
      "\xEF\xBB\xBF"
      "name: &n meters\r\nlist: [1, 'two', ~]\r\nagain: *n\r\n",
      "t.yaml");
  REQUIRE(document);
  const Node& root = document->root();
  CHECK(root.find("name")->text == "meters");
  CHECK(root.find("again")->text == "meters");
  const Node& list = *root.find("list");
  REQUIRE(list.items.size() == 3);
  CHECK(list.items[1].quoted);
  CHECK(list.items[2].kind == NodeKind::null);
  CHECK(list.items[1].line == 2);
  CHECK(list.items[1].column == 11);
  CHECK(list.items[1].width == 5);
  CHECK(document->place(list).source_line == "list: [1, 'two', ~]");
  CHECK(root.find("nothing") == nullptr);
}

TEST_CASE("a carriage return is part of a line's end, or no text") {
  for (const char* text : {"\rname: 'm'\n", "list:\r  - 'one'\n", "a: |\r\r", "a: 1\r\r\n"}) {
    const auto document = parse(text, "t.yaml");
    REQUIRE(!document);
    CHECK(document.error().code == "P005"_code);
  }
}

TEST_CASE("a place inside a scalar") {
  const auto document = parse(
      "plain: kwh < x\nsingle: 'it''s x'\ndouble: \"a\\\"b x\"\nblock: |\n  first\n  second x\n"
      "fold: >-\n  one two\n  three x\nsame: {rule: \"\xC3\xA4 x\"}\n",
      "t.yaml");
  REQUIRE(document);
  const Node& root = document->root();
  const auto inside = [&](const Node& node, uint32_t line, uint32_t column) {
    const Place place = document->place_inside(node, line, column, 1);
    REQUIRE(place.column >= 1);
    REQUIRE(place.column <= place.source_line.size());
    return place.source_line[place.column - 1];
  };
  CHECK(inside(*root.find("plain"), 1, 7) == 'x');
  CHECK(root.find("single")->text == "it's x");
  CHECK(inside(*root.find("single"), 1, 6) == 'x');
  CHECK(inside(*root.find("double"), 1, 5) == 'x');
  CHECK(inside(*root.find("block"), 2, 8) == 'x');
  CHECK(root.find("fold")->text == "one two three x");
  CHECK(inside(*root.find("fold"), 1, 15) == 'x');
  CHECK(inside(*root.find("same")->find("rule"), 1, 4) == 'x');
}

}  // namespace
}  // namespace penstock::yaml
