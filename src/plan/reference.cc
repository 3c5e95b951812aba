#include "base/json_write.h"
#include "plan/fields.h"
#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace penstock::plan {
namespace {

using flow::FieldSpec;
using flow::FieldType;

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

std::string value_schema(const FieldSpec& field) {
  if (field.type == FieldType::fields || field.type == FieldType::names) {
    return R"("type":["string","array"])";
  }
  if (field.type == FieldType::mapping) return R"("type":["object","array","string","null"])";
  if (field.type == FieldType::rules) return R"("type":"object")";
  if (field.type == FieldType::choice) {
    std::string words;
    for (const std::string_view word : field.choices) {
      words += (words.empty() ? "" : ",") + quoted(word);
    }
    return fmt::format(R"("enum":[{}])", words);
  }
  return R"("type":["string","number","boolean"])";
}

// Fields that are written out in full already, as the text of properties.
struct Written {
  std::string properties;
  std::vector<std::string_view> names;
};

std::string object_schema(std::span<const FieldSpec> fields, bool closed,
                          const Written& written = {}) {
  std::string properties = written.properties, required;
  for (const FieldSpec& field : fields) {
    if (std::ranges::find(written.names, field.name) == written.names.end()) {
      properties += fmt::format("{}{}:{{{},\"description\":{}}}", properties.empty() ? "" : ",",
                                quoted(field.name), value_schema(field), quoted(field.doc));
    }
    if (field.required) required += (required.empty() ? "" : ",") + quoted(field.name);
  }
  return fmt::format(R"({{"type":"object","properties":{{{}}},"required":[{}]{}}})", properties,
                     required, closed ? R"(,"additionalProperties":false)" : "");
}

std::string step_schema(Parts parts) {
  std::string steps;
  for (const flow::PartSpec& part : parts) {
    if (part.kind != flow::PartKind::step) continue;
    std::string body = part.open ? R"({"type":"object"})" : object_schema(part.fields, true);
    if (!part.bare.empty())
      body = fmt::format(R"({{"anyOf":[{},{{"type":["string","array"]}}]}})", body);
    steps += fmt::format("{}{}:{}", steps.empty() ? "" : ",", quoted(part.name), body);
  }
  return fmt::format(
      R"("steps":{{"type":"array","items":{{"type":"object","minProperties":1,"maxProperties":1,)"
      R"("additionalProperties":false,"properties":{{{}}}}}}})",
      steps);
}

std::string field_text(std::string_view path, const FieldSpec& field) {
  std::string text = fmt::format("{}: {}{}\n\n  {}\n", path, type_text(field.type),
                                 field.required ? ", required" : "", field.doc);
  if (!field.fallback.empty()) text += fmt::format("  without it: {}\n", field.fallback);
  if (!field.example.empty()) text += fmt::format("  example: {}\n", field.example);
  return text;
}

std::string all_text(std::string_view name, std::string_view doc,
                     std::span<const FieldSpec> fields) {
  std::string text = fmt::format("{}: {}\n\n", name, doc);
  for (const FieldSpec& field : fields) {
    text +=
        fmt::format("  {:<14} {}{}\n", field.name, field.doc, field.required ? " Required." : "");
  }
  return text;
}

std::string explain_in(std::string_view path, std::string_view rest, std::string_view doc,
                       std::span<const FieldSpec> fields) {
  if (rest.empty()) return all_text(path, doc, fields);
  for (const FieldSpec& field : fields) {
    if (field.name == rest) return field_text(path, field);
  }
  return {};
}

}  // namespace

std::string json_schema(Parts parts) {
  Written all;
  for (const Section& section : sections()) {
    if (section.name == "file") continue;
    // Parts bring fields of their own into tables, stores, producers and targets.
    const bool closed =
        section.name != "tables" && section.name != "stores" && section.name != "producers";
    const Written steps =
        section.name == "stages" ? Written{step_schema(parts), {"steps"}} : Written{};
    std::string body = object_schema(section.fields, closed, steps);
    if (section.named) body = fmt::format(R"({{"type":"object","additionalProperties":{}}})", body);
    if (section.name == "tests") body = fmt::format(R"({{"type":"array","items":{}}})", body);
    all.properties +=
        fmt::format("{}{}:{}", all.properties.empty() ? "" : ",", quoted(section.name), body);
    all.names.push_back(section.name);
  }
  const std::string file = object_schema(section_fields("file"), true, all);
  return R"({"$schema":"http://json-schema.org/draft-07/schema#","title":"A Penstock pipeline",)" +
         file.substr(1);
}

std::string explain_field(Parts parts, std::string_view path) {
  const size_t dot = path.find('.');
  const std::string_view first = path.substr(0, dot);
  const std::string_view rest =
      dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  for (const Section& section : sections()) {
    if (section.name != first) continue;
    return explain_in(path, rest, section.doc, section.fields);
  }
  if (path == "steps") {
    std::string text = "steps: what is done with each record, in order\n\n";
    for (const flow::PartSpec& part : parts) {
      if (part.kind == flow::PartKind::step)
        text += fmt::format("  {:<8} {}\n", part.name, part.doc);
    }
    return text;
  }
  for (const flow::PartSpec& part : parts) {
    if (part.name != first) continue;
    std::string text = explain_in(path, rest, part.doc, part.fields);
    if (rest.empty()) text += fmt::format("\n  guarantee: {}\n", part.guarantee);
    return text;
  }
  return explain_in(path, path, "", section_fields("file"));
}

}  // namespace penstock::plan
