#include "plan/schema_place.h"

#include <doctest/doctest.h>

namespace penstock::plan {
namespace {

const std::string kText =
    "{\"type\": \"record\",\n"
    " \"name\": \"R\\\"}\",\n"
    " \"fields\": [{\"name\": \"a\", \"type\": [\"null\", \"int\"]},\n"
    "   {\"name\": \"b\", \"type\": \"text\"}]}\n";

TEST_CASE("a schema's fault has a line and a column, by byte or by path") {
  const auto at = [](std::string_view message) { return schema_place("r.avsc", kText, message); };
  CHECK(at("not JSON: x, at byte 19").line == 2);
  CHECK(at("not JSON: x, at byte 19").column == 1);
  CHECK(at("unknown type, at /fields/1/type").line == 4);
  CHECK(at("unknown type, at /fields/1/type").column == 26);
  CHECK(at("unknown type, at /fields/0/type/1").line == 3);
  CHECK(at("unknown type, at /fields/0/type/1").column == 44);
  CHECK(at("unknown type, at /fields/1/type").source_line ==
        "   {\"name\": \"b\", \"type\": \"text\"}]}");
}

TEST_CASE("a path that leads nowhere stays where it came to") {
  CHECK(schema_place("r.avsc", kText, "no place").line == 1);
  CHECK(schema_place("r.avsc", kText, "x, at /fields/9/type").line == 3);
  CHECK(schema_place("r.avsc", "", "x, at /fields/9").column == 1);
  CHECK(schema_place("r.avsc", "{\"a\"", "x, at /a/b").line == 1);
  CHECK(schema_place("r.avsc", "[", "x, at byte 99").column == 2);
}

}  // namespace
}  // namespace penstock::plan
