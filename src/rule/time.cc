#include "rule/time.h"

#include <fmt/format.h>

namespace penstock::rule {

namespace {

constexpr int64_t kSecondsPerDay = 86'400;

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }
// Not a - floor_div(a, b) * b: that has no room at the smallest of all values.
int64_t floor_mod(int64_t a, int64_t b) { return a % b < 0 ? a % b + b : a % b; }

bool is_leap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int64_t days_in_month(int64_t year, int64_t month) {
  static constexpr int64_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

// Days from 0001-01-01 to the first of January of `year`, in the proleptic Gregorian calendar.
int64_t days_before_year(int64_t year) {
  const int64_t y = year - 1;
  return 365 * y + floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400);
}
constexpr int64_t kDaysTo1970 = 719'162;

int64_t days_before_month(int64_t year, int64_t month) {
  static constexpr int64_t kBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  return kBefore[month - 1] + (month > 2 && is_leap(year) ? 1 : 0);
}

// Reads exactly `digits` digits at `at`; -1 when they are not there.
int64_t read_number(std::string_view text, size_t at, size_t digits) {
  if (at + digits > text.size()) return -1;
  int64_t value = 0;
  for (size_t i = at; i < at + digits; i++) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// The offset at the end of a timestamp: Z or ±hh:mm.
std::optional<int64_t> read_offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const int64_t hours = read_number(text, 1, 2);
  const int64_t minutes = read_number(text, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  const int64_t seconds = hours * 3600 + minutes * 60;
  return text[0] == '-' ? -seconds : seconds;
}

// A fraction as nanoseconds from `at` on (behind the point); moves `at` past it.
std::optional<int32_t> read_fraction(std::string_view text, size_t& at) {
  int32_t nanos = 0;
  int digits = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; at++) {
    if (++digits > 9) return std::nullopt;
    nanos = nanos * 10 + (text[at] - '0');
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 9; digits++) nanos *= 10;
  return nanos;
}

int64_t unit_nanos(std::string_view text, size_t& at) {
  struct Unit {
    std::string_view name;
    int64_t nanos;
  };
  static constexpr Unit kUnits[] = {{"ns", 1},
                                    {"us", 1'000},
                                    {"\u00b5s", 1'000},
                                    {"\u03bcs", 1'000},
                                    {"ms", 1'000'000},
                                    {"s", kNanosPerSecond},
                                    {"m", 60 * kNanosPerSecond},
                                    {"h", 3600 * kNanosPerSecond}};
  for (const Unit& unit : kUnits) {
    if (!text.substr(at).starts_with(unit.name)) continue;
    at += unit.name.size();
    return unit.nanos;
  }
  return 0;
}

__extension__ using Wide = __int128;

// One "1.5h" of a duration, in nanoseconds; moves `at`. False when it does not parse or is far too
// large.
bool read_part(std::string_view text, size_t& at, Wide& total) {
  Wide whole = 0;
  Wide fraction = 0;
  Wide scale = 1;
  size_t digits = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; at++, digits++) {
    whole = whole * 10 + (text[at] - '0');
    if (whole > INT64_MAX) return false;
  }
  if (at < text.size() && text[at] == '.') {
    for (at++; at < text.size() && text[at] >= '0' && text[at] <= '9'; at++, digits++) {
      if (scale >= 1'000'000'000'000'000'000) continue;
      fraction = fraction * 10 + (text[at] - '0');
      scale *= 10;
    }
  }
  const int64_t nanos = unit_nanos(text, at);
  if (digits == 0 || nanos == 0) return false;
  total += whole * nanos + fraction * nanos / scale;
  return total <= Wide{INT64_MAX} + 1;
}

}  // namespace

Time time_of_units(int64_t units, int64_t per_second) {
  int64_t seconds = units / per_second;
  int64_t rest = units % per_second;  // no product: the least int64 has none
  if (rest < 0) {
    rest += per_second;
    --seconds;
  }
  return {seconds, static_cast<int32_t>(rest * (kNanosPerSecond / per_second))};
}

std::optional<int64_t> units_of_time(Time t, int64_t per_second) {
  const Wide units = Wide{t.seconds} * per_second + t.nanos / (kNanosPerSecond / per_second);
  if (units > INT64_MAX || units < INT64_MIN) return std::nullopt;
  return static_cast<int64_t>(units);
}

std::optional<Time> parse_time(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't'))
    return std::nullopt;
  if (text[13] != ':' || text[16] != ':') return std::nullopt;
  const int64_t year = read_number(text, 0, 4);
  const int64_t month = read_number(text, 5, 2);
  const int64_t day = read_number(text, 8, 2);
  const int64_t hour = read_number(text, 11, 2);
  const int64_t minute = read_number(text, 14, 2);
  const int64_t second = read_number(text, 17, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
    return std::nullopt;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
    return std::nullopt;
  size_t at = 19;
  Time t;
  if (text[at] == '.') {
    const auto nanos = read_fraction(text, ++at);
    if (!nanos) return std::nullopt;
    t.nanos = *nanos;
  }
  const auto offset = read_offset(text.substr(at));
  if (!offset) return std::nullopt;
  const int64_t days =
      days_before_year(year) + days_before_month(year, month) + day - 1 - kDaysTo1970;
  t.seconds = days * kSecondsPerDay + hour * 3600 + minute * 60 + second - *offset;
  if (!in_range(t)) return std::nullopt;
  return t;
}

std::string format_time(Time t) {
  const Calendar c = calendar(t, 0);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month + 1, c.day,
                                 c.hour, c.minute, c.second);
  if (t.nanos != 0) {
    text += fmt::format(".{:09}", t.nanos);
    while (text.back() == '0') text.pop_back();
  }
  return text + "Z";
}

