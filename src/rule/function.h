// function.h — the operators and functions of CEL's standard library: their types and what they do.
//
// overloads() is what the checker knows; apply() is what the row-by-row evaluator does, for any
// values. The batch kernels of lanes.h do the same for whole columns; a test compares the two.
//
// Thread      static tables and free functions.
// Errors      apply() answers an error value: overflow, division by zero, no such key, "no
//             function f(int)" …
//
//     Value sum = apply(Fn::add, args, context);
#pragma once

#include "rule/pattern.h"
#include "rule/type.h"
#include "rule/value.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::rule {

enum class Fn : uint8_t {
  unknown,
  // operators
  add,
  subtract,
  multiply,
  divide,
  modulo,
  negate,
  not_,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  in,
  index,
  // of strings, bytes, lists, maps
  size,
  contains,
  starts_with,
  ends_with,
  matches,
  // conversions
  to_bool,
  to_int,
  to_uint,
  to_double,
  to_string,
  to_bytes,
  to_timestamp,
  to_duration,
  to_dyn,
  to_type,
  // parts of timestamps and durations
  get_full_year,
  get_month,
  get_date,
  get_day_of_month,
  get_day_of_week,
  get_day_of_year,
  get_hours,
  get_minutes,
  get_seconds,
  get_milliseconds,
};

// One way to call a function. Operators and functions over lists and maps whose types depend on
// their arguments
// (+ of lists, ==, in, [], size, dyn, type) are the checker's own affair.
struct Overload {
  Fn fn;
  TypeKind result;
  uint8_t count;  // of arguments, the receiver included
  TypeKind args[2];
};
std::span<const Overload> overloads();

struct FunctionName {
  std::string_view name;
  Fn fn;
  bool as_function;  // f(x)
  bool as_method;    // x.f()
};
std::span<const FunctionName> function_names();
// nullptr when there is no such function in this form.
const FunctionName* find_function(std::string_view name, bool method);
// "+", "size": how messages call it.
std::string_view name_of(Fn fn);

// The function of these arguments, none of them an error.
Value apply(Fn fn, std::span<const Value> args, Context& context);
// matches() with a compiled pattern.
Value apply_pattern(const Pattern& pattern, const Value& text, Context& context);

}  // namespace penstock::rule
