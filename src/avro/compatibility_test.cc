// What a reader can not read of a writer: all disagreements, by path.
#include "avro/compatibility.h"

#include "avro/resolve.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace penstock::avro {
namespace {

SchemaPtr schema(std::string_view text) {
  auto parsed = parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().message));
  return *parsed;
}

SchemaPtr reading(std::string_view fields) {
  return schema(fmt::format(R"({{"type":"record","name":"r.Reading","fields":[{}]}})", fields));
}

std::string told(const SchemaPtr& writer, const SchemaPtr& reader) {
  std::string all;
  for (const Disagreement& each : disagreements(writer->root(), reader->root())) {
    CHECK_FALSE(each.cure.empty());
    all += (all.empty() ? "" : "; ") + each.path + ": " + each.what;
  }
  return all;
}

constexpr std::string_view kOld = R"({"name":"id","type":"string"},{"name":"kwh","type":"int"})";

TEST_CASE("a promotion is read one way") {
  const auto old = reading(kOld);
  const auto now = reading(R"({"name":"id","type":"string"},{"name":"kwh","type":"double"})");
  const Compatibility both = compare(old->root(), now->root());
  CHECK(both.backward.empty());
  REQUIRE(both.forward.size() == 1);
  CHECK(one_line(both.forward[0]) == "field \"kwh\": double cannot be read as int");
}

TEST_CASE("every disagreement is told, each by its path") {
  const auto old = reading(
      R"({"name":"site","type":{"type":"record","name":"Site","fields":[
            {"name":"tariff","type":"string"},
            {"name":"tags","type":{"type":"array","items":"int"}}]}},
         {"name":"rates","type":{"type":"map","values":"double"}},
         {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A","B","C"]}})");
  const auto now = reading(
      R"({"name":"site","type":{"type":"record","name":"Site","fields":[
            {"name":"tariff","type":"long"},
            {"name":"tags","type":{"type":"array","items":"boolean"}},
            {"name":"owner","type":"string"}]}},
         {"name":"rates","type":{"type":"map","values":"float"}},
         {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A"]}})");
  CHECK(told(old, now) ==
        "site.tariff: string cannot be read as long; site.tags[]: int cannot be read as boolean; "
        "site.owner: is not in the writer's schema and has no default; "
        "rates{}: double cannot be read as float; kind: enum r.Kind lacks B, C");
}

TEST_CASE("a branch that the reader lacks is told, though other datums resolve") {
  const auto old = reading(R"({"name":"v","type":["null","string","long"]})");
  const auto now = reading(R"({"name":"v","type":["null","long"]})");
  CHECK(Resolver::compile(old->root(), now->root()).has_value());
  CHECK(told(old, now) == "v(string): string has no branch in null or long");
  CHECK(told(now, old).empty());
  const auto plain = reading(R"({"name":"v","type":"long"})");
  CHECK(told(now, plain) == "v: null cannot be read as long");
  CHECK(told(plain, now).empty());
}

TEST_CASE("names, aliases, sizes and decimals") {
  const auto named = [](std::string_view type) {
    return reading(fmt::format(R"({{"name":"v","type":{}}})", type));
  };
  const auto four = named(R"({"type":"fixed","name":"Four","size":4})");
  const auto more = named(R"({"type":"fixed","name":"Four","size":5})");
  const auto five = named(R"({"type":"fixed","name":"Five","size":4})");
  const auto alias = named(R"({"type":"fixed","name":"Five","size":4,"aliases":["Four"]})");
  CHECK(told(four, more) == "v: 4 bytes cannot be read as 5");
  CHECK_FALSE(told(four, five).empty());
  CHECK(told(four, alias).empty());
  const auto money = named(R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":2})");
  const auto finer = named(R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":3})");
  CHECK(told(money, finer) == "v: decimal(9, 2) cannot be read as decimal(9, 3)");
  const auto was = reading(R"({"name":"a","type":"string"})");
  const auto renamed = reading(R"({"name":"b","type":"string","aliases":["a"]})");
  CHECK(told(was, renamed).empty());
  CHECK(told(renamed, was) == "a: is not in the writer's schema and has no default");
}

TEST_CASE("recursive schemas end, and a record in a nullable union is looked into") {
  const auto node = [](std::string_view value) {
    return schema(fmt::format(
        R"({{"type":"record","name":"Node","fields":[{{"name":"value","type":"{}"}},
            {{"name":"next","type":["null","Node"],"default":null}}]}})",
        value));
  };
  CHECK(told(node("int"), node("long")).empty());
  CHECK(told(node("long"), node("int")) == "value: long cannot be read as int");
}

// Twenty records in one another, each in a union: what is wrong lies at the bottom.
TEST_CASE("deep unions cost no more than their size") {
  const auto nest = [](std::string_view bottom) {
    std::string type(bottom);
    for (int level = 0; level < 20; ++level) {
      type = fmt::format(
          R"(["null",{{"type":"record","name":"L{}","fields":[{{"name":"f","type":{}}}]}}])", level,
          type);
    }
    return reading(fmt::format(R"({{"name":"v","type":{}}})", type));
  };
  const std::string all = told(nest("\"string\""), nest("\"int\""));
  CHECK(all.ends_with(": string cannot be read as int"));
  CHECK(all.find(';') == std::string::npos);
}

}  // namespace
}  // namespace penstock::avro
