#include "app/case_runner.h"
#include "app/load.h"
#include "app/verbs.h"
#include "base/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace penstock::app {
namespace {

struct Tally {
  size_t passed = 0, failed = 0;
  std::string junit;
};

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (static_cast<unsigned char>(c) >= 0x20 || c == '\n') {
      out += c;
    }
  }
  return out;
}

void tell(const plan::Plan& plan, const plan::Case& test, const std::string& problem, Tally& tally,
          ops::Output& output) {
  const bool passed = problem.empty();
  (passed ? tally.passed : tally.failed) += 1;
  output.out(fmt::format("{}  {}: {}\n", passed ? "ok    " : "FAILED", plan.pipeline, test.name));
  if (!passed) output.note(problem);
  tally.junit +=
      fmt::format("  <testcase classname=\"{}\" name=\"{}\">{}</testcase>\n", xml(plan.pipeline),
                  xml(test.name), passed ? "" : fmt::format("<failure>{}</failure>", xml(problem)));
}

std::string run_one(const std::shared_ptr<const plan::Plan>& plan, const plan::Case& test) {
  const auto result = run_case(plan, test);
  if (!result) return render(result.error());
  if (result->passed) return {};
  std::string problem;
  for (const std::string& difference : result->differences) problem += "  " + difference + "\n";
  return problem;
}

}  // namespace

Result<int> test(const Options& options, ops::Output& output) {
  Tally tally;
  std::vector<std::string> names;
  for (const std::string& file : options.files) {
    Options one_file = options;
    one_file.files = {file};
    const auto plan = load(one_file, output);
    if (!plan) return plan.error();
    for (const plan::Case& one : (*plan)->tests) {
      names.push_back(one.name);
      if (one.name.find(options.name) == std::string::npos) continue;
      tell(**plan, one, run_one(*plan, one), tally, output);
    }
  }
  if (!options.name.empty() && tally.passed + tally.failed == 0) {
    return fail("U002"_code, fmt::format("no test's name contains \"{}\"", options.name))
        .hint(did_you_mean(options.name, std::vector<std::string_view>(names.begin(), names.end())))
        .cure("-k takes a part of the name that stands in tests:");
  }
  output.out(fmt::format("{} passed, {} failed\n", tally.passed, tally.failed));
  if (!options.junit_file.empty()) {
    std::ofstream report(options.junit_file);
    report << fmt::format(
        "<testsuite name=\"penstock\" tests=\"{}\" failures=\"{}\">\n{}</testsuite>\n",
        tally.passed + tally.failed, tally.failed, tally.junit);
    report.close();
    if (!report) return fail("U003"_code, fmt::format("cannot write {}", options.junit_file));
  }
  return tally.failed == 0 ? 0 : 1;
}

}  // namespace penstock::app
