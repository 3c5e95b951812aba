// A schema and those that it refers to become one that stands alone.
#include "registry/references.h"

#include "registry/registry.h"

#include <doctest/doctest.h>

namespace penstock::registry {
namespace {

TEST_CASE("a name is replaced by its definition, at its first use only, across namespaces") {
  const References others = {{"common.Site",
                              R"({"type":"record","name":"Site","namespace":"common","fields":[
           {"name":"kind","type":"Kind"},{"name":"near","type":["null","Site"],"default":null}]})"},
                             {"Kind", R"({"type":"enum","name":"Kind","symbols":["A","B"]})"}};
  const auto whole = with_references(
      R"({"type":"record","name":"R","namespace":"energy","fields":[
          {"name":"from","type":"common.Site"},{"name":"to","type":["null","common.Site"]},
          {"name":"kinds","type":{"type":"array","items":"Kind"}}]})",
      others);
  REQUIRE_MESSAGE(whole.has_value(), (whole ? "" : whole.error().message));
  const avro::Node& root = (*whole)->root();
  const avro::Node* from = root.field("from")->type;
  CHECK(from->name == "common.Site");
  CHECK(from->field("kind")->type->name == "Kind");
  CHECK(root.field("to")->type->branches[1] == from);
  CHECK(root.field("kinds")->type->items == from->field("kind")->type);
  // Its own text says the same.
  const auto again = avro::parse((*whole)->json());
  REQUIRE(again.has_value());
  CHECK((*again)->fingerprint() == (*whole)->fingerprint());
}

TEST_CASE("a name that nobody defines is an error") {
  const auto whole =
      with_references(R"({"type":"record","name":"R","fields":[{"name":"v","type":"x.Y"}]})",
                      {{"a.B", R"("int")"}});
  REQUIRE_FALSE(whole.has_value());
  CHECK(whole.error().code == "A002"_code);
}

Past past_of(std::string level, std::initializer_list<std::string_view> types) {
  Past past{std::move(level), {}};
  for (const std::string_view type : types) {
    auto schema = avro::parse(std::string(R"({"type":"record","name":"R","fields":[)") +
                              R"({"name":"kwh","type":)" + std::string(type) + "}]}");
    REQUIRE(schema.has_value());
    past.versions.push_back({std::to_string(9 - past.versions.size()), *schema});
  }
  return past;
}

TEST_CASE("what a registry will refuse is said with the field and the version") {
  const auto now = past_of("", {R"("int")"}).versions.front().schema;
  const auto refused = [&](const Past& past) {
    const auto error = objection(past, "s", *now);
    return error ? error->message : std::string();
  };
  const std::string backward =
      "subject s is BACKWARD, and version 9 does not fit: field \"kwh\": double cannot be read as "
      "int";
  CHECK(refused(past_of("BACKWARD", {R"("double")"})) == backward);
  CHECK(refused(past_of("FORWARD", {R"("double")"})).empty());
  CHECK_FALSE(refused(past_of("FULL", {R"("double")"})).empty());
  CHECK(refused(past_of("NONE", {R"("double")"})).empty());
  CHECK_FALSE(refused(past_of("BACKWARD_TRANSITIVE", {R"("int")", R"("string")"})).empty());
  CHECK(refused(past_of("BACKWARD", {})).empty());
}

}  // namespace
}  // namespace penstock::registry
