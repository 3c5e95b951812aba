// Targets, the environment, what is printed, and the lints.
#include "plan/plan_fixture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace penstock::plan {
namespace {

std::vector<std::string> codes(const std::vector<Error>& errors) {
  std::vector<std::string> names;
  for (const Error& error : errors) names.emplace_back(catalogue_entry(error.code).name);
  return names;
}

using Codes = std::vector<std::string>;

const std::string kTargets =
    "targets:\n"
    "  local: {topics: {replicas: 2}, epoch: {rows: 50}, stores: {two: redshift}}\n"
    "  prod:\n"
    "    log: {kafka: \"${env:BROKERS}\", password: \"${secret:kafka}\"}\n"
    "    stores: {one: redshift}\n"
    "  dear: {log: {kafka: \"${env:MISSING:-b9:9092}\"}}\n"
    "  bad: {log: {kafka: \"${env:MISSING}\"}}\n";

TEST_CASE("fields that a step added may be null in a derived topic, and in a store") {
  const Checked checked = Folder().check(kGood);
  REQUIRE(checked.plan);
  const auto type = [&](const avro::Schema& schema, std::string_view name) {
    return avro::describe(*schema.root().field(name)->type);
  };
  const avro::Schema& mid = *checked.plan->topic("mid")->schema;
  CHECK(type(mid, "kw") == "null or double");
  CHECK(mid.root().field("kw")->default_json == "null");
  CHECK(type(mid, "kwh") == "double");
  CHECK(type(*checked.plan->store("one")->table.schema, "kw") == "null or double");
}

TEST_CASE("a replaced field keeps its type, and a declared schema is taken as written") {
  Folder folder;
  const Checked replaced = folder.check(swapped("{kw: kwh * 4.0}", "{kwh: kwh * 4.0}"));
  REQUIRE(replaced.plan);
  CHECK(avro::describe(*replaced.plan->topic("mid")->schema->root().field("kwh")->type) ==
        "double");
  folder.write("wide.avsc",
               R"({"type":"record","name":"R","fields":[{"name":"id","type":"string"},)"
               R"({"name":"kwh","type":"double"},{"name":"tenant","type":"string"},)"
               R"({"name":"kw","type":"double"}]})");
  std::string text = swapped("  mid: {key: id}", "  mid: {key: id, schema: wide}");
  text.replace(text.find("{r: r.avsc}"), 11, "{r: r.avsc, wide: wide.avsc}");
  const Checked declared = folder.check(text);
  for (const Error& error : declared.errors) MESSAGE(render(error));
  REQUIRE(declared.plan);
  CHECK(avro::describe(*declared.plan->topic("mid")->schema->root().field("kw")->type) == "double");
}

TEST_CASE("a store's key is never null, though a step added it") {
  const Checked checked =
      Folder().check(swapped("two: {sqlite: two}", "two: {sqlite: two, upsert_on: [id, kw]}"));
  // The rule that makes kw stands two stages before: the topic between makes it nullable.
  REQUIRE(checked.plan);
  std::string own = swapped("    from: out.*\n", "    from: out.*\n    steps: [{set: {n: 1}}]\n");
  own.replace(own.find("two: {sqlite: two}"), 18, "two: {sqlite: two, upsert_on: [id, n]}");
  const Checked added = Folder().check(own);
  REQUIRE(added.plan);
  CHECK(avro::describe(*added.plan->store("two")->table.schema->root().field("n")->type) == "long");
  CHECK(avro::describe(*added.plan->store("one")->table.schema->root().field("n")->type) ==
        "null or long");
}

TEST_CASE("a target overrides topics, epochs, stores and the log") {
  Folder folder;
  const Checked local = folder.check(kGood + kTargets);
  for (const Error& error : local.errors) MESSAGE(render(error));
  REQUIRE(local.plan);
  CHECK(local.plan->target == "local");
  CHECK(local.plan->log.part == "embedded");
  CHECK(local.plan->topic("mid")->replicas == 2);
  CHECK(local.plan->stage("first")->epoch.rows == 50);
  CHECK(local.plan->store("two")->part == "redshift");
  CHECK(local.plan->store("one")->part == "sqlite");
  const Checked prod = folder.check(kGood + kTargets, "prod");
  REQUIRE(prod.plan);
  CHECK(prod.plan->log.part == "kafka");
  CHECK(prod.plan->log.config->text("kafka") == "b1:9092");
  CHECK(prod.plan->store("one")->part == "redshift");
  CHECK(prod.plan->stage("third.one")->epoch.every_millis == 30'000);
  CHECK(prod.plan->topic("mid")->replicas == 1);
}

TEST_CASE("only the chosen target's environment is needed") {
  Folder folder;
  const Checked dear = folder.check(kGood + kTargets, "dear");
  REQUIRE(dear.plan);
  CHECK(dear.plan->log.config->text("kafka") == "b9:9092");
  const Checked bad = folder.check(kGood + kTargets, "bad");
  CHECK(codes(bad.errors) == Codes{"P048"});
  CHECK(bad.errors.front().place.line == 30);
  CHECK(codes(folder.check(kGood + kTargets, "moon").errors) == Codes{"P030"});
}

TEST_CASE("a slip in a target is told whichever is chosen") {
  Folder folder;
  const auto with = [&](const std::string& target) {
    return codes(folder.check(kGood + kTargets + target).errors);
  };
  CHECK(with("  bare: {epoch: {rows: 7}}\n") == Codes{"P051"});
  CHECK(with("  far: {log: {kafka: b, colour: red}}\n") == Codes{"P012"});
  CHECK(with("  far: {log: embedded, stores: {one: paper}}\n") == Codes{"P036"});
  CHECK(with("  far: {log: embedded, stores: {one: {colour: red}}}\n") == Codes{"P012"});
  CHECK(with("  far: {log: \"${env:MISSING}\", stores: {one: \"${env:MISSING}\"}}\n").empty());
}

TEST_CASE("a secret is never in what is printed") {
  Folder folder;
  const Checked prod = folder.check(kGood + kTargets, "prod");
  REQUIRE(prod.plan);
  CHECK(prod.plan->log.config->text("password") == "${secret:kafka}");
  std::string clear = kGood + kTargets;
  clear.replace(clear.find("${secret:kafka}"), 15, "hunter2-hunter2");
  const Checked refused = folder.check(clear, "prod");
  REQUIRE(codes(refused.errors) == Codes{"P049"});
  CHECK(render(refused.errors.front()).find("hunter2") == std::string::npos);
}

TEST_CASE("the plan is told in words and as JSON") {
  const Checked checked = Folder().check(kGood);
  REQUIRE(checked.plan);
  const std::string words = describe(*checked.plan);
  const std::vector<std::string> told = {"pipeline p, target local",
                                         "out.a, out.b by \"tenant\"",
                                         "p.third.one",
                                         "kw: null or double",
                                         "dead.first",
                                         hash(*checked.plan)};
  for (const std::string& part : told) {
    CAPTURE(part);
    CHECK(words.find(part) != std::string::npos);
  }
  const std::string json = to_json(*checked.plan);
  for (const char* part :
       {R"("group":"p.third.two")", R"("route_field":"tenant")", R"("merge":"upsert")",
        R"("steps":[{"set":{"kw":"kwh * 4.0"}}])", R"("partitions":2)"}) {
    CAPTURE(part);
    CHECK(json.find(part) != std::string::npos);
  }
}

TEST_CASE("the file's form is told from the declarations") {
  const std::string schema = json_schema(test_parts());
  for (const char* part :
       {R"("pipeline":{)", R"("stop_above":{)", R"("drop":{)", R"("additionalProperties":false)"}) {
    CAPTURE(part);
    CHECK(schema.find(part) != std::string::npos);
  }
  CHECK(explain_field(test_parts(), "stages.from").find("required") != std::string::npos);
  CHECK(explain_field(test_parts(), "drop.when").find("meter_id") != std::string::npos);
  CHECK(explain_field(test_parts(), "drop").find("guarantee: ") != std::string::npos);
  CHECK(explain_field(test_parts(), "steps").find("drop") != std::string::npos);
  CHECK(explain_field(test_parts(), "nothing").empty());
  CHECK(explain_field(test_parts(), "stages.nothing").empty());
}

TEST_CASE("lints have a number, a place and a cure, and do not stop") {
  struct Lint {
    std::string from, to, code;
    uint32_t line, column;
  };
  const std::vector<Lint> lints = {
      {"stages:\n", "scale: {max: 5}\nstages:\n", "P201", 9, 14},
      {"  mid: {key: id}", "  spare: {schema: r}\n  mid: {key: id}", "P202", 6, 3},
      {"  two: {sqlite: two}", "  two: {sqlite: two}\n  three: {sqlite: t}", "P203", 24, 3},
      {"{r: r.avsc}", "{r: r.avsc, s: r.avsc}", "P205", 3, 22},
      {"    from: mid\n", "    from: mid\n    scale: {lag_threshold: 9}\n    epoch: {rows: 10}\n",
       "P206", 12, 28},
      {"out.<tenant>: {key: id}", "out.<tenant>: {key: id, partitions: 101}", "P207", 7, 3},
      {"{sqlite: one, key: id}", "{sqlite: one, key: kwh}", "P209", 22, 27},
      {"  mid: {key: id}", "  mid: {key: id, keep: 1h}", "P211", 6, 24},
  };
  Folder folder;
  for (const Lint& lint : lints) {
    CAPTURE(lint.code);
    const Checked checked = folder.check(swapped(lint.from, lint.to));
    REQUIRE(checked.plan);
    const auto found = std::ranges::find_if(checked.warnings, [&](const Error& warning) {
      return catalogue_entry(warning.code).name == lint.code;
    });
    REQUIRE(found != checked.warnings.end());
    INFO(render(*found, "warning"));
    CHECK(found->place.line == lint.line);
    CHECK(found->place.column == lint.column);
    CHECK(*catalogue_entry(found->code).cure.data() != '\0');
  }
  CHECK(codes(folder.check(kGood).warnings).empty());
}

TEST_CASE("several independent slips are told at once") {
  std::string text = swapped("version: 1", "version: 3");
  text.replace(text.find("{kw: kwh * 4.0}"), 15, "{kw: kwx * 4.0}");
  text.replace(text.find("one: {sqlite"), 12, "one: {sqlit_");
  CHECK(codes(Folder().check(text).errors) == Codes{"P022", "R002", "P036"});
}

}  // namespace
}  // namespace penstock::plan
