#include "base/suggest.h"
#include "plan/draft.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::plan {
namespace {

using Lists = std::vector<std::pair<std::string, const yaml::Node*>>;

Lists lists(Draft& draft, const yaml::Node& in, std::string_view what) {
  Lists found;
  if (in.kind != yaml::NodeKind::mapping) {
    draft.report(fail("P021"_code, fmt::format("\"{}\" takes a mapping of names to records", what))
                     .cure(fmt::format("write {}: {{NAME: [{{FIELD: VALUE}}]}}", what)),
                 in);
    return found;
  }
  for (const auto& [name, rows] : in.entries) {
    const auto wrong = std::ranges::find_if(
        rows.items, [](const yaml::Node& row) { return row.kind != yaml::NodeKind::mapping; });
    if (rows.kind != yaml::NodeKind::sequence || wrong != rows.items.end()) {
      draft.report(fail("P021"_code, fmt::format("\"{}\" takes a list of records", name.text))
                       .cure(fmt::format("write {}: [{{FIELD: VALUE}}]", name.text)),
                   rows.kind == yaml::NodeKind::sequence ? *wrong : name);
    } else {
      found.emplace_back(name.text, &rows);
    }
  }
  return found;
}

// A slip in a field's name would make a test that shows nothing.
void check_fields(Draft& draft, const yaml::Node& rows, const avro::Schema& schema) {
  for (const yaml::Node& row : rows.items) {
    for (const auto& [field, value] : row.entries) {
      if (schema.root().field(field.text) != nullptr) continue;
      std::vector<std::string_view> names;
      for (const avro::Field& known : schema.root().fields) names.push_back(known.name);
      draft.report(fail("P301"_code, fmt::format("there is no field \"{}\" here", field.text))
                       .hint(did_you_mean(field.text, names)),
                   field);
      return;
    }
  }
}

// What a stage of that name reads, or what it makes: names and schemas.
struct Ends {
  std::vector<std::pair<std::string_view, const avro::Schema*>> reads, makes;
};

Ends ends_of(const Plan& plan, std::string_view stage_name) {
  Ends ends;
  for (const Stage& stage : plan.stages) {
    if (stage.name != stage_name && stage.id != stage_name) continue;
    for (const std::string& topic : stage.from) ends.reads.emplace_back(topic, stage.input.get());
    for (const std::vector<std::string>* topics : {&stage.to_topics, &stage.sides}) {
      for (const std::string& topic : *topics) {
        ends.makes.emplace_back(topic, plan.topic(topic)->schema.get());
      }
    }
    if (!stage.to_store.empty()) ends.makes.emplace_back(stage.to_store, stage.output.get());
    ends.makes.emplace_back(stage.dead_topic, nullptr);
  }
  return ends;
}

void check_records(Draft& draft, const yaml::Node& in, std::string_view what,
                   const std::vector<std::pair<std::string_view, const avro::Schema*>>& ends) {
  std::vector<std::string_view> names;
  for (const auto& [name, schema] : ends) names.push_back(name);
  for (const auto& [name, rows] : in.entries) {
    const auto end = std::ranges::find(names, name.text);
    if (end == names.end()) {
      draft.report(fail("P031"_code, fmt::format("the stage {} no \"{}\"", what, name.text))
                       .hint(did_you_mean(name.text, names))
                       .because(fmt::format("the stage {}: {}", what, fmt::join(names, ", "))),
                   name);
    } else if (const avro::Schema* schema = ends[static_cast<size_t>(end - names.begin())].second) {
      check_fields(draft, rows, *schema);
    }
  }
}

void read_test(Draft& draft, const yaml::Node& body) {
  if (!draft.check(body, body, "tests", "a test")) return;
  Case test;
  test.name = body.find("name")->text;
  test.stage = body.find("stage")->text;
  test.place = draft.document->place(body);
  if (draft.plan->stage(test.stage) == nullptr) {
    std::vector<std::string_view> names;
    for (const Stage& stage : draft.plan->stages) names.push_back(stage.name);
    draft.report(fail("P058"_code, fmt::format("there is no stage \"{}\"", test.stage))
                     .hint(did_you_mean(test.stage, names)),
                 *body.find("stage"));
    return;
  }
  if (std::ranges::find(draft.plan->tests, test.name, &Case::name) != draft.plan->tests.end()) {
    draft.report(fail("P009"_code, fmt::format("two tests are called \"{}\"", test.name))
                     .because("-k picks a test by its name"),
                 *body.find("name"));
  }
  const Ends ends = ends_of(*draft.plan, test.stage);
  test.given = lists(draft, *body.find("given"), "given");
  test.expect = lists(draft, *body.find("expect"), "expect");
  check_records(draft, *body.find("given"), "reads", ends.reads);
  check_records(draft, *body.find("expect"), "makes", ends.makes);
  if (const yaml::Node* tables = body.find("tables")) {
    test.tables = lists(draft, *tables, "tables");
    for (const auto& [name, rows] : tables->entries) {
      if (draft.plan->table(name.text) != nullptr) continue;
      draft.report(fail("P308"_code, fmt::format("there is no table \"{}\"", name.text)), name);
    }
  }
  draft.plan->tests.push_back(std::move(test));
}

// After the stages: a topic without a declared schema has that of what they make.
void check_producers(Draft& draft) {
  if (!draft.options.producer_fits || !draft.errors.empty()) return;
  for (const Producer& producer : draft.plan->producers) {
    const Topic* topic = draft.plan->topic(producer.to);
    if (topic == nullptr || topic->schema == nullptr) continue;
    auto fits = draft.options.producer_fits(producer.part, *producer.config, topic->schema);
    if (!fits) draft.report(std::move(fits).error());
  }
}

}  // namespace

void read_tests(Draft& draft) {
  const yaml::Node* tests = draft.root().find("tests");
  // Names in tests follow from the stages: when those are broken, nothing is told here.
  if (tests == nullptr || !draft.errors.empty()) return;
  for (const yaml::Node& test : tests->items) read_test(draft, test);
}

Checked check(const std::string& path, Parts parts, const CheckOptions& options) {
  Draft draft(parts, options);
  const bool opened = open_document(draft, path);
  // Without a target, what can be said of any.
  if (opened && !choose_target(draft)) read_sections(draft);
  if (opened && draft.errors.empty()) {
    resolve_references(draft);
    read_sections(draft);
    read_schemas(draft);
    read_topics(draft);
    check_framings(draft);
    read_tables(draft);
    read_stores(draft);
    read_producers(draft);
    read_stages(draft);
    make_stages(draft);
    check_producers(draft);
    read_tests(draft);
    // What lints say of a file with errors may follow from these.
    if (draft.errors.empty())
      lint(draft);
    else
      draft.warnings.clear();
  }
  Checked checked;
  std::ranges::stable_sort(draft.errors, {}, [](const Error& error) { return error.place.line; });
  checked.errors = std::move(draft.errors);
  checked.warnings = std::move(draft.warnings);
  if (checked.errors.empty()) checked.plan = draft.plan;
  return checked;
}

}  // namespace penstock::plan
