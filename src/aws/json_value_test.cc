#include "aws/json_value.h"

#include <doctest/doctest.h>

#include <string>

namespace penstock::aws {

TEST_CASE("JSON: members by name, of their kind") {
  const auto told = parse_json(R"({"a":"x","n":-7,"big":18446744073709551615,"f":1.5,"t":true,)"
                               R"("l":[[],{"b":[1]},null],"e":{}})");
  REQUIRE(told);
  CHECK(told->text_of("a") == "x");
  CHECK(told->whole_of("n") == -7);
  CHECK(told->member("n")->number == -7);
  CHECK(told->member("big")->kind == JsonValue::Kind::number);
  CHECK(told->member("f")->number == 1.5);
  CHECK(told->truth_of("t"));
  CHECK(told->text_of("n").empty());
  CHECK(told->whole_of("a") == 0);
  CHECK(told->member("none") == nullptr);
  REQUIRE(told->member("l")->items.size() == 3);
  CHECK(told->member("l")->items[1].member("b")->items[0].whole == 1);
  CHECK(told->member("l")->items[2].kind == JsonValue::Kind::null);
  CHECK(parse_json("7")->member("a") == nullptr);
}

TEST_CASE("JSON: what is none, or nests too deep") {
  for (const char* text : {"", "{", "{\"a\"", "[1,]", "{a:1}", "[1]x", "\"\xff\"", "nul"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_json(text));
  }
  const auto nested = [](size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  CHECK(parse_json(nested(kJsonLevelsMax)));
  CHECK_FALSE(parse_json(nested(kJsonLevelsMax + 1)));
}

}  // namespace penstock::aws
