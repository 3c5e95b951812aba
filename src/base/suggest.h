// suggest.h — "did you mean".
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace penstock {

// The candidate nearest to `word` by edit distance (transpositions count one), if it is near enough
// to be a slip; else "". Ties: the first.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);
// `did you mean "from"?`, or "" when nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace penstock
