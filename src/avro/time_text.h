// time_text.h — RFC 3339 text and seconds since 1970, by the proleptic Gregorian calendar.
//
// Thread      free functions, no state.
// Limits      years 0001 to 9999; at most nine digits of fraction; offsets below 24 hours; no leap
// second (:60).
// Errors      false or nullopt: the text does not parse, or the result is out of
// range.
//
//     std::optional<Instant> at = parse_rfc3339("2026-01-01T00:00:00.5+01:00");
//     std::string text;
//     if (at) append_rfc3339(*at, text);                        // 2025-12-31T23:00:00.5Z
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::avro {

struct Instant {
  int64_t seconds;  // since 1970-01-01T00:00:00Z, rounded down
  uint32_t nanos;   // 0–999,999,999
};
struct Date {
  int64_t year;
  uint32_t month;  // 1–12
  uint32_t day;    // 1–31
};

// Days since 1970-01-01.
int64_t days_from_date(Date date);
Date date_from_days(int64_t days);

// With an offset: 2026-01-01T00:00:00Z, …+01:00; T and Z in either case, a space instead of T too.
std::optional<Instant> parse_rfc3339(std::string_view text);
// Without: 2026-01-01T00:00:00, as if it were UTC.
std::optional<Instant> parse_local_time(std::string_view text);
// 2026-01-31
std::optional<int64_t> parse_date(std::string_view text);
// 23:59:59.5: nanoseconds since midnight.
std::optional<int64_t> parse_time_of_day(std::string_view text);

// Append with as many digits of fraction as are needed; false, and nothing appended, outside years
// 1–9999.
bool append_rfc3339(Instant at, std::string& out);
bool append_local_time(Instant at, std::string& out);
bool append_date(int64_t days, std::string& out);
// `nanos` within one day.
void append_time_of_day(int64_t nanos, std::string& out);

}  // namespace penstock::avro
