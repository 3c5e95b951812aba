// Schemas in several texts that use one another's types by name.
#include "avro/library.h"

#include "avro/schema.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <set>
#include <string>

namespace penstock::avro {
namespace {

Library library_of(std::initializer_list<std::string_view> texts) {
  Library library;
  for (const std::string_view text : texts) {
    const auto added = library.add("s" + std::to_string(library.size()), text);
    REQUIRE_MESSAGE(added.has_value(), (added ? "" : added.error().message));
  }
  return library;
}

std::string error_of(const Library& library, uint32_t source) {
  const auto whole = library.whole(source);
  return whole ? std::string() : whole.error().message;
}

constexpr std::string_view kSite =
    R"({"type":"record","name":"Site","namespace":"common","fields":[
        {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A","B"]}},
        {"name":"near","type":["null","Site"],"default":null}]})";

TEST_CASE("types of other texts, also of inner ones, at their first use; later a name is enough") {
  const Library library = library_of({R"({"type":"record","name":"R","namespace":"energy","fields":[
           {"name":"kind","type":"common.Kind"},{"name":"at","type":{"type":"common.Site"}},
           {"name":"all","type":{"type":"map","values":"common.Site"}}]})",
                                      kSite});
  std::set<uint32_t> used;
  const auto whole = library.whole(0, &used);
  REQUIRE(whole.has_value());
  CHECK(used == std::set<uint32_t>{1});
  const auto schema = parse(*whole);
  REQUIRE_MESSAGE(schema.has_value(), (schema ? "" : schema.error().message));
  const Node& root = (*schema)->root();
  const Node* site = root.field("at")->type;
  CHECK(site->name == "common.Site");
  CHECK(site->field("kind")->type == root.field("kind")->type);
  CHECK(site->field("near")->type->branches[1] == site);
  CHECK(root.field("all")->type->items == site);
}

TEST_CASE("a text that needs no other stays as it is") {
  std::set<uint32_t> used = {7};
  const auto whole =
      library_of({kSite, R"({"type":"enum","name":"Kind","symbols":["Z"]})"}).whole(0, &used);
  REQUIRE(whole.has_value());
  CHECK(used.empty());
  CHECK((*parse(*whole))->fingerprint() == (*parse(kSite))->fingerprint());
}

TEST_CASE("two texts may use each other") {
  const Library library =
      library_of({R"({"type":"record","name":"A","fields":[{"name":"b","type":["null","B"]}]})",
                  R"({"type":"record","name":"B","fields":[{"name":"a","type":["null","A"]}]})"});
  for (const uint32_t source : {0u, 1u}) {
    const auto whole = library.whole(source);
    REQUIRE(whole.has_value());
    const auto schema = parse(*whole);
    REQUIRE_MESSAGE(schema.has_value(), (schema ? "" : schema.error().message));
    const Node* other = (*schema)->root().fields[0].type->branches[1];
    CHECK(other->fields[0].type->branches[1] == &(*schema)->root());
  }
}

TEST_CASE("an unknown name is told with its place and what is near") {
  const Library library = library_of(
      {R"({"type":"record","name":"R","fields":[{"name":"v","type":["null","common.Sites"]}]})",
       kSite});
  const auto whole = library.whole(0);
  REQUIRE_FALSE(whole.has_value());
  CHECK(whole.error().code == "A002"_code);
  CHECK(whole.error().message == "unknown type \"common.Sites\", at /fields/0/type/1");
  CHECK(whole.error().note == "did you mean \"common.Site\"?");
}

TEST_CASE("what two texts define differently may not be used by a third; the same twice may") {
  constexpr std::string_view use =
      R"({"type":"record","name":"R","fields":[{"name":"k","type":"common.Kind"}]})";
  CHECK(error_of(library_of({use, kSite, kSite}), 0).empty());
  const Library library =
      library_of({use, kSite, R"({"type":"enum","name":"common.Kind","symbols":["A"]})"});
  CHECK(error_of(library, 0) ==
        "\"common.Kind\" is defined in s1 and differently in s2, at /fields/0/type");
  CHECK(error_of(library, 1).empty());
  CHECK(error_of(library, 2).empty());
}

TEST_CASE("a text's own definition wins, also behind the use of a type that holds another copy") {
  constexpr std::string_view outer =
      R"({"type":"record","name":"Outer","fields":[{"name":"in","type":
          {"type":"fixed","name":"In","size":2}}]})";
  const Library library =
      library_of({R"({"type":"record","name":"R","fields":[{"name":"outer","type":"Outer"},
           {"name":"in","type":{"type":"fixed","name":"In","size":2}}]})",
                  outer});
  const auto whole = library.whole(0);
  REQUIRE(whole.has_value());
  const auto schema = parse(*whole);
  REQUIRE_MESSAGE(schema.has_value(), (schema ? "" : schema.error().message));
  CHECK((*schema)->root().fields[1].type == (*schema)->root().fields[0].type->fields[0].type);
}

TEST_CASE("a chain of texts ends at the bound of a schema's depth") {
  Library library;
  for (int at = 0; at < 200; ++at) {
    const std::string at_text = std::to_string(at);
    const std::string next = std::to_string(at + 1);
    const std::string text = R"({"type":"record","name":"R)" + at_text +
                             R"(","fields":[{"name":"f","type":"R)" + next + "\"}]}";
    REQUIRE(library.add(at_text, text).has_value());
  }
  REQUIRE(library.add("end", R"({"type":"fixed","name":"R200","size":1})").has_value());
  const auto whole = library.whole(0);
  REQUIRE_FALSE(whole.has_value());
  CHECK(whole.error().code == "A004"_code);
  CHECK(library.whole(170).has_value());
}

}  // namespace
}  // namespace penstock::avro
