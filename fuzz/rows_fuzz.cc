// Any bytes as a csv or a jsonl file (the first byte says which): each row is a valid datum, or an
// error with its place, after which the next one is read.
#include "avro/resolve.h"
#include "file/row_text.h"

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto format = data[0] % 2 == 0 ? file::Format::csv : file::Format::jsonl;
  auto rows = file::RowText::open(text, "fuzz", format, schema());
  if (!rows) return 0;
  while (true) {
    const auto more = rows->next();
    if (!more || !*more) return 0;
    std::string datum;
    const auto fits = rows->encode(datum);
    if (fits && !avro::validate(schema()->root(), datum, nullptr)) std::abort();
    if (!fits && (!datum.empty() || render(fits.error()).empty())) std::abort();
  }
}
