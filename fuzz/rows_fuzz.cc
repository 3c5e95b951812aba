// Any bytes as a csv or a jsonl file (the first byte says which) or, whatever it is called, an Avro
// container: each row is a valid datum, or an error with its place, after which the next one is
// read.
#include "avro/resolve.h"
#include "file/row_text.h"
#include "file/rows.h"

#include <array>
#include <cstdlib>

using namespace penstock;  // NOLINT: a program of one page

namespace {

const avro::SchemaPtr& schema() {
  static const avro::SchemaPtr kSchema = *avro::parse(R"({"type": "record", "name": "R", "fields": [
    {"name": "id", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "kwh", "type": ["null", "double"], "default": null},
    {"name": "n", "type": "int", "default": 7},
    {"name": "price",
     "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
    {"name": "kind", "type": {"type": "enum", "name": "K", "symbols": ["a", "b"]}},
    {"name": "tags", "type": {"type": "array", "items": ["null", "boolean"]}, "default": []}
  ]})");
  return kSchema;
}

// A table's columns come from the header alone.
void check_header(std::string_view text, const std::string& name) {
  const auto names = file::csv_header(text, name);
  if (names ? names->empty() : render(names.error()).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  static constexpr std::array kNames = {"a.csv", "a.jsonl", "a.csv", "a.ndjson", "a.txt"};
  const std::string name = kNames[data[0] % kNames.size()];
  check_header(text, name);
  auto opened = file::open_rows(text, name, schema());
  if (!opened) {
    if (render(opened.error()).empty()) std::abort();
    return 0;
  }
  file::Rows& rows = **opened;
  for (int count = 0; count < 1000; ++count) {
    const auto more = rows.next();
    if (!more && (render(more.error()).empty() || more.error().place.file != name)) std::abort();
    if (!more || !*more) return 0;
    std::string datum;
    const auto fits = rows.encode(datum);
    if (fits && !avro::validate(schema()->root(), datum, nullptr)) std::abort();
    if (!fits && (!datum.empty() || render(fits.error()).empty())) std::abort();
    if (!fits && fits.error().place.line != rows.row_place().line && name != "a.csv") std::abort();
  }
  return 0;
}
