// conversion.h — int(), uint(), double(), string(), bytes(), bool(), timestamp(), duration().
//
// Thread      free functions, no state.
// Errors      error values: out of range, text that does not parse.
//
//     Value seconds = convert(Fn::to_int, Value::of_string("12"), context);
#pragma once

#include "rule/function.h"

#include <optional>

namespace penstock::rule {

// One of the to_… functions but to_dyn and to_type.
Value convert(Fn to, const Value& from, Context& context);

// The shared cores of the scalar and the batch way; nullopt = out of range.
std::optional<int64_t> int_of_double(double value);
std::optional<uint64_t> uint_of_double(double value);
std::optional<int64_t> int_of_text(std::string_view text);
std::optional<uint64_t> uint_of_text(std::string_view text);
std::optional<double> double_of_text(std::string_view text);

}  // namespace penstock::rule
