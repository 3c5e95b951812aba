#include "avro/time_text.h"

#include <array>

namespace penstock::avro {
namespace {

constexpr int64_t kDaySeconds = 86'400;
constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kFirstDay = -719'162;  // 0001-01-01
constexpr int64_t kLastDay = 2'932'896;  // 9999-12-31

constexpr int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Takes pieces from the front of a text; once one is missing, ok() is false for good.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && text_.empty(); }

  uint32_t digits(size_t count) {
    uint32_t value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (text_.empty() || text_[0] < '0' || text_[0] > '9') {
        ok_ = false;
        return 0;
      }
      value = value * 10 + static_cast<uint32_t>(text_[0] - '0');
      text_.remove_prefix(1);
    }
    return value;
  }
  // One of `any`; '\0' when there is none of them.
  char one_of(std::string_view any) {
    if (!ok_ || text_.empty() || !any.contains(text_[0])) return '\0';
    const char c = text_[0];
    text_.remove_prefix(1);
    return c;
  }
  void must(std::string_view any) { ok_ = one_of(any) != '\0' && ok_; }
  void check(bool condition) { ok_ = ok_ && condition; }

  uint32_t fraction_nanos() {
    if (one_of(".") == '\0') return 0;
    uint32_t value = digits(1);
    uint32_t count = 1;
    while (ok_ && !text_.empty() && text_[0] >= '0' && text_[0] <= '9') {
      if (++count > 9) ok_ = false;
      if (ok_) value = value * 10 + digits(1);
    }
    for (; count < 9; ++count) value *= 10;
    return value;
  }

 private:
  std::string_view text_;
  bool ok_ = true;
};

uint32_t month_days(int64_t year, uint32_t month) {
  constexpr uint32_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

int64_t scan_date(Scanner& scan) {
  Date date{};
  date.year = scan.digits(4);
  scan.must("-");
  date.month = scan.digits(2);
  scan.must("-");
  date.day = scan.digits(2);
  scan.check(date.year >= 1 && date.month >= 1 && date.month <= 12);
  if (scan.ok()) scan.check(date.day >= 1 && date.day <= month_days(date.year, date.month));
  return scan.ok() ? days_from_date(date) : 0;
}

Instant scan_time_of_day(Scanner& scan) {
  const int64_t hour = scan.digits(2);
  scan.must(":");
  const int64_t minute = scan.digits(2);
  scan.must(":");
  const int64_t second = scan.digits(2);
  scan.check(hour < 24 && minute < 60 && second < 60);
  return {(hour * 60 + minute) * 60 + second, scan.fraction_nanos()};
}

Instant scan_both(Scanner& scan) {
  const int64_t days = scan_date(scan);
  scan.must("Tt ");
  Instant at = scan_time_of_day(scan);
  at.seconds += days * kDaySeconds;
  return at;
}

bool in_years(int64_t days) { return days >= kFirstDay && days <= kLastDay; }

// With zeros in front.
template <size_t kDigits>
void put_digits(uint32_t value, char* to) {
  for (size_t i = kDigits; i-- > 0; value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

void append_clock(int64_t second_of_day, uint32_t nanos, std::string& out) {
  const auto second = static_cast<uint32_t>(second_of_day);
  std::array<char, 18> text = {'0', '0', ':', '0', '0', ':', '0', '0', '.'};
  put_digits<2>(second / 3600, text.data());
  put_digits<2>(second / 60 % 60, &text[3]);
  put_digits<2>(second % 60, &text[6]);
  if (nanos == 0) {
    out.append(text.data(), 8);
    return;
  }
  put_digits<9>(nanos, &text[9]);
  out.append(text.data(), text.size());
  out.resize(out.find_last_not_of('0') + 1);
}

}  // namespace

int64_t days_from_date(Date date) {
  // Years begin in March here, so that the leap day is a year's last.
  const int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const int64_t era = floor_div(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t month = (date.month + 9) % 12;
  const int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

Date date_from_days(int64_t days) {
  days += 719'468;
  const int64_t era = floor_div(days, 146'097);
  const int64_t day = days - era * 146'097;
  const int64_t year = (day - day / 1'460 + day / 36'524 - day / 146'096) / 365;
  const int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
  const int64_t month = (5 * day_of_year + 2) / 153;
  const auto civil_month = static_cast<uint32_t>(month < 10 ? month + 3 : month - 9);
  return {year + era * 400 + (civil_month <= 2 ? 1 : 0), civil_month,
          static_cast<uint32_t>(day_of_year - (153 * month + 2) / 5 + 1)};
}

std::optional<Instant> parse_rfc3339(std::string_view text) {
  Scanner scan(text);
  Instant at = scan_both(scan);
  if (scan.one_of("Zz") == '\0') {
    const char sign = scan.one_of("+-");
    scan.check(sign != '\0');
    const int64_t hours = scan.digits(2);
    scan.must(":");
    const int64_t minutes = scan.digits(2);
    scan.check(hours < 24 && minutes < 60);
    at.seconds -= (sign == '-' ? -1 : 1) * (hours * 60 + minutes) * 60;
  }
  if (!scan.at_end() || !in_years(floor_div(at.seconds, kDaySeconds))) return std::nullopt;
  return at;
}

std::optional<Instant> parse_local_time(std::string_view text) {
  Scanner scan(text);
  const Instant at = scan_both(scan);
  if (!scan.at_end()) return std::nullopt;
  return at;
}

std::optional<int64_t> parse_date(std::string_view text) {
  Scanner scan(text);
  const int64_t days = scan_date(scan);
  if (!scan.at_end()) return std::nullopt;
  return days;
}

std::optional<int64_t> parse_time_of_day(std::string_view text) {
  Scanner scan(text);
  const Instant at = scan_time_of_day(scan);
  if (!scan.at_end()) return std::nullopt;
  return at.seconds * kNanosPerSecond + at.nanos;
}

bool append_date(int64_t days, std::string& out) {
  if (!in_years(days)) return false;
  const Date date = date_from_days(days);
  std::array<char, 10> text = {'0', '0', '0', '0', '-', '0', '0', '-', '0', '0'};
  put_digits<4>(static_cast<uint32_t>(date.year), text.data());
  put_digits<2>(date.month, &text[5]);
  put_digits<2>(date.day, &text[8]);
  out.append(text.data(), text.size());
  return true;
}

bool append_local_time(Instant at, std::string& out) {
  const int64_t days = floor_div(at.seconds, kDaySeconds);
  if (!append_date(days, out)) return false;
  out += 'T';
  append_clock(at.seconds - days * kDaySeconds, at.nanos, out);
  return true;
}

bool append_rfc3339(Instant at, std::string& out) {
  if (!append_local_time(at, out)) return false;
  out += 'Z';
  return true;
}

void append_time_of_day(int64_t nanos, std::string& out) {
  append_clock(nanos / kNanosPerSecond, static_cast<uint32_t>(nanos % kNanosPerSecond), out);
}

}  // namespace penstock::avro
