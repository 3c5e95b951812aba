#include "plan/plan_fixture.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace penstock::plan {
namespace {

TEST_CASE("a good file becomes a plan in flow order") {
  const Checked checked = Folder().check(kGood);
  for (const Error& error : checked.errors) MESSAGE(render(error));
  REQUIRE(checked.plan);
  const Plan& plan = *checked.plan;
  REQUIRE(plan.stages.size() == 4);
  CHECK(plan.stages[0].id == "first");
  CHECK(plan.stages[1].to_topics == std::vector<std::string>{"out.a", "out.b"});
  CHECK(plan.stages[1].route_field == "tenant");
  CHECK(plan.stages[2].group == "p.third.one");
  CHECK(plan.stages[3].from == std::vector<std::string>{"out.a", "out.b"});
  CHECK(plan.store("one")->table.schema->root().field("kw") != nullptr);
  CHECK(plan.topic("dead.third") != nullptr);
  CHECK(plan.stages[0].scale.max == 2);
  CHECK(plan.stages[2].epoch.every_millis == 500);
}

TEST_CASE("the hash is of what the plan does") {
  const Folder folder;
  const auto of = [&](const std::string& text) { return hash(*folder.check(text).plan); };
  CHECK(of(kGood) == of("# a comment\n" + kGood));
  CHECK(of(kGood) == of(swapped("{schema: r, key: id,", "{key: id, schema: r,")));
  CHECK(of(kGood) != of(swapped("kwh * 4.0", "kwh * 5.0")));
}

TEST_CASE("slips have a code and a place") {
  struct Slip {
    std::string from, to, code;
    uint32_t line, column;
  };
  const std::vector<Slip> slips = {
      {"    from: in\n", "    form: in\n", "P012", 14, 5},
      {"    from: in\n", "    from: inn\n", "P031", 14, 11},
      {"    from: in\n", "    from: out.a\n", "P043", 11, 11},
      {"version: 1", "version: 2", "P022", 2, 10},
      {"{r: r.avsc}", "{r: x.avsc}", "P037", 3, 14},
      {"schema: r,", "schema: q,", "P034", 5, 16},
      {"key: id, partitions", "key: ix, partitions", "P039", 5, 24},
      {"partitions: 2", "partitions: two", "P025", 5, 40},
      {"partitions: 2", "partitions: -2", "P026", 5, 40},
      {"  mid: {key: id}", "  mid: {keep: 5x}", "P023", 6, 15},
      {"  out.<tenant>", "  <tenant>", "P040", 7, 3},
      {"tenants: [a, b]\n", "", "P041", 7, 3},
      {"- set:", "- sett:", "P035", 16, 9},
      {"{kw: kwh * 4.0}", "{kw: kwx * 4.0}", "R002", 16, 19},
      {"{kw: kwh * 4.0}", "{kw: Done}", "R009", 16, 19},
      {"{kw: kwh * 4.0}", "{key: kwh * 4.0}", "P060", 16, 15},
      {"one: {sqlite", "one: {sqlit", "P036", 22, 9},
      {"key: id}\n  two", "key: idd}\n  two", "P056", 22, 27},
      {"[one, two]", "[one, mid]", "P063", 20, 9},
      {"stages:\n", "dead_letters: {topic: dead}\nstages:\n", "P040", 9, 23},
      {"[one, two]", "[one, tow]", "P031", 20, 15},
  };
  const Folder folder;
  for (const Slip& slip : slips) {
    CAPTURE(slip.to);
    const Checked checked = folder.check(swapped(slip.from, slip.to));
    CHECK(!checked.plan);
    REQUIRE(!checked.errors.empty());
    const Error& error = checked.errors.front();
    INFO(render(error));
    CHECK(catalogue_entry(error.code).name == slip.code);
    CHECK(error.place.line == slip.line);
    CHECK(error.place.column == slip.column);
  }
}

}  // namespace
}  // namespace penstock::plan
