// config_values.h — durations, sizes and counts, as the pipeline file writes them.
//
// Thread      free functions.
// Limits      at most 18 digits; results that do not fit in 63 bits are none.
// Errors      nothing for text that is none; the caller knows the place.
//
//     duration_millis("15m") == 900'000
//     size_bytes("64KiB") == 65'536
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock::flow {

// "500ms", "10s", "5m", "24h", "7d".
std::optional<int64_t> duration_millis(std::string_view text);
// "64KiB", "1MiB", "2GiB", "512B", "512".
std::optional<uint64_t> size_bytes(std::string_view text);
// Digits only.
std::optional<int64_t> count_value(std::string_view text);

}  // namespace penstock::flow
