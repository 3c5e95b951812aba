// schema_place.h — where in an Avro schema's text a fault is that the parser tells.
//
// Thread      a free function.
// Errors      none: a message that names no place stands for the first byte.
//
//     schema_place("r.avsc", text, "unknown type \"text\", at /fields/0/type").column
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>

namespace penstock::plan {

// `message` ends in "at byte 92" (from 0) or "at /fields/0/type".
Place schema_place(const std::string& file, const std::string& text, std::string_view message);

}  // namespace penstock::plan
