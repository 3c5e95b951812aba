// text_format.h — "%.2f kWh".format([x]): clauses of a text and the values for them.
//
//   %s      any value as text
//   %d      a whole number
//   %f %.3f fixed point, 6 digits without a figure; %e with an exponent
//   %b %o   bits (a bool as 0 or 1), octal
//   %x %X   hexadecimal, also of a text's or bytes' bytes
//   %%      a percent sign
//
// Thread      free functions.
// Limits      at most 100 digits behind the point.
// Errors      error values: a clause that is none, one without a value, a value that it does not
//             take.
//
//     Value text = format_text("%s: %d", items, context);
#pragma once

#include "rule/extension.h"
#include "rule/value.h"

#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace penstock::rule {

Value format_text(std::string_view format, std::span<const Value> items, Context& context);

// The letters of its clauses, in order; else what is wrong with it.
std::expected<std::string, std::string> clauses_of(std::string_view format);
// What a clause takes, whatever the value is: %d takes also doubles that are no numbers.
Kinds taken_by(char clause);

}  // namespace penstock::rule
