// The JSON Schema of the pipeline file, from the tables that its reader works by. A test holds the
// two to each other (tests/files/schema.py), and tells what a schema can not say.

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

// A reference stands for any value.
std::string matching(std::string_view types, std::string_view pattern) {
  return fmt::format(R"("type":[{}{}"string"],"pattern":{})", types, types.empty() ? "" : ",",
                     quoted(fmt::format("^(\\$\\{{.*|{})$", pattern)));
}

constexpr std::string_view kScalar = R"("type":["string","number","boolean"],"minLength":1)";
constexpr std::string_view kDuration = "[0-9]{1,18}(ms|s|m|h|d)";

std::string choice_schema(std::span<const std::string_view> choices) {
  std::string words;
  for (const std::string_view word : choices) words += (words.empty() ? "" : ",") + quoted(word);
  return fmt::format(R"("anyOf":[{{"enum":[{}]}},{{"type":"string","pattern":"^\\$\\{{"}}])",
                     words);
}

std::string value_schema(const FieldSpec& field) {
  switch (field.type) {
    case FieldType::fields:
    case FieldType::names:
      return fmt::format(
          R"("anyOf":[{{{0}}},{{"type":"array","minItems":1,"uniqueItems":true,"items":{{{0}}}}}])",
          kScalar);
    case FieldType::mapping:  // of a part; those of sections are written out
      return fmt::format(R"("type":"object","additionalProperties":{{"type":[{0},"array"],)"
                         R"("items":{{"type":[{0}]}}}})",
                         R"("string","number","boolean")");
    case FieldType::rules:
      return R"("type":"object","minProperties":1)";
    case FieldType::choice:
      return choice_schema(field.choices);
    case FieldType::boolean:
      return matching(R"("boolean")", "true|false");
    case FieldType::count:
      return matching(R"("integer")", "[0-9]{1,10}") + R"(,"minimum":0,"maximum":2000000000)";
    case FieldType::number:
      return matching(R"("number")", "[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?");
    case FieldType::duration:
      return matching("", kDuration);
    case FieldType::size:
      return matching(R"("integer")", "[0-9]{1,18}(B|KiB|MiB|GiB)?") + R"(,"minimum":0)";
    case FieldType::share:
      return matching("", fmt::format("[0-9]+(\\.[0-9]+)?% over {}", kDuration));
    default:
      return std::string(kScalar);
  }
}

// Fields that are written out in full already, as the text of properties.
struct Written {
  std::string properties;
  std::vector<std::string_view> names;
};

void add_property(std::string& properties, const FieldSpec& field) {
  const std::string value = value_schema(field);
  properties += fmt::format("{}{}:{{{}{}\"description\":{}}}", properties.empty() ? "" : ",",
                            quoted(field.name), value, value.empty() ? "" : ",", quoted(field.doc));
}

std::string object_schema(std::span<const FieldSpec> fields, const Written& written = {}) {
  std::string properties = written.properties, required;
  for (const FieldSpec& field : fields) {
    if (std::ranges::find(written.names, field.name) == written.names.end())
      add_property(properties, field);
    if (field.required) required += (required.empty() ? "" : ",") + quoted(field.name);
  }
  return fmt::format(
      R"({{"type":"object","properties":{{{}}},"required":[{}],"additionalProperties":false}})",
      properties, required);
}

std::string open_schema(const flow::PartSpec& part) {
  return fmt::format(R"({{"type":"object","minProperties":1,"additionalProperties":{{{}}}}})",
                     value_schema(part.fields.front()));
}

std::string step_schema(Parts parts) {
  std::string steps;
  for (const flow::PartSpec& part : parts) {
    if (part.kind != flow::PartKind::step) continue;
    std::string body = part.open ? open_schema(part) : object_schema(part.fields);
    const auto bare = std::ranges::find(part.fields, part.bare, &FieldSpec::name);
    if (bare != part.fields.end())
      body = fmt::format(R"({{"anyOf":[{},{{{}}}]}})", body, value_schema(*bare));
    steps += fmt::format("{}{}:{}", steps.empty() ? "" : ",", quoted(part.name), body);
  }
  return fmt::format(
      R"("steps":{{"type":["array","null"],"items":{{"type":"object","minProperties":1,)"
      R"("maxProperties":1,"additionalProperties":false,"properties":{{{}}}}}}})",
      steps);
}

// The part's fields, the section's, and the part's own name, which says what the thing is.
std::vector<FieldSpec> with_own_name(const flow::PartSpec& part, const Section& section) {
  std::vector<FieldSpec> fields = part.fields;
  const auto has = [&](std::string_view name) {
    return std::ranges::find(fields, name, &FieldSpec::name) != fields.end();
  };
  for (const FieldSpec& field : section.fields)
    if (!has(field.name)) fields.push_back(field);
  if (!has(part.name)) {
    FieldSpec self;
    self.name = part.name;
    self.type = FieldType::text;
    self.doc = "Its name there.";
    fields.push_back(self);
  }
  return fields;
}

// Tables, stores and producers: the field that names the part decides which fields there are.
std::string by_part(Parts parts, flow::PartKind kind, const Section& section) {
  std::string named, forms;
  for (const flow::PartSpec& part : parts) {
    if (part.kind != kind) continue;
    const std::string name = quoted(part.name);
    named += fmt::format(R"({}{{"required":[{}]}})", named.empty() ? "" : ",", name);
    forms += fmt::format(R"(,{{"if":{{"type":"object","required":[{}]}},"then":{}}})", name,
                         object_schema(with_own_name(part, section)));
  }
  return fmt::format(R"({{"type":"object","allOf":[{{"anyOf":[{}]}}{}]}})", named, forms);
}

std::vector<std::string_view> names_of(Parts parts, flow::PartKind kind) {
  std::vector<std::string_view> names;
  for (const flow::PartSpec& part : parts)
    if (part.kind == kind) names.push_back(part.name);
  return names;
}

// A word, or settings; `then` and `else` say more of a slip than one of two forms would.
std::string word_or(Parts parts, flow::PartKind kind, const std::string& settings) {
  return fmt::format(R"({{"if":{{"type":"object"}},"then":{},"else":{{{}}}}})", settings,
                     choice_schema(names_of(parts, kind)));
}

// Logs that have settings: the others are words.
std::string log_schema(Parts parts) {
  std::vector<flow::PartSpec> with_settings;
  for (const flow::PartSpec& part : parts)
    if (!part.fields.empty()) with_settings.push_back(part);
  return word_or(
      parts, flow::PartKind::log,
      by_part(with_settings, flow::PartKind::log, {.name = {}, .doc = {}, .fields = {}}));
}

std::string registry_schema(Parts parts) {
  const std::string one =
      by_part(parts, flow::PartKind::registry, {.name = {}, .doc = {}, .fields = {}});
  return fmt::format(
      R"({{"if":{{"type":"array"}},"then":{{"minItems":1,"items":{0}}},"else":{0}}})", one);
}

// Which kind a store is of stands elsewhere: the fields of every kind.
std::string target_stores_schema(Parts parts) {
  std::vector<FieldSpec> fields;
  for (const flow::PartSpec& part : parts) {
    if (part.kind != flow::PartKind::store) continue;
    for (const FieldSpec& field : part.fields) {
      const bool there = std::ranges::find(fields, field.name, &FieldSpec::name) != fields.end();
      if (!there && may_differ_by_target(part, field.name)) fields.push_back(field);
    }
  }
  return fmt::format(R"({{"type":"object","additionalProperties":{}}})",
                     word_or(parts, flow::PartKind::store, object_schema(fields)));
}

// A field that is written out, with what it is for.
void add_written(Written& to, const Section& section, std::string_view name,
                 std::string_view body) {
  const auto field = std::ranges::find(section.fields, name, &FieldSpec::name);
  to.properties += fmt::format(R"({}{}:{{"description":{},{})", to.names.empty() ? "" : ",",
                               quoted(name), quoted(field->doc), body.substr(1));
  to.names.push_back(name);
}

std::string target_schema(Parts parts, const Section& section, Written shared) {
  add_written(shared, section, "log", log_schema(parts));
  add_written(shared, section, "registry", registry_schema(parts));
  add_written(shared, section, "stores", target_stores_schema(parts));
  return object_schema(section.fields, shared);
}

std::string test_schema(const Section& section) {
  Written records;
  for (const std::string_view name : {"given", "tables", "expect"})
    add_written(records, section, name,
                R"({"type":"object","additionalProperties":{"type":"array","items":)"
                R"({"type":"object"}}})");
  return object_schema(section.fields, records);
}

Written shared_settings(std::string_view more, std::vector<std::string_view> names) {
  std::string text =
      R"("epoch":{"$ref":"#/definitions/epoch"},"scale":{"$ref":"#/definitions/scale"})";
  names.insert(names.end(), {"epoch", "scale"});
  return {more.empty() ? text : std::string(more) + "," + text, std::move(names)};
}

std::string section_schema(Parts parts, const Section& section) {
  using flow::PartKind;
  if (section.name == "stores") return by_part(parts, PartKind::store, section);
  if (section.name == "tables") return by_part(parts, PartKind::table, section);
  if (section.name == "producers") return by_part(parts, PartKind::source, section);
  if (section.name == "stages")
    return object_schema(section.fields, shared_settings(step_schema(parts), {"steps"}));
  if (section.name == "targets")
    return R"({"allOf":[{"$ref":"#/definitions/target"},{"required":["log"]}]})";
  if (section.name == "tests") return test_schema(section);
  if (section.name == "topics")
    return R"({"anyOf":[{"type":"null"},{"$ref":"#/definitions/topic"}]})";
  if (section.name == "scale" || section.name == "epoch")
    return fmt::format(R"({{"$ref":"#/definitions/{}"}})", section.name);
  return object_schema(section.fields);
}

}  // namespace

std::string json_schema(Parts parts) {
  Written all{fmt::format(R"("schemas":{{"type":["object","null"],"additionalProperties":{{{}}}}})",
                          kScalar),
              {"schemas"}};
  std::string target;
  for (const Section& section : sections()) {
    if (section.name == "file") continue;
    std::string body = section_schema(parts, section);
    if (section.named) {
      const bool required = section.name == "topics" || section.name == "stages";
      // The target local has a log by itself.
      const bool targets = section.name == "targets";
      body = fmt::format(
          R"({{"type":{},{}"additionalProperties":{}}})",
          required ? R"("object")" : R"(["object","null"])",
          targets ? R"("properties":{"local":{"$ref":"#/definitions/target"}},)" : "", body);
      if (targets)
        target = target_schema(
            parts, section,
            shared_settings(R"("topics":{"$ref":"#/definitions/topic"})", {"topics"}));
    }
    if (section.name == "tests")
      body = fmt::format(R"({{"type":["array","null"],"items":{}}})", body);
    all.properties += fmt::format(",{}:{}", quoted(section.name), body);
    all.names.push_back(section.name);
  }
  const std::string file = object_schema(section_fields("file"), all);
  return fmt::format(
      R"({{"$schema":"http://json-schema.org/draft-07/schema#","title":"A Penstock pipeline",)"
      R"("definitions":{{"epoch":{},"scale":{},"topic":{},"target":{}}},{})",
      object_schema(section_fields("epoch")), object_schema(section_fields("scale")),
      object_schema(section_fields("topics")), target, file.substr(1));
}

}  // namespace penstock::plan
