// instant.h — the two ways in which AWS writes a time.
//
// Thread      free functions.
#pragma once

#include "base/units.h"

#include <optional>
#include <string_view>

namespace penstock::aws {

// "2026-01-02T03:04:05Z", also with fractions of a second, which are cut off.
std::optional<Millis> parse_iso_time(std::string_view text);
// The Date header: "Fri, 02 Jan 2026 03:04:05 GMT".
std::optional<Millis> parse_http_date(std::string_view text);

}  // namespace penstock::aws
