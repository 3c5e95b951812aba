#include "store/dynamodb/part.h"

#include "flow/config_values.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::store::dynamodb {
namespace {

using flow::Config;
using flow::FieldSpec;
using flow::FieldType;

FieldSpec field(std::string_view name, FieldType type, std::string_view doc,
                std::string_view example, std::string_view fallback = {}) {
  return {.name = name, .type = type, .fallback = fallback, .doc = doc, .example = example};
}

}  // namespace

flow::PartSpec dynamodb_part() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::store;
  spec.name = "dynamodb";
  spec.doc = "A table in Amazon DynamoDB, or in what speaks its protocol, by endpoint.";
  spec.guarantee =
      "Every item once: puts are conditional on a version, so a repeat changes nothing; positions "
      "follow per partition.";
  FieldSpec name = field("dynamodb", FieldType::text, "The table's name; <tenant> may stand in it.",
                         "meter_latest");
  name.required = true;
  spec.fields = {
      std::move(name),
      field("key", FieldType::fields,
            "The partition key and, as a second field, the sort key. The last written row wins; "
            "without a key every row is an item.",
            "meter_id"),
      field("upsert_on", FieldType::fields, "The same as key.", "[meter_id, at]"),
      field("newest_by", FieldType::field, "The row with the greatest value of this field wins.",
            "at"),
      field("immutable", FieldType::boolean,
            "The key determines the whole row: items need no version and go in batches of 25.",
            "true", "false"),
      field("create", FieldType::boolean, "Make the table, on demand, when it is missing.", "true",
            "false"),
      field("region", FieldType::text, "The AWS region, instead of that of AWS's own settings.",
            "eu-north-1"),
      field("endpoint", FieldType::text, "Another endpoint (Alternator, a local one).",
            "http://localhost:8000"),
      field("expire_after", FieldType::duration,
            "Items leave this long after they were written last.", "30d")};
  return spec;
}

Result<StoreSettings> settings_of(const Config& config, const Config* target) {
  const auto of = [&](std::string_view name) -> const Config& {
    return target != nullptr && target->find(name) != nullptr ? *target : config;
  };
  const auto text = [&](std::string_view name) { return of(name).text(name); };
  StoreSettings settings;
  settings.region = text("region");
  settings.endpoint = text("endpoint");
  settings.create = text("create") == "true";
  settings.immutable = text("immutable") == "true";
  if (const std::string after = text("expire_after"); !after.empty()) {
    settings.expire_after_millis = flow::duration_millis(after);
    if (!settings.expire_after_millis)
      return fail("P021"_code, fmt::format("\"{}\" is no duration", after))
          .at(of("expire_after").place("expire_after"));
  }
  if (settings.immutable && of("newest_by").find("newest_by") != nullptr) {
    return fail("P029"_code, "a store that is immutable has newest_by")
        .because("items that never change have no newest row")
        .cure("leave out immutable: or newest_by:")
        .at(of("immutable").place("immutable"));
  }
  return settings;
}

}  // namespace penstock::store::dynamodb
