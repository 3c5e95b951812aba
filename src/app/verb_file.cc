#include "app/load.h"
#include "app/objections.h"
#include "app/parts.h"
#include "app/read_text.h"
#include "app/redshift_streaming.h"
#include "app/registries.h"
#include "app/store_tables.h"
#include "app/verbs.h"
#include "base/clock.h"
#include "base/suggest.h"
#include "plan/plan.h"
#include "yaml/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace penstock::app {

std::string counted(size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

Result<int> check(const Options& options, ops::Output& output) {
  int code = 0;
  for (const std::string& given : options.files) {
    Options one_file = options;
    one_file.files = {given};
    PENSTOCK_TRY(pipeline, pipeline_of(one_file));
    const std::string& path = pipeline.file;
    const plan::Checked checked = plan::check(path, parts(), check_options(pipeline.target));
    for (const Error& warning : checked.warnings) output.note(render(warning, "warning"));
    for (const Error& error : checked.errors) output.note(render(error));
    std::vector<Error> objected;
    if (checked.plan) objected = objections(*checked.plan, SystemClock());
    if (checked.plan && options.registry) {
      for (Error& error : schema_objections(*checked.plan, SystemClock()))
        objected.push_back(std::move(error));
    }
    for (const Error& error : objected) {
      output.note(render(error));
      // A table's file that is broken is found at once, as the rest of the pipeline's.
      code = std::max(code, exit_code(error) == 1 ? 78 : exit_code(error));
    }
    const bool refused = !checked.plan || (options.deny_warnings && !checked.warnings.empty());
    if (refused) {
      code = 78;
    } else if (objected.empty()) {
      output.out(fmt::format(
          "{}: ok ({}, {}, {}; target {}){}\n", path, counted(checked.plan->stages.size(), "stage"),
          counted(checked.plan->topics.size(), "topic"),
          counted(checked.plan->tests.size(), "test"), checked.plan->target,
          checked.warnings.empty() ? "" : ", " + counted(checked.warnings.size(), "warning")));
    }
  }
  return code;
}

Result<int> plan_verb(const Options& options, ops::Output& output) {
  const auto plan = load(options, output, true);
  if (!plan) return plan.error();
  if (options.redshift_streaming) {
    output.out(redshift_streaming(**plan));
    return 0;
  }
  const bool tree = options.format == Format::json || options.format == Format::yaml;
  output.out(tree ? plan::to_json(**plan) + "\n"
                  : plan::describe(**plan) + describe_schemas(**plan, SystemClock()) +
                        describe_tables(**plan, SystemClock()));
  return 0;
}

Result<int> explain(const Options& options, ops::Output& output) {
  const std::string& what = options.inputs.front();
  if (const CatalogueEntry* entry = find_catalogue_entry(what); entry != nullptr) {
    output.out(fmt::format("{}: {}\n\n  cause: {}\n  cure:  {}\n", entry->name, entry->title,
                           entry->cause, entry->cure));
    return 0;
  }
  const std::string text = plan::explain_field(parts(), what);
  if (text.empty()) {
    const std::vector<std::string> names = plan::explained_names(parts());
    const std::vector<std::string_view> known(names.begin(), names.end());
    return fail("U002"_code, fmt::format("there is no error number or field \"{}\"", what))
        .hint(did_you_mean(what, known))
        .cure("numbers look like P012; fields like stages.from or store.redshift.staging");
  }
  output.out(text);
  return 0;
}

// What completion asks: also of a file that is just being written.
Result<int> targets(const Options& options, ops::Output& output) {
  PENSTOCK_TRY(pipeline, pipeline_of(options));
  PENSTOCK_TRY(text, read_text(pipeline.file, size_t{16} << 20));
  PENSTOCK_TRY(document, yaml::parse(std::move(text), pipeline.file));
  const yaml::Node* found = document.root().find("targets");
  if (found == nullptr) output.out("local\n");
  if (found != nullptr)
    for (const auto& [name, body] : found->entries) output.out(name.text + "\n");
  return 0;
}

Result<int> schema(const Options&, ops::Output& output) {
  output.out(plan::json_schema(parts()) + "\n");
  return 0;
}

}  // namespace penstock::app
