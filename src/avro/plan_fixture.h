// plan_fixture.h — for the tests of plans: datums by hand, and a batch of them.
#pragma once

#include "avro/plan.h"
#include "avro/resolve.h"
#include "avro/write.h"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace penstock::avro {

inline SchemaPtr schema_of(std::string_view text) {
  auto parsed = parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

// A datum under construction: Datum().text("m1").whole(7).real(1.5)
class Datum {
 public:
  Datum& whole(int64_t value) {
    append_long(value, bytes);
    return *this;
  }
  Datum& text(std::string_view value) {
    append_bytes(value, bytes);
    return *this;
  }
  Datum& real(double value) {
    append_double(value, bytes);
    return *this;
  }
  Datum& single(float value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Datum& raw(std::string_view value) {
    bytes.append(value);
    return *this;
  }
  operator std::string() const { return bytes; }
  std::string bytes;
};

// What resolution makes of `datum`; "error: …" where it fails, at compile time or for this datum.
inline std::string resolved(std::string_view writer, std::string_view reader,
                            const std::string& datum) {
  auto resolver = Resolver::compile(schema_of(writer)->root(), schema_of(reader)->root());
  if (!resolver) return "error: " + resolver.error().message;
  std::string out = "kept";
  std::string why;
  if (!resolver->run(datum, out, &why)) {
    CHECK(out == "kept");
    return "error: " + why;
  }
  return out.substr(4);
}

// A batch of datums with `columns` columns, and the memory that it needs.
struct Rows {
  explicit Rows(std::vector<std::string> values, size_t columns = 0) : datums(std::move(values)) {
    records.resize(datums.size());
    batch.records = records;
    batch.arena = &arena;
    batch.columns.resize(columns);
    for (uint32_t row = 0; row < datums.size(); ++row) {
      batch.live.push_back(row);
      payloads.emplace_back(datums[row]);
    }
  }
  std::vector<std::string> datums;
  std::vector<ByteView> payloads;
  std::vector<row::RawRecord> records;
  Arena arena;
  row::Batch batch;
};

}  // namespace penstock::avro
