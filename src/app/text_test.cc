// Texts of the front door: options for the control socket, reports, YAML as JSON.
#include "app/options_text.h"
#include "app/report.h"
#include "app/yaml_json.h"
#include "base/random.h"

#include <doctest/doctest.h>

#include <string>

namespace penstock::app {
namespace {

std::string json_of(const std::string& yaml, const avro::Node* type = nullptr) {
  auto parsed = yaml::parse(yaml, "x.yaml");
  REQUIRE(parsed.has_value());
  return yaml_to_json(parsed->root(), type);
}

Options some_options() {
  Options options;
  options.verb = "send";
  options.files = {"/p/pipeline.yaml"};
  options.inputs = {"/data/a=b.csv", "/data/two.jsonl"};
  options.to = "ingest";
  options.format = Format::json;
  options.limit = -1;
  options.rate_per_second = 0.25;
  options.skip_bad = true;
  return options;
}

}  // namespace

TEST_CASE("options come back from their text") {
  const auto back = options_from_text(options_to_text(some_options()));
  REQUIRE(back.has_value());
  CHECK(back->verb == "send");
  CHECK(back->files == std::vector<std::string>{"/p/pipeline.yaml"});
  CHECK(back->inputs == std::vector<std::string>{"/data/a=b.csv", "/data/two.jsonl"});
  CHECK(back->to == "ingest");
  CHECK(back->format == Format::json);
  CHECK(back->limit == -1);
  CHECK(back->rate_per_second == 0.25);
  CHECK(back->skip_bad);
  CHECK(!back->follow);
  CHECK(options_to_text(*back) == options_to_text(some_options()));
}

TEST_CASE("text that is not that of options is refused") {
  const std::string good = options_to_text(some_options());
  CHECK(!options_from_text(""));
  CHECK(!options_from_text(good.substr(0, good.size() - 1)));
  const auto with = [&](std::string_view piece) {
    return options_from_text(good + std::string(piece) + '\0').has_value();
  };
  CHECK(with("limit=5"));
  for (const char* piece :
       {"data=/etc", "limit=5x", "limit=", "limit=99999999999999999999", "rate=nan", "rate=inf",
        "again=2", "again=", "format=5", "format=-1", "verb", "", "version=0.0.0-other"})
    CHECK_FALSE_MESSAGE(with(piece), piece);
  std::string unversioned = good;
  unversioned.erase(0, unversioned.find('\0') + 1);
  CHECK(!options_from_text(unversioned));
}

TEST_CASE("hostile option text never does harm") {
  Random random(7);
  const std::string good = options_to_text(some_options());
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good.substr(0, random.below(good.size() + 1));
    for (int change = 0; change < 3 && !bad.empty(); ++change)
      bad[random.below(bad.size())] = static_cast<char>(random.below(256));
    if (const auto options = options_from_text(bad)) CHECK(!options->files.empty());
  }
}

TEST_CASE("a report is one tree in JSON and YAML") {
  const Value tree =
      Value::Object{{"name", "a\"b"},
                    {"none", Value()},
                    {"lags", Value::Array{1, uint64_t{18446744073709551615u}, -2.5, true}},
                    {"empty", Value::Array{}},
                    {"nested", Value::Array{Value::Object{{"x", 1}, {"y", Value::Object{}}}}}};
  CHECK(to_json(tree) ==
        R"({"name":"a\"b","none":null,"lags":[1,18446744073709551615,-2.5,true],"empty":[],)"
        R"("nested":[{"x":1,"y":{}}]})");
  CHECK(to_yaml(tree) ==
        "\"name\": \"a\\\"b\"\n\"none\": null\n\"lags\":\n  - 1\n  - 18446744073709551615\n"
        "  - -2.5\n  - true\n\"empty\": []\n\"nested\":\n  -\n    \"x\": 1\n    \"y\": {}\n");
  CHECK(yaml::parse(to_yaml(tree), "report").has_value());
}

TEST_CASE("tables line up, numbers to the right, and obey no record") {
  CHECK(to_text({{"STAGE", "LAG"}, {"writer", "7"}, {"x", "1200"}}) ==
        "STAGE    LAG\nwriter     7\nx       1200\n");
  CHECK(to_text({{"KÄSE", "B"}, {"a", "b"}}) == "KÄSE  B\na     b\n");
  CHECK(to_text({{"A"}, {"x\x1b[2J\ny"}}) == "A\nx [2J y\n");
  CHECK(to_text({}) == "");
  Report report;
  report.tree = Value::Array{1};
  report.table = {{"A"}, {"b"}};
  report.footer = "end\n";
  CHECK(print(report, Format::json) == "[1]\n");
  CHECK(print(report, Format::yaml) == "- 1\n");
  CHECK(print(report, Format::table) == "A\nb\nend\n");
}

TEST_CASE("YAML becomes JSON, typed by the file and by the schema") {
  CHECK(json_of("{a: 1, b: [x, 1.5, true, ~], c: {d: '1'}}") ==
        R"({"a":1,"b":["x",1.5,true,null],"c":{"d":"1"}})");
  CHECK(json_of("[]") == "[]");
  CHECK(json_of("[[], [[]], {}]") == "[[],[[]],{}]");
  // Not JSON's numbers, so they are text.
  CHECK(json_of("[inf, nan, .5, 5., 01, 0x10, +1, 1e, 1_000]") ==
        R"(["inf","nan",".5","5.","01","0x10","+1","1e","1_000"])");
  CHECK(json_of("[0, -0, 10, 1e5, 1.5E-3]") == "[0,-0,10,1e5,1.5E-3]");
  const auto schema = avro::parse(
      R"({"type":"record","name":"R","fields":[{"name":"id","type":["null","string"]},)"
      R"({"name":"n","type":"long"},{"name":"m","type":{"type":"map","values":"string"}}]})");
  REQUIRE(schema.has_value());
  CHECK(json_of("{id: 12, n: 12, m: {x: true}}", &(*schema)->root()) ==
        R"({"id":"12","n":12,"m":{"x":"true"}})");
  CHECK(json_of("{id: ~}", &(*schema)->root()) == R"({"id":null})");
}

}  // namespace penstock::app
