#include "file/table.h"

#include "file/file_fixture.h"

#include <string>
#include <vector>

namespace penstock::file {
namespace {

std::unique_ptr<FileTable> open(const TableSpec& spec) {
  auto table = FileTable::open(spec);
  REQUIRE_MESSAGE(table.has_value(), (table ? "" : one_line(table.error())));
  return *std::move(table);
}

// "F004 3": the code and the line.
std::string refused(const TableSpec& spec) {
  const auto table = FileTable::open(spec);
  REQUIRE_FALSE(table.has_value());
  return std::string(catalogue_entry(table.error().code).name) + " " +
         std::to_string(table.error().place.line);
}

TableSpec csv(std::string path, std::vector<std::string> key = {"id"}) {
  TableSpec spec;
  spec.path = std::move(path);
  spec.key = std::move(key);
  return spec;
}

TableSpec jsonl(std::string path) {
  TableSpec spec = csv(std::move(path));
  spec.format = Format::jsonl;
  return spec;
}

std::string type_of(const flow::TableVersion& version, std::string_view field) {
  const avro::Field* found = version.schema().root().field(field);
  REQUIRE(found != nullptr);
  return avro::describe(*found->type);
}

}  // namespace

TEST_CASE("a csv table: strings, or what types say; rows are found by key") {
  const Folder folder;
  TableSpec spec = csv(folder.write("t.csv", "id,kw,note\nm1,2.5,x\nm2,4,\n"));
  spec.types = {{"kw", "double"}};
  auto table = open(spec);
  const auto version = table->current();
  REQUIRE(version->rows() == 2);
  CHECK(type_of(*version, "id") == "string");
  CHECK(type_of(*version, "kw") == "double");
  REQUIRE(version->find("m2") == 1u);
  CHECK(version->column(1).float64s[1] == 4.0);
  CHECK(version->column(2).views[0] == "x");
  CHECK(version->column(2).views[1].empty());
  CHECK_FALSE(version->find("m3"));
  CHECK_FALSE(version->find(""));
}

TEST_CASE("a jsonl table: types are what all rows say") {
  const Folder folder;
  auto table = open(jsonl(folder.write("t.jsonl", R"({"id":"a","n":1,"x":1,"on":true})"
                                                  "\n"
                                                  R"({"id":"b","n":2,"x":2.5,"on":false})"
                                                  "\n\n"
                                                  R"({"id":"c","n":null,"x":3,"on":true,"late":7})"
                                                  "\n")));
  const auto version = table->current();
  REQUIRE(version->rows() == 3);
  CHECK(type_of(*version, "id") == "string");
  CHECK(type_of(*version, "n") == "null or long");
  CHECK(type_of(*version, "x") == "double");
  CHECK(type_of(*version, "on") == "boolean");
  CHECK(type_of(*version, "late") == "null or long");
}

TEST_CASE("keys: numbers, several columns; twice or empty is an error with its line") {
  const Folder folder;
  const std::string path = folder.write("t.csv", "id,n\na,1\nb,2\n");
  TableSpec by_number = csv(path, {"n"});
  by_number.types = {{"n", "long"}};
  CHECK(open(by_number)->current()->find("2") == 1u);
  CHECK(refused(csv(folder.write("a.csv", "id,n\na,1\nb,2\na,3\n"))) == "F004 4");
  CHECK(refused(csv(folder.write("b.csv", "id,n\na,1\n,2\n"))) == "F004 3");
  CHECK(open(csv(folder.write("c.csv", "id,n\na,1\na,2\n"), {"id", "n"}))->current()->rows() == 2);
  CHECK(refused(csv(folder.write("d.csv", "id,n\na,1\na,1\n"), {"id", "n"})) == "F004 3");
  CHECK(refused(csv(path, {"idd"})) == "F004 0");
}

TEST_CASE("files that do not fit are errors of the pipeline, at their place") {
  const Folder folder;
  TableSpec typed = csv(folder.write("a.csv", "id,n\na,1\nb,x\n"));
  typed.types = {{"n", "long"}};
  CHECK(refused(typed) == "F004 3");
  typed.types = {{"m", "long"}};
  CHECK(refused(typed) == "F004 0");
  CHECK(refused(csv(folder.write("b.csv", "id,n\na\n"))) == "F004 2");
  CHECK(refused(csv(folder.write("c.csv", "id,id\na,b\n"))) != "");
  CHECK(refused(csv(folder.write("d.csv", ""))) == "F003 0");
  CHECK(refused(csv(folder.path("none.csv"))) == "F001 0");
  CHECK(refused(jsonl(folder.write("f.jsonl", "{\"id\":1}\n{\"id\":\"a\"}\n"))) == "F004 1");
  CHECK(refused(jsonl(folder.write("e.jsonl", "{\"id\":\"a\"}\n[1]\n"))) == "F003 2");
}

TEST_CASE("a refresh takes a good new file and keeps the old version beside a bad one") {
  const Folder folder;
  TableSpec spec = csv(folder.write("t.csv", "id,n\na,1\n"));
  spec.refresh_millis = 1'000;
  auto table = open(spec);
  CHECK_FALSE(table->refresh_if_due({0}));
  const auto first = table->current();

  folder.write("t.csv", "id,n\na,2\nb,3\n");
  CHECK_FALSE(table->refresh_if_due({999}));
  CHECK(table->current() == first);  // not yet due
  CHECK_FALSE(table->refresh_if_due({1'000}));
  const auto second = table->current();
  CHECK(second->rows() == 2);
  CHECK(first->rows() == 1);  // who holds it still can read it
  CHECK(first->column(1).views[0] == "1");

  folder.write("t.csv", "id,n\na,2\na,3\n");
  const auto told = table->refresh_if_due({2'000});
  REQUIRE(told);
  CHECK(told->code == "F004"_code);
  CHECK(told->place.line == 3);
  CHECK(table->current() == second);
  CHECK_FALSE(table->refresh_if_due({3'000}));  // told once

  folder.write("t.csv", "id,m\na,2\n");  // other columns than the stages were built for
  CHECK(table->refresh_if_due({4'000}));
  CHECK(table->current() == second);
  std::filesystem::remove(folder.path("t.csv"));
  CHECK(table->refresh_if_due({5'000})->code == "F001"_code);
  CHECK(table->current() == second);
  folder.write("t.csv", "id,n\nz,9\n");
  CHECK_FALSE(table->refresh_if_due({6'000}));
  CHECK(table->current()->find("z") == 0u);
}

TEST_CASE("a bad file that becomes again what it was is good again") {
  const Folder folder;
  TableSpec spec = jsonl(folder.write("t.jsonl", "{\"id\":\"a\",\"n\":1}\n"));
  spec.refresh_millis = 1;
  auto table = open(spec);
  CHECK_FALSE(table->refresh_if_due({0}));
  folder.write("t.jsonl", "{\"id\":\"a\",\"n\":\"text\"}\n");
  CHECK(table->refresh_if_due({1})->code == "F004"_code);
  folder.write("t.jsonl", "{\"id\":\"a\",\"n\":1}\n");
  CHECK_FALSE(table->refresh_if_due({2}));
  CHECK(table->current()->column(1).int64s[0] == 1);
}

TEST_CASE("a table from JSON lines") {
  auto schema =
      avro::parse(R"({"type":"record","name":"M","fields":[{"name":"id","type":"string"},)"
                  R"({"name":"kw","type":["null","double"],"default":null}]})");
  REQUIRE(schema.has_value());
  auto table = table_from_jsonl("{\"id\":\"a\",\"kw\":1.5}\n{\"id\":\"b\"}\n", *schema, {"id"});
  REQUIRE(table.has_value());
  const auto version = (*table)->current();
  CHECK(version->column(1).float64s[*version->find("a")] == 1.5);
  CHECK(version->column(1).is_null(*version->find("b")));
  CHECK_FALSE(table_from_jsonl("{\"kw\":1}\n", *schema, {"id"}).has_value());
}

TEST_CASE("a table as the pipeline file says it") {
  const Folder folder;
  folder.write("m.csv", "id,kw\na,1.5\n");
  folder.write("m.avsc", R"({"type":"record","name":"M","fields":[{"name":"id","type":"string"},)"
                         R"({"name":"kw","type":"float"}]})");
  const auto shape_of = [&](const std::string& text) {
    auto document = yaml::parse(text, "pipeline.yaml");
    REQUIRE(document.has_value());
    return table_shape(part_specs()[0], flow::Config(&*document, &document->root()), folder.root());
  };
  const auto plain = shape_of("{csv: m.csv, key: id}");
  REQUIRE(plain.has_value());
  CHECK(plain->key == std::vector<std::string>{"id"});
  CHECK_FALSE(plain->refreshes);
  CHECK(avro::describe(*plain->schema->root().field("kw")->type) == "string");
  const auto typed = shape_of("{csv: m.csv, key: [id], refresh: 1m, types: {kw: double}}");
  REQUIRE(typed.has_value());
  CHECK(typed->refreshes);
  CHECK(avro::describe(*typed->schema->root().field("kw")->type) == "double");
  const auto declared = shape_of("{csv: m.csv, key: id, schema: m.avsc}");
  REQUIRE(declared.has_value());
  CHECK(avro::describe(*declared->schema->root().field("kw")->type) == "float");
  const auto wrong = shape_of("{csv: m.csv, key: idd}");
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().place.column == 19);
}

}  // namespace penstock::file
