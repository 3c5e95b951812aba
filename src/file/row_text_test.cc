#include "file/row_text.h"

#include "avro/json.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace penstock::file {
namespace {

avro::SchemaPtr schema() {
  auto parsed =
      avro::parse(R"({"type":"record","name":"R","fields":[{"name":"id","type":"string"},)"
                  R"({"name":"n","type":"long"},{"name":"note","type":["null","string"]},)"
                  R"({"name":"unit","type":"string","default":"kWh"}]})");
  REQUIRE(parsed.has_value());
  return *parsed;
}

// Every row as JSON, or where and why it is none: "F002 a.csv:3:5".
std::string told(const Error& error) {
  return std::string(catalogue_entry(error.code).name) + " " + error.place.file + ":" +
         std::to_string(error.place.line) + ":" + std::to_string(error.place.column);
}

std::vector<std::string> rows_of(std::string_view text, Format format = Format::csv) {
  const avro::SchemaPtr records = schema();
  auto rows = RowText::open(text, "a", format, records);
  if (!rows) return {told(rows.error())};
  std::vector<std::string> all;
  while (true) {
    const auto more = rows->next();
    if (!more) all.push_back(told(more.error()));
    if (!more || !*more) return all;
    std::string datum = "before";
    const auto fits = rows->encode(datum);
    if (!fits) {
      CHECK(datum == "before");
      all.push_back(told(fits.error()));
      continue;
    }
    const auto json =
        avro::to_json(records->root(), std::string_view(datum).substr(6), avro::JsonStyle::plain);
    REQUIRE(json.has_value());
    all.push_back(*json);
  }
}

std::string row(std::string_view id, int n, std::string_view note) {
  return R"({"id":)" + std::string(id) + R"(,"n":)" + std::to_string(n) + R"(,"note":)" +
         std::string(note) + R"(,"unit":"kWh"})";
}

using CellRows = std::vector<std::string>;

}  // namespace

TEST_CASE("csv: quotes, doubled quotes, commas and line ends inside quotes") {
  CHECK(
      rows_of("id,n,note\n\"a,b\",1,\"say \"\"hi\"\"\"\n\"two\nlines\",2,\"x\r\ny\"\nlast,3,\n") ==
      CellRows{row(R"("a,b")", 1, R"("say \"hi\"")"), row(R"("two\nlines")", 2, R"("x\r\ny")"),
               row(R"("last")", 3, "null")});
}

TEST_CASE("csv: CRLF, a byte order mark, no end of the last line, empty lines, any column order") {
  CHECK(rows_of("\xef\xbb\xbfnote,n,id\r\n\r\nx,1,a\r\n\n,2,b") ==
        CellRows{row(R"("a")", 1, R"("x")"), row(R"("b")", 2, "null")});
  CHECK(rows_of("id,n\r\n\"a\",1\r\n\"b\",\"2\"\r\n") ==
        CellRows{row(R"("a")", 1, "null"), row(R"("b")", 2, "null")});
}

TEST_CASE("csv: no rows, and no header") {
  CHECK(rows_of("id,n\n").empty());
  CHECK(rows_of("id,n").empty());
  CHECK(rows_of("") == CellRows{"F003 a:1:1"});
  CHECK(rows_of("\xef\xbb\xbf") == CellRows{"F003 a:1:1"});
  CHECK(rows_of("\n\n") == CellRows{"F003 a:1:1"});
}

TEST_CASE("csv: a row that does not fit is named by line and column, and the next one is read") {
  CHECK(rows_of("id,n\na,1,2\nb\nc,3\nd,x\n\"e\nf\",x\ng,4\n") ==
        CellRows{"F002 a:2:1", "F002 a:3:1", row(R"("c")", 3, "null"), "F002 a:5:3", "F002 a:7:4",
                 row(R"("g")", 4, "null")});
}

TEST_CASE("csv: malformed text ends the reading at its place") {
  CHECK(rows_of("id,n\n\"a\"x,1\n") == CellRows{"F003 a:2:1"});
  CHECK(rows_of("id,n\nb,2\na,\"1\n") == CellRows{row(R"("b")", 2, "null"), "F003 a:3:3"});
  CHECK(rows_of("id,n\n\xff,1\n") == CellRows{"F003 a:2:1"});
}

TEST_CASE("csv: columns that are no fields, twice, or missing") {
  const auto refused = [](std::string_view text) {
    const auto rows = RowText::open(text, "a.csv", Format::csv, schema());
    REQUIRE_FALSE(rows.has_value());
    CHECK(rows.error().code == "F006"_code);
    CHECK(exit_code(rows.error()) == 1);
    return one_line(rows.error()) + " " + rows.error().note;
  };
  CHECK(refused("id,n,nott\n") ==
        "F006 a.csv:1:6: column \"nott\" is no field of the records did you mean \"note\"?");
  CHECK(refused("id,n,id\n") == "F006 a.csv:1:6: column \"id\" occurs twice ");
  CHECK(refused("id,note\n") == "F006 a.csv:1:1: there is no column \"n\" ");
  CHECK(rows_of("id,n\na,1\n") ==
        CellRows{row(R"("a")", 1, "null")});  // note and unit may be missing
}

TEST_CASE("csv: a row of 1 MiB is read, a longer one is refused") {
  const std::string head = "id,n,note\n", tail = ",1,\n";
  const std::string long_id(kMaxRowBytes - tail.size(), 'x');
  CHECK(rows_of(head + long_id + tail).at(0) == row('"' + long_id + '"', 1, "null"));
  CHECK(rows_of(head + long_id + "xx" + tail) == CellRows{"F003 a:2:1"});
  CHECK(rows_of(head + '"' + std::string(3 * kMaxRowBytes, '\n')) == CellRows{"F003 a:2:1"});
  CHECK(rows_of(std::string(5'000, ',')) == CellRows{"F003 a:1:1"});
}

TEST_CASE("jsonl: an object a line, empty lines and CRLF, defaults and nulls") {
  CHECK(rows_of("{\"id\":\"a\",\"n\":1}\r\n\n{\"n\":2,\"id\":\"b\",\"note\":\"x\"}",
                Format::jsonl) == CellRows{row(R"("a")", 1, "null"), row(R"("b")", 2, R"("x")")});
  CHECK(rows_of("", Format::jsonl).empty());
}

TEST_CASE("jsonl: lines that do not fit are named, the next one is read") {
  CHECK(rows_of("{\"id\":\"a\"}\n[1]\n{\"id\":\"a\",\"n\":1,\"m\":2}\n{\n{\"id\":\"b\",\"n\":2}\n",
                Format::jsonl) ==
        CellRows{"F002 a:1:1", "F002 a:2:1", "F002 a:3:1", "F002 a:4:1", row(R"("b")", 2, "null")});
  CHECK(rows_of("{\"id\":\"\xc0\x80\",\"n\":1}\n", Format::jsonl) == CellRows{"F003 a:1:1"});
  CHECK(rows_of(std::string(kMaxRowBytes + 1, ' '), Format::jsonl) == CellRows{"F003 a:1:1"});
}

TEST_CASE("what a file is, by its name") {
  CHECK(format_of("a.csv") == Format::csv);
  CHECK(format_of("a.jsonl") == Format::jsonl);
  CHECK(format_of("a.ndjson") == Format::jsonl);
  CHECK_FALSE(format_of("a.avro"));
  CHECK(read_file("/nonexistent/a.csv").error().code == "F001"_code);
  CHECK(read_file("/").error().code == "F001"_code);
}

}  // namespace penstock::file
