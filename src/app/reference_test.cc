// Every number, section, part and field can be explained, and stands in the reference.

#include "app/parts.h"
#include "base/error.h"
#include "plan/fields.h"
#include "plan/plan.h"

#include <doctest/doctest.h>

#include <string>

namespace penstock::app {
namespace {

std::string page(std::string_view name) {
  for (const plan::Page& each : plan::reference_pages(parts()))
    if (each.name == name) return each.text;
  return "";
}

void check_field(std::string_view path, const flow::FieldSpec& field) {
  INFO(path << "." << field.name);
  const std::string text =
      plan::explain_field(parts(), std::string(path) + "." + std::string(field.name));
  CHECK(!field.doc.empty());
  CHECK(text.contains(field.doc));
  for (const std::string_view choice : field.choices) CHECK(text.contains(choice));
}

}  // namespace

TEST_CASE("every field of the file can be explained") {
  for (const plan::Section& section : plan::sections()) {
    CHECK(!plan::explain_field(parts(), section.name).empty());
    CHECK(page("file").contains("## " + std::string(section.name)));
    if (section.name != "file")
      for (const flow::FieldSpec& field : section.fields) check_field(section.name, field);
  }
  for (const flow::FieldSpec& field : plan::section_fields("file"))
    CHECK(!plan::explain_field(parts(), field.name).empty());
}

TEST_CASE("every part and its fields can be explained, with and without its kind") {
  static constexpr std::string_view kKinds[] = {"step",  "log",      "store",
                                                "table", "producer", "registry"};
  static constexpr std::string_view kPages[] = {"steps",  "logs",      "stores",
                                                "tables", "producers", "registries"};
  for (const flow::PartSpec& part : parts()) {
    const auto kind = static_cast<size_t>(part.kind);
    const std::string path = std::string(kKinds[kind]) + "." + std::string(part.name);
    INFO(path);
    CHECK(plan::explain_field(parts(), path).contains(part.doc));
    CHECK(plan::explain_field(parts(), part.name).contains(part.guarantee));
    CHECK(plan::explain_field(parts(), kKinds[kind]).contains(part.name));
    CHECK(page(kPages[kind]).contains("## " + std::string(part.name)));
    for (const flow::FieldSpec& field : part.fields) {
      check_field(path, field);
      check_field(part.name, field);
    }
  }
  CHECK(plan::explain_field(parts(), "stores.redshift.staging").contains("S3"));
  CHECK(plan::explain_field(parts(), "no.such.field").empty());
}

TEST_CASE("every number has a title, a cause and a cure") {
  for (const std::string_view name : {
#define PENSTOCK_ERROR(code, cls, title, cause, cure) #code,
#include "base/catalogue.def"
#undef PENSTOCK_ERROR
       }) {
    INFO(name);
    const CatalogueEntry* entry = find_catalogue_entry(name);
    REQUIRE(entry != nullptr);
    CHECK(!entry->title.empty());
    CHECK(!entry->cause.empty());
    CHECK(!entry->cure.empty());
  }
}

}  // namespace penstock::app
