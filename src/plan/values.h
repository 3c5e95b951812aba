// values.h — durations, sizes, shares and counts, as the pipeline file writes them.
//
// Thread      free functions.
// Errors      nothing for text that is none; the caller knows the place.
//
//     parse_duration_millis("15m") == 900'000
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::plan {

// "500ms", "10s", "5m", "24h", "7d".
std::optional<int64_t> parse_duration_millis(std::string_view text);
// "64KiB", "1MiB", "2GiB", "512B", "512".
std::optional<uint64_t> parse_size_bytes(std::string_view text);
// Digits only, at most 18 of them.
std::optional<int64_t> parse_count(std::string_view text);

struct Share {
  double share;           // 0 … 1
  int64_t window_millis;  // over this time
};
// "20% over 1m".
std::optional<Share> parse_share(std::string_view text);

// 90'000 -> "90s"; 86'400'000 -> "1d".
std::string duration_text(int64_t millis);

}  // namespace penstock::plan
