// guard.h — what a text must be before the YAML parser may see it.
//
// UTF-8 without control characters (the parser behind it does not end on some invalid bytes), at
// most 1 MiB, no tab in front of a line's first word, brackets at most 64 deep.
//
// Thread      free function, no state.
// Errors      P003 size, P004 UTF-8, P005 control character, P006 tab, P007 nesting.
//
//     if (auto trouble = guard(text, "pipeline.yaml")) return std::unexpected(*trouble);
#pragma once

#include "base/error.h"

#include <optional>
#include <string>
#include <string_view>

namespace penstock::yaml {

inline constexpr size_t kMaxTextBytes = 1 << 20;
inline constexpr uint32_t kMaxDepth = 64;

// The first offence of the text, or nothing.
std::optional<Error> guard(std::string_view text, const std::string& file);

// The line (from 1) without its end, or "".
std::string_view line_of(std::string_view text, uint32_t line);

}  // namespace penstock::yaml
