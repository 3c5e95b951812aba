// json_text.h — JSON text as a tree that loses nothing: numbers stay the text they were, doubled
// names are refused.
//
// Thread      free functions; a Json is a value.
// Limits      nesting ≤ 256; the caller bounds the text's size (a tree takes about 100 bytes per
// value).
// Errors      one sentence with the byte where it went wrong. Strings must be UTF-8; \ud800
// alone is refused.
//
//     auto json = read_json(text);
//     if (!json) return fail("A006"_code, json.error());
//     if (const Json* type = json->member("type")) …
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::avro {

inline constexpr uint32_t kMaxJsonDepth = 256;

struct Json {
  enum class Kind : uint8_t { null_, boolean, number, string, array, object };
  Kind kind = Kind::null_;
  bool boolean = false;
  std::string text;                // a string's text, decoded; a number as it was written
  std::vector<Json> items;         // an array's items, an object's values
  std::vector<std::string> names;  // an object's names, beside items

  // The object's value of that name, or nullptr.
  const Json* member(std::string_view name) const;
};

std::expected<Json, std::string> read_json(std::string_view text);
// Compact: no spaces, members in their order.
void write_json(const Json& json, std::string& out);
// Appends a code point as UTF-8.
void append_code_point(uint32_t code, std::string& out);
// "a string", "an object", …
std::string_view kind_name(Json::Kind kind);

}  // namespace penstock::avro
