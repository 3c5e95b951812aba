// time.h — CEL's timestamps and durations: text, calendar fields, arithmetic with its bounds.
//
// Timestamps run from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z. Durations are int64
// nanoseconds, about ±292 years, which is the range that CEL's specification gives them.
//
// Thread      free functions, no state.
// Errors      std::nullopt or false: the text does not parse, or the result is out of range.
//
//     std::optional<Time> at = parse_time("2026-01-01T00:00:00+01:00");
//     int64_t hour = calendar(*at, 3600).hour;
#pragma once

#include "rule/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::rule {

inline constexpr int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr int64_t kMinSeconds = -62'135'596'800;  // 0001-01-01T00:00:00Z
inline constexpr int64_t kMaxSeconds = 253'402'300'799;  // 9999-12-31T23:59:59Z

inline bool in_range(Time t) { return t.seconds >= kMinSeconds && t.seconds <= kMaxSeconds; }

// The instant `units` after 1970 in units of 1/`per_second` seconds; per_second divides 1e9.
Time time_of_units(int64_t units, int64_t per_second);
// The way back, what is below the unit cut off; nullopt when int64 is too small (nanoseconds beyond
// 1677–2262).
std::optional<int64_t> units_of_time(Time t, int64_t per_second);

// RFC 3339: 2026-01-01T00:00:00.5Z, offsets as +01:00. At most nine digits of fraction.
std::optional<Time> parse_time(std::string_view text);
std::string format_time(Time t);
// 1h30m, -1.5s, 100ms, 5us, 5µs, 5ns and sums of them. "0" alone is zero.
std::optional<int64_t> parse_duration(std::string_view text);
// Seconds: 90s, -1.5s, 0.000001s.
std::string format_duration(int64_t nanos);

std::optional<Time> add(Time t, int64_t nanos);
// a - b in nanoseconds.
std::optional<int64_t> subtract(Time a, Time b);

struct Calendar {
  int64_t year;         // 1–9999, one more at either end by an offset
  int64_t month;        // 0–11
  int64_t day;          // of the month, 1–31
  int64_t day_of_year;  // 0–365
  int64_t day_of_week;  // 0 = Sunday
  int64_t hour, minute, second, milli;
};
Calendar calendar(Time t, int64_t offset_seconds);

// Seconds east of UTC at `t` in a zone: "", "UTC", "+01:00", "-09:30", "01:00", or a name as
// Europe/Berlin, whose file zone.h's function gives. nullopt: no such zone here.
std::optional<int64_t> zone_offset(std::string_view zone, Time t);

}  // namespace penstock::rule
