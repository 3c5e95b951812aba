#include "plan/plan_fixture.h"
#include "rule/program.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace penstock::plan {
namespace {

flow::PartSpec spec(flow::PartKind kind, std::string_view name) {
  flow::PartSpec made;
  made.kind = kind;
  made.name = name;
  return made;
}

// Steps that shape records as the real ones do, and do nothing with them.
class Nothing final : public flow::Step {
 public:
  void apply(row::Batch&, flow::StepContext&) override {}
};

Result<std::unique_ptr<flow::Step>> make_set(const flow::Config& config, flow::Shape& shape,
                                             flow::MakeContext&) {
  PENSTOCK_TRY(record, shape.schema());
  for (const auto& [name, rule] : config.node().entries) {
    auto program = rule::Program::compile(rule.text, record);
    if (!program) {
      Error error = std::move(program).error();
      error.place = config.document().place_inside(rule, error.place.line, error.place.column,
                                                   error.place.width);
      return std::unexpected(std::move(error));
    }
    PENSTOCK_TRY(type, program->result_schema());
    shape.set(name.text, type, &type->root(), shape.new_slot());
  }
  return std::make_unique<Nothing>();
}

Result<std::unique_ptr<flow::Step>> make_drop(const flow::Config&, flow::Shape&,
                                              flow::MakeContext&) {
  return std::make_unique<Nothing>();
}

flow::PartSpec set() {
  flow::PartSpec made = spec(flow::PartKind::step, "set");
  made.fields = {{.name = "FIELD", .type = flow::FieldType::rule}};
  made.open = true;
  made.make = make_set;
  return made;
}

flow::PartSpec drop() {
  flow::PartSpec made = spec(flow::PartKind::step, "drop");
  made.fields = {{.name = "when",
                  .type = flow::FieldType::condition,
                  .required = true,
                  .example = "meter_id.startsWith('TEST-')"}};
  made.bare = "when";
  made.guarantee = "Every dropped record is counted.";
  made.make = make_drop;
  return made;
}

}  // namespace

const std::vector<flow::PartSpec>& test_parts() {
  static const std::vector<flow::PartSpec> all = [] {
    flow::PartSpec kafka = spec(flow::PartKind::log, "kafka");
    kafka.fields = {{.name = "kafka", .type = flow::FieldType::text, .required = true},
                    {.name = "password", .type = flow::FieldType::text}};
    flow::PartSpec dynamodb = spec(flow::PartKind::store, "dynamodb");
    dynamodb.fields = {{.name = "dynamodb", .type = flow::FieldType::text},
                       {.name = "region", .type = flow::FieldType::text}};
    return std::vector<flow::PartSpec>{drop(),
                                       set(),
                                       spec(flow::PartKind::store, "sqlite"),
                                       spec(flow::PartKind::store, "redshift"),
                                       dynamodb,
                                       spec(flow::PartKind::log, "embedded"),
                                       kafka};
  }();
  return all;
}

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
  Folder folder;
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
  Folder folder;
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
