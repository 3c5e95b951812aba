// json_write.h — writing JSON text.
//
// Thread      free functions.
#pragma once

#include <string>
#include <string_view>

namespace penstock {

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string_view text, std::string& out);
// Appends the shortest number that reads back as `value`; NaN and infinities, which JSON lacks, as
// null.
void append_json_number(double value, std::string& out);

// For messages about hostile data: `text` as a JSON string, cut with … after 200 bytes.
std::string quoted(std::string_view text);

}  // namespace penstock
