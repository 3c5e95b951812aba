// fields.h — the fields of each section of the pipeline file, declared once: the reader, "did you
// mean", the JSON Schema and `explain` come from here; and the strict check of a mapping.
//
// Thread      static data and free functions.
// Errors      P012 unknown, P020 missing, P021 … P029 values; all of a mapping at once.
//
//     check_mapping(node, anchor, {section("topic"), "topic \"ingest\""}, report);
#pragma once

#include "flow/part_spec.h"
#include "yaml/node.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::plan {

struct Section {
  std::string_view name;  // "topics", as explain and the schema call it
  std::string_view doc;
  bool named = false;  // a mapping from the user's own names to these fields
  std::vector<flow::FieldSpec> fields;
};
std::span<const Section> sections();
const std::vector<flow::FieldSpec>& section_fields(std::string_view name);

using Report = std::function<void(Error)>;

struct Expected {
  std::span<const flow::FieldSpec> fields;
  std::string what;      // "stage \"writer\"", for messages
  bool of_part = false;  // mappings among the fields hold values; a section's are read by others
};
// Checks names, presence and values. `anchor` is what a missing field is blamed on. False when
// anything was reported.
bool check_mapping(const yaml::Document& document, const yaml::Node& node, const yaml::Node& anchor,
                   const Expected& expected, const Report& report);
bool check_value(const yaml::Document& document, const yaml::Node& node,
                 const flow::FieldSpec& field, const Report& report);
// Whether a target may set this field of a store; the others say what its rows are.
bool may_differ_by_target(const flow::PartSpec& store, std::string_view field);
// "a mapping", "a list", … of what a field wants, for messages and the reference.
std::string_view type_text(flow::FieldType type);

}  // namespace penstock::plan
