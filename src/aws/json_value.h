// json_value.h — JSON that a service answers, as a value.
//
// Thread      values.
// Limits      64 levels; whole numbers of 64 bits, others as doubles.
//
//     const std::optional<JsonValue> told = parse_json(response.body);
//     if (told && told->text_of("Status") == "FINISHED") …
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::aws {

inline constexpr size_t kJsonLevelsMax = 64;

struct JsonValue {
  enum class Kind : uint8_t { null, boolean, whole, number, text, list, object };
  Kind kind = Kind::null;
  bool truth = false;
  int64_t whole = 0;
  double number = 0;  // of whole numbers as well
  std::string text = {};
  std::vector<JsonValue> items = {};    // of a list, or an object's values
  std::vector<std::string> names = {};  // an object's, in the same order

  // Nothing where this is no object, or lacks it.
  const JsonValue* member(std::string_view name) const;
  // The member's, "" and 0 and false where it is of another kind.
  std::string text_of(std::string_view name) const;
  int64_t whole_of(std::string_view name) const;
  bool truth_of(std::string_view name) const;
};

// Nothing when the text is not JSON, or nests too deep.
std::optional<JsonValue> parse_json(std::string_view text);

}  // namespace penstock::aws
