// `reference`: the pages of docs/reference, made from the tables that the program itself works by.

#include "app/completion.h"
#include "app/parts.h"
#include "app/verbs.h"
#include "base/suggest.h"
#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace penstock::app {
namespace {

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) c == '|' ? out += "\\|" : out += c;
  return out;
}

std::string flag_row(const FlagWords& flag) {
  std::string name = flag.short_name.empty() ? "" : "-" + flag.short_name;
  if (!flag.long_name.empty()) name += (name.empty() ? "--" : ", --") + flag.long_name;
  return fmt::format("| `{}` | {} | {} |\n", name,
                     flag.choices.empty() ? "" : fmt::format("{}", fmt::join(flag.choices, ", ")),
                     cell(flag.doc));
}

std::string commands_page() {
  std::string text =
      "# The command line\n\nEach flag is also the variable PENSTOCK_NAME. "
      "`penstock VERB --help` says the same.\n";
  for (const VerbWords& verb : all_words()) {
    if (verb.path.empty()) continue;
    text += fmt::format("\n## {}\n\n{}\n", verb.path, verb.doc);
    if (verb.flags.size() > 1) text += "\n| flag | one of | what |\n|---|---|---|\n";
    for (const FlagWords& flag : verb.flags)
      if (flag.long_name != "help") text += flag_row(flag);
  }
  return text;
}

struct Code {
  std::string_view name, title, cause, cure;
};
constexpr Code kCodes[] = {
#define PENSTOCK_ERROR(code, cls, title, cause, cure) {#code, title, cause, cure},
#include "base/catalogue.def"
#undef PENSTOCK_ERROR
};

std::string errors_page() {
  std::string text = "# Errors\n\n| number | what | cause | cure |\n|---|---|---|---|\n";
  for (const Code& each : kCodes)
    text += fmt::format("| {} | {} | {} | {} |\n", each.name, cell(each.title), cell(each.cause),
                        cell(each.cure));
  return text;
}

std::vector<plan::Page> all_pages() {
  std::vector<plan::Page> pages = plan::reference_pages(parts());
  pages.push_back({"commands", commands_page()});
  pages.push_back({"errors", errors_page()});
  return pages;
}

}  // namespace

Result<int> reference(const Options& options, ops::Output& output) {
  const std::vector<plan::Page> pages = all_pages();
  if (options.inputs.empty()) {
    for (const plan::Page& page : pages) output.out(page.name + "\n");
    return 0;
  }
  const auto page = std::ranges::find(pages, options.inputs.front(), &plan::Page::name);
  if (page == pages.end()) {
    std::vector<std::string_view> names;
    for (const plan::Page& each : pages) names.push_back(each.name);
    return fail("U002"_code, fmt::format("there is no page \"{}\"", options.inputs.front()))
        .hint(did_you_mean(options.inputs.front(), names))
        .cure(fmt::format("the pages are {}", fmt::join(names, ", ")));
  }
  output.out(page->text);
  return 0;
}

}  // namespace penstock::app
