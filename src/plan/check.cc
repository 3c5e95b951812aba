#include "base/suggest.h"
#include "plan/draft.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::plan {
namespace {

std::vector<std::pair<std::string, const yaml::Node*>> lists(Draft& draft, const yaml::Node& in) {
  std::vector<std::pair<std::string, const yaml::Node*>> found;
  for (const auto& [name, rows] : in.entries) {
    if (rows.kind == yaml::NodeKind::sequence) {
      found.emplace_back(name.text, &rows);
    } else {
      draft.report(fail(Code::P021, fmt::format("\"{}\" takes a list of records", name.text)),
                   name);
    }
  }
  return found;
}

void check_names(Draft& draft, const yaml::Node& in, bool outputs) {
  for (const auto& [name, rows] : in.entries) {
    if (draft.plan->topic(name.text) != nullptr) continue;
    if (outputs && draft.plan->store(name.text) != nullptr) continue;
    draft.report(fail(Code::P031, fmt::format("there is no topic \"{}\"", name.text))
                     .hint(did_you_mean(name.text, draft.topic_names())),
                 name);
  }
}

void read_test(Draft& draft, const yaml::Node& body) {
  if (!draft.check(body, body, "tests", "a test")) return;
  Case test;
  test.name = body.find("name")->text;
  test.stage = body.find("stage")->text;
  test.place = draft.document->place(body);
  if (draft.plan->stage(test.stage) == nullptr) {
    draft.report(fail(Code::P058, fmt::format("there is no stage \"{}\"", test.stage)),
                 *body.find("stage"));
    return;
  }
  check_names(draft, *body.find("given"), false);
  check_names(draft, *body.find("expect"), true);
  test.given = lists(draft, *body.find("given"));
  test.expect = lists(draft, *body.find("expect"));
  if (const yaml::Node* tables = body.find("tables")) {
    test.tables = lists(draft, *tables);
    for (const auto& [name, rows] : tables->entries) {
      if (draft.plan->table(name.text) != nullptr) continue;
      draft.report(fail(Code::P308, fmt::format("there is no table \"{}\"", name.text)), name);
    }
  }
  draft.plan->tests.push_back(std::move(test));
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
  if (open_document(draft, path) && choose_target(draft)) {
    resolve_references(draft);
    read_sections(draft);
    read_schemas(draft);
    read_topics(draft);
    read_tables(draft);
    read_stores(draft);
    read_producers(draft);
    read_stages(draft);
    make_stages(draft);
    read_tests(draft);
    if (draft.errors.empty()) lint(draft);
  }
  Checked checked;
  std::ranges::stable_sort(draft.errors, {}, [](const Error& error) { return error.place.line; });
  checked.errors = std::move(draft.errors);
  checked.warnings = std::move(draft.warnings);
  if (checked.errors.empty()) checked.plan = draft.plan;
  return checked;
}

}  // namespace penstock::plan
