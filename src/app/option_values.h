// option_values.h — what flags take: words as the numbers that the command line's library reads.
//
// Thread      free functions.
// Errors      what is wrong, as a text; "" when nothing is.
//
//     std::string text = "25s";
//     const std::string wrong = duration_number(text);      // "", and text is "25000"
#pragma once

#include <cstddef>
#include <string>

namespace penstock::app {

// "json" becomes "2", which is read as a Format: one of the first `names` of them.
std::string format_number(std::string& text, size_t names);
// "25s" becomes "25000".
std::string duration_number(std::string& text);
std::string check_rate(const std::string& text);

}  // namespace penstock::app
