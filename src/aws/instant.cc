#include "aws/instant.h"

#include <array>
#include <charconv>
#include <chrono>

namespace penstock::aws {
namespace {

std::optional<int> number(std::string_view text, size_t at, size_t digits) {
  int value = 0;
  if (at + digits > text.size()) return std::nullopt;
  const char* begin = text.data() + at;
  const auto read = std::from_chars(begin, begin + digits, value);
  if (read.ec != std::errc() || read.ptr != begin + digits || value < 0) return std::nullopt;
  return value;
}

std::optional<Millis> make(std::optional<int> year, std::optional<int> month,
                           std::optional<int> day, std::string_view clock) {
  using namespace std::chrono;
  const auto hours_read = number(clock, 0, 2);
  const auto minutes_read = number(clock, 3, 2);
  const auto seconds_read = number(clock, 6, 2);
  if (!year || !month || !day || !hours_read || !minutes_read || !seconds_read) return {};
  if (clock[2] != ':' || clock[5] != ':') return {};
  const year_month_day date{std::chrono::year(*year), std::chrono::month(unsigned(*month)),
                            std::chrono::day(unsigned(*day))};
  if (!date.ok() || *hours_read > 23 || *minutes_read > 59 || *seconds_read > 60) return {};
  const auto time =
      sys_days(date) + hours(*hours_read) + minutes(*minutes_read) + seconds(*seconds_read);
  return Millis{duration_cast<milliseconds>(time.time_since_epoch()).count()};
}

}  // namespace

std::optional<Millis> parse_iso_time(std::string_view text) {
  if (text.size() < 20 || text.size() > 32 || !text.ends_with('Z')) return {};
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T') return {};
  if (text.size() > 20 && text[19] != '.') return {};
  return make(number(text, 0, 4), number(text, 5, 2), number(text, 8, 2), text.substr(11));
}

std::optional<Millis> parse_http_date(std::string_view text) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || !text.ends_with(" GMT")) return {};
  const size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return {};
  return make(number(text, 12, 4), static_cast<int>(month / 3) + 1, number(text, 5, 2),
              text.substr(17));
}

}  // namespace penstock::aws