std::optional<int64_t> parse_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  Wide total = 0;
  for (size_t at = 0; at < text.size();)
    if (!read_part(text, at, total)) return std::nullopt;
  if (negative) total = -total;
  if (total > INT64_MAX || total < INT64_MIN) return std::nullopt;
  return static_cast<int64_t>(total);
}

std::string format_duration(int64_t nanos) {
  const uint64_t size =
      nanos < 0 ? uint64_t{0} - static_cast<uint64_t>(nanos) : static_cast<uint64_t>(nanos);
  std::string text = fmt::format("{}{}", nanos < 0 ? "-" : "", size / kNanosPerSecond);
  if (const uint64_t rest = size % kNanosPerSecond; rest != 0) {
    text += fmt::format(".{:09}", rest);
    while (text.back() == '0') text.pop_back();
  }
  return text + "s";
}

std::optional<Time> add(Time t, int64_t nanos) {
  const int64_t seconds = floor_div(nanos, kNanosPerSecond);
  int64_t rest = floor_mod(nanos, kNanosPerSecond) + t.nanos;
  Time sum{t.seconds + seconds, 0};
  if (rest >= kNanosPerSecond) {
    rest -= kNanosPerSecond;
    sum.seconds++;
  }
  sum.nanos = static_cast<int32_t>(rest);
  if (!in_range(sum)) return std::nullopt;
  return sum;
}

std::optional<int64_t> subtract(Time a, Time b) {
  const Wide nanos = Wide{a.seconds - b.seconds} * kNanosPerSecond + (a.nanos - b.nanos);
  if (nanos > INT64_MAX || nanos < INT64_MIN) return std::nullopt;
  return static_cast<int64_t>(nanos);
}

Calendar calendar(Time t, int64_t offset_seconds) {
  const int64_t local = t.seconds + offset_seconds;
  const int64_t days =
      floor_div(local, kSecondsPerDay) + kDaysTo1970;  // since 0001-01-01, a Monday
  const int64_t second_of_day = floor_mod(local, kSecondsPerDay);
  int64_t year = floor_div(days * 400, 146'097) + 1;  // right or one off
  while (days_before_year(year) > days) year--;
  while (days_before_year(year + 1) <= days) year++;
  const int64_t day_of_year = days - days_before_year(year);
  int64_t month = day_of_year / 32 + 1;
  while (month < 12 && days_before_month(year, month + 1) <= day_of_year) month++;
  return {.year = year,
          .month = month - 1,
          .day = day_of_year - days_before_month(year, month) + 1,
          .day_of_year = day_of_year,
          .day_of_week = floor_mod(days + 1, 7),
          .hour = second_of_day / 3600,
          .minute = second_of_day / 60 % 60,
          .second = second_of_day % 60,
          .milli = t.nanos / 1'000'000};
}

}  // namespace penstock::rule
