// The section `schemas:` with files that use one another's types.
#include "plan/plan_fixture.h"

#include <doctest/doctest.h>

namespace penstock::plan {
namespace {

std::string both() { return swapped("{r: r.avsc}", "{site: common/site.avsc, r: r.avsc}"); }

Folder folder() {
  Folder made;
  made.write(
      "common/site.avsc",
      R"({"type":"record","name":"common.Site","fields":[{"name":"city","type":"string"}]})");
  made.write(
      "r.avsc",
      "{\"type\":\"record\",\"name\":\"R\",\"fields\":[\n"
      "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"kwh\",\"type\":\"double\"},\n"
      "{\"name\":\"tenant\",\"type\":\"string\"},{\"name\":\"at\",\"type\":\"common.Site\"}]}");
  return made;
}

TEST_CASE("a topic's schema uses a type of another file, whatever their order") {
  for (const std::string& text :
       {both(), swapped("{r: r.avsc}", "{r: r.avsc, site: common/site.avsc}")}) {
    const Checked checked = folder().check(text);
    REQUIRE_MESSAGE(checked.plan != nullptr,
                    (checked.errors.empty() ? "" : checked.errors[0].message));
    const avro::SchemaPtr schema = checked.plan->topic("in")->schema;
    CHECK(schema->root().field("at")->type->field("city") != nullptr);
    // Who needs the schema later needs this text only.
    CHECK((*avro::parse(schema->json()))->fingerprint() == schema->fingerprint());
    for (const Error& warning : checked.warnings) CHECK(warning.code != "P205"_code);
  }
}

TEST_CASE("a name that no file defines is told with the file, the place and what is near") {
  Folder spoilt = folder();
  spoilt.write("common/site.avsc", R"({"type":"fixed","name":"common.Sit","size":4})");
  const Checked checked = spoilt.check(both());
  REQUIRE(checked.errors.size() == 1);
  const Error& error = checked.errors[0];
  CHECK(error.code == "A002"_code);
  CHECK(error.message == "unknown type \"common.Site\", at /fields/3/type");
  CHECK(error.note == "did you mean \"common.Sit\"?");
  CHECK(error.place.file == "at/r.avsc");
  CHECK(error.place.line == 3);
}

TEST_CASE("what is wrong in a file is told once, not for each that uses it") {
  Folder spoilt = folder();
  for (const std::string text :
       {R"({"type":"record","name":"common.Site","fields":[{"name":"city","type":"text"}]})",
        R"({"type":"record","name":"common.Site","fields":[{"name":"city"}]})"}) {
    spoilt.write("common/site.avsc", text);
    const Checked checked = spoilt.check(both());
    REQUIRE(checked.errors.size() == 1);
    CHECK(checked.errors[0].place.file == "at/common/site.avsc");
  }
}

TEST_CASE("a file of an enum may stand there for others; a topic's schema is a record") {
  Folder enums = folder();
  enums.write("common/site.avsc", R"({"type":"enum","name":"common.Site","symbols":["A"]})");
  CHECK(enums.check(both()).plan != nullptr);
  const Checked checked = enums.check(swapped("{r: r.avsc}\ntopics:\n",
                                              "{site: common/site.avsc, r: r.avsc}\n"
                                              "topics:\n  other: {schema: site}\n"));
  REQUIRE_FALSE(checked.errors.empty());
  CHECK(checked.errors[0].code == "A021"_code);
  CHECK(checked.errors[0].place.line == 5);
}

}  // namespace
}  // namespace penstock::plan
