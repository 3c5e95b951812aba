// cases.h — Avro for the command line: one case per line, or one value.
//
// Thread      free functions, no state.
// Errors      a case's error is its answer: {"error": "…"}. The single forms fail with A….
//
//     decode_case(R"({"writer": "int", "hex": "02"})")          // {"value":1}
//     encode_case(R"({"schema": "int", "value": 1})")           // {"hex":"02"}
#pragma once

#include "avro/framing.h"
#include "base/error.h"
#include "base/units.h"

#include <string>
#include <string_view>

namespace penstock::avro {

// {"writer": SCHEMA, "reader": SCHEMA or absent, "hex": "…"} → {"value": …} in Avro's JSON
// encoding.
std::string decode_case(std::string_view line);
// {"schema": SCHEMA, "value": …} → {"hex": "…"}.
std::string encode_case(std::string_view line);

// `bytes`, written under `schema`, as JSON of `reader` ("": of `schema`). With single-object
// framing the fingerprint must be the schema's.
Result<std::string> decode_text(std::string_view schema, std::string_view reader, Framing framing,
                                ByteView bytes);
// The JSON value as (framed) Avro bytes.
Result<std::string> encode_text(std::string_view schema, Framing framing, std::string_view json);

}  // namespace penstock::avro
