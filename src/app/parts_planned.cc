// Parts that a pipeline file may name and that this version cannot run yet: check and plan know
// them.
#include "app/parts.h"

#include <vector>

namespace penstock::app {
namespace {

using flow::FieldSpec;
using flow::FieldType;
using flow::PartKind;
using flow::PartSpec;

PartSpec part(PartKind kind, std::string_view name, std::string_view doc,
              std::string_view guarantee, std::vector<FieldSpec> fields, bool built = false) {
  PartSpec spec;
  spec.kind = kind;
  spec.name = name;
  spec.doc = doc;
  spec.guarantee = guarantee;
  spec.fields = std::move(fields);
  spec.built = built;
  return spec;
}

FieldSpec optional(std::string_view name, FieldType type, std::string_view doc,
                   std::string_view example) {
  return {.name = name, .type = type, .doc = doc, .example = example};
}

FieldSpec required(std::string_view name, FieldType type, std::string_view doc,
                   std::string_view example) {
  return {.name = name, .type = type, .required = true, .doc = doc, .example = example};
}

const std::vector<FieldSpec>& merge_fields() {
  static const std::vector<FieldSpec> fields = {
      optional("upsert_on", FieldType::fields, "The last written row of this key wins.",
               "[meter_id, at]"),
      optional("key", FieldType::fields, "The key of newest_by.", "meter_id"),
      optional("newest_by", FieldType::field, "The row with the greatest value of this field wins.",
               "at"),
      optional("create", FieldType::boolean, "Make the table from the schema when it is missing.",
               "true")};
  return fields;
}

PartSpec store(std::string_view name, std::string_view doc, std::string_view guarantee,
               std::vector<FieldSpec> own) {
  std::vector<FieldSpec> fields = {
      required(name, FieldType::text, "The table's name; <tenant> may stand in it.", "readings")};
  fields.insert(fields.end(), merge_fields().begin(), merge_fields().end());
  fields.insert(fields.end(), own.begin(), own.end());
  return part(PartKind::store, name, doc, guarantee, std::move(fields));
}

std::vector<PartSpec> logs() {
  std::vector<PartSpec> all = {
      part(PartKind::log, "embedded", "A log in the data folder of this machine.",
           "An epoch is one synced write: records, dead letters and positions.", {}, true)};
  return all;
}

std::vector<PartSpec> stores() {
  return {store(
      "redshift", "A table in Amazon Redshift, filled through S3.",
      "COPY, MERGE and positions are one database transaction.",
      {optional("host", FieldType::text, "The endpoint.", "${env:REDSHIFT_HOST}"),
       optional("database", FieldType::text, "The database.", "energy"),
       optional("staging", FieldType::text, "Where epochs are staged.", "s3://bucket/prefix/"),
       optional("role", FieldType::text, "The role that COPY takes.",
                "arn:aws:iam::1:role/copy")})};
}

}  // namespace

std::span<const PartSpec> planned_parts() {
  static const std::vector<PartSpec> all = [] {
    std::vector<PartSpec> parts = logs();
    for (PartSpec& store : stores()) parts.push_back(std::move(store));
    for (PartSpec& step : planned_steps()) parts.push_back(std::move(step));
    return parts;
  }();
  return all;
}

}  // namespace penstock::app
