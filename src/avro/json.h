// json.h — Avro datums as JSON text and back.
//
// Thread      free functions, no state.
// Limits      JSON text ≤ 16 MiB, nesting ≤ 256; 64 MiB of output.
// Errors      A…, with the path of the value that does not fit ("/tags/3").
#pragma once

#include "avro/schema.h"
#include "base/error.h"
#include "base/units.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::avro {

inline constexpr size_t kMaxJsonBytes = 16u << 20;

enum class JsonStyle : uint8_t {
  // The specification's JSON encoding: unions tagged {"string": …}, bytes and fixed as code points
  // 0–255,
  // "NaN", "Infinity", "-Infinity" for doubles without a JSON number. Logical types as their base
  // type.
  avro,
  // For people, tests and input files: unions by their value, timestamps as RFC 3339 text, dates as
  // 2026-01-31,
  // decimals as numbers in text, uuid as text, bytes as code points; what has no such text (a year
  // 30000) as its base type. Reading also takes numbers for logical types.
  plain,
};

// `datum` must be whole and valid under `type`; otherwise an error (A…), never a crash.
Result<std::string> to_json(const Node& type, ByteView datum, JsonStyle style);
// Appends the Avro bytes of the JSON value `text` to `out`. Missing record fields take their
// defaults; fields that the record does not have are errors. On an error `out` is as before.
Result<void> from_json(const Node& type, std::string_view text, JsonStyle style, std::string& out);

// One value as text from a csv cell: empty text is null where the type can be null. Appends the
// datum.
Result<void> from_text(const Node& type, std::string_view text, std::string& out);

}  // namespace penstock::avro
