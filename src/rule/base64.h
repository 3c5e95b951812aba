// base64.h — bytes as text in RFC 4648's base64, with or without its padding, also of its other
// alphabet ("-" and "_").
//
// Thread      free functions.
//
//     std::string bytes;
//     if (!from_base64("aGVsbG8=", bytes)) …
#pragma once

#include <string>
#include <string_view>

namespace penstock::rule {

std::string to_base64(std::string_view bytes);
// Appends; false where the text is none.
bool from_base64(std::string_view text, std::string& bytes);

}  // namespace penstock::rule
