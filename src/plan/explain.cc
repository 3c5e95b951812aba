// What sections, parts and fields are, for `explain` and for the pages of docs/reference: all from
// the tables that the reader of the file works by.

#include "plan/fields.h"
#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace penstock::plan {
namespace {

using flow::FieldSpec;
using flow::PartKind;
using flow::PartSpec;

struct KindName {
  PartKind kind;
  std::string_view name, page, doc;
};
constexpr std::array<KindName, 6> kKinds = {{
    {PartKind::step, "step", "steps", "What is done with each record, in order."},
    {PartKind::log, "log", "logs", "Where records wait: the log of a target."},
    {PartKind::store, "store", "stores", "Tables that stages end in."},
    {PartKind::table, "table", "tables", "Reference data that steps join."},
    {PartKind::source, "producer", "producers", "Simulated clients, for produce and demo."},
    {PartKind::registry, "registry", "registries", "Where schemas are looked up and registered."},
}};

std::string field_text(std::string_view path, const FieldSpec& field) {
  std::string text = fmt::format("{}: {}{}\n\n  {}\n", path, type_text(field.type),
                                 field.required ? ", required" : "", field.doc);
  if (!field.choices.empty()) text += fmt::format("  one of: {}\n", fmt::join(field.choices, ", "));
  if (!field.fallback.empty()) text += fmt::format("  without it: {}\n", field.fallback);
  if (!field.example.empty()) text += fmt::format("  example: {}\n", field.example);
  return text;
}

std::string all_text(std::string_view name, std::string_view doc,
                     std::span<const FieldSpec> fields) {
  std::string text = fmt::format("{}: {}\n\n", name, doc);
  for (const FieldSpec& field : fields)
    text +=
        fmt::format("  {:<14} {}{}\n", field.name, field.doc, field.required ? " Required." : "");
  return text;
}

std::string part_text(std::string_view path, const PartSpec& part) {
  std::string text = all_text(path, part.doc, part.fields);
  if (!part.bare.empty()) text += fmt::format("\n  alone it is its {}\n", part.bare);
  return text + fmt::format("\n  guarantee: {}\n", part.guarantee);
}

// Calls `see(path, text)` for everything that can be explained.
template <class See>
void each_explained(Parts parts, See see) {
  for (const Section& section : sections()) {
    see(std::string(section.name), all_text(section.name, section.doc, section.fields));
    for (const FieldSpec& field : section.fields) {
      const std::string path = section.name == "file"
                                   ? std::string(field.name)
                                   : fmt::format("{}.{}", section.name, field.name);
      see(path, field_text(path, field));
    }
  }
  for (const KindName& kind : kKinds) {
    std::string list = fmt::format("{}: {}\n\n", kind.name, kind.doc);
    for (const PartSpec& part : parts) {
      if (part.kind != kind.kind) continue;
      list += fmt::format("  {:<10} {}\n", part.name, part.doc);
      const std::string path = fmt::format("{}.{}", kind.name, part.name);
      see(path, part_text(path, part));
      for (const FieldSpec& field : part.fields)
        see(fmt::format("{}.{}", path, field.name),
            field_text(fmt::format("{}.{}", path, field.name), field));
    }
    see(std::string(kind.name), list);
  }
}

// "steps" and "stores.redshift" are "step" and "store.redshift" too.
std::string singular(std::string_view path) {
  for (const KindName& kind : kKinds)
    if (path == kind.page || path.starts_with(std::string(kind.page) + "."))
      return std::string(kind.name) + std::string(path.substr(kind.page.size()));
  return std::string(path);
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) c == '|' ? out += "\\|" : out += c;
  return out;
}

std::string code(std::string_view text) { return text.empty() ? "" : "`" + cell(text) + "`"; }

std::string table(std::span<const FieldSpec> fields) {
  if (fields.empty()) return "It has no fields.\n";
  std::string text = "| field | takes | without it | what |\n|---|---|---|---|\n";
  for (const FieldSpec& field : fields) {
    std::string takes(type_text(field.type));
    if (!field.choices.empty()) takes = fmt::format("{}", fmt::join(field.choices, ", "));
    text += fmt::format("| {} | {} | {} | {}{} |\n", code(field.name), cell(takes),
                        field.required ? "required" : code(field.fallback), cell(field.doc),
                        field.example.empty() ? "" : " Example: " + code(field.example));
  }
  return text;
}

std::string page_of(Parts parts, const KindName& kind) {
  std::string text = fmt::format("# {}\n\n{}\n", kind.page, kind.doc);
  for (const PartSpec& part : parts) {
    if (part.kind != kind.kind) continue;
    text += fmt::format("\n## {}\n\n{}\n\n", part.name, part.doc);
    if (!part.built) text += "Known to `check` and `plan`; not run yet.\n\n";
    if (!part.bare.empty()) text += fmt::format("Alone it is its `{}`.\n\n", part.bare);
    text += table(part.fields);
    text += fmt::format("\nGuarantee: {}\n", part.guarantee);
  }
  return text;
}

}  // namespace

std::vector<std::string> explained_names(Parts parts) {
  std::vector<std::string> names;
  each_explained(parts, [&](std::string path, const std::string&) {
    if (std::ranges::find(names, path) == names.end()) names.push_back(std::move(path));
  });
  return names;
}

std::string explain_field(Parts parts, std::string_view path) {
  std::string exact, one, behind;
  const std::string as_one = singular(path);
  const std::string suffix = "." + std::string(path);
  each_explained(parts, [&](const std::string& each, const std::string& text) {
    if (each == path) exact += (exact.empty() ? "" : "\n") + text;
    if (each == as_one && one.empty()) one = text;
    if (each.ends_with(suffix)) behind += (behind.empty() ? "" : "\n") + text;
  });
  // A section and the list of its kinds: `stores`.
  if (!exact.empty() && as_one != path && !one.empty()) return exact + "\n" + one;
  if (!exact.empty()) return exact;
  return one.empty() ? behind : one;
}

std::vector<Page> reference_pages(Parts parts) {
  std::string file = "# The pipeline file\n";
  for (const Section& section : sections())
    file +=
        fmt::format("\n## {}\n\n{}{}\n\n{}", section.name, section.doc,
                    section.named ? " Each has a name of your own." : "", table(section.fields));
  std::vector<Page> pages = {{"file", file}};
  for (const KindName& kind : kKinds)
    pages.push_back({std::string(kind.page), page_of(parts, kind)});
  return pages;
}

}  // namespace penstock::plan
