// literal.h — the escapes of CEL's string and bytes literals.
//
// Thread      free functions, no state.
// Errors      a text for people and where in the body the trouble starts.
//
//     Unescaped result = unescape(R"(a\n)", /*bytes=*/false);     // "a" and a line feed
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::rule {

struct Unescaped {
  std::string text;
  std::string trouble;  // empty when all is well
  size_t at = 0;        // in the body
  size_t width = 1;
};

// The body of a literal, quotes taken off. In bytes \377 and \xff are octets; in strings code
// points.
Unescaped unescape(std::string_view body, bool bytes);

// True when `text` is UTF-8 without surrogates and overlong forms.
bool is_utf8(std::string_view text);
// Appends a code point below 0x110000, not a surrogate.
void append_utf8(uint32_t code_point, std::string& out);
// How many code points valid UTF-8 has.
int64_t count_code_points(std::string_view text);

}  // namespace penstock::rule
