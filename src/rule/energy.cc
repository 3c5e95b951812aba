#include "rule/energy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace penstock::rule {

namespace {

struct Unit {
  std::string_view name;
  char kind;
  double factor;  // of the kind's base unit
};

constexpr Unit kUnits[] = {{"Wh", 'e', 3.6e3},   {"kWh", 'e', 3.6e6}, {"MWh", 'e', 3.6e9},
                           {"GWh", 'e', 3.6e12}, {"J", 'e', 1},       {"kJ", 'e', 1e3},
                           {"MJ", 'e', 1e6},     {"GJ", 'e', 1e9},    {"W", 'p', 1},
                           {"kW", 'p', 1e3},     {"MW", 'p', 1e6},    {"GW", 'p', 1e9},
                           {"VA", 's', 1},       {"kVA", 's', 1e3},   {"MVA", 's', 1e6},
                           {"VAh", 't', 1},      {"kVAh", 't', 1e3},  {"MVAh", 't', 1e6},
                           {"var", 'q', 1},      {"kvar", 'q', 1e3},  {"Mvar", 'q', 1e6},
                           {"varh", 'r', 1},     {"kvarh", 'r', 1e3}, {"Mvarh", 'r', 1e6},
                           {"mA", 'i', 1},       {"A", 'i', 1e3},     {"kA", 'i', 1e6},
                           {"mV", 'u', 1},       {"V", 'u', 1e3},     {"kV", 'u', 1e6},
                           {"L", 'v', 1e3},      {"m3", 'v', 1e6},    {"ft3", 'v', 28316.846592}};

const Unit* find_unit(std::string_view name) {
  const auto* found = std::ranges::find(kUnits, name, &Unit::name);
  return found == std::end(kUnits) ? nullptr : found;
}

bool all_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr size_t kTextMax = 1024;
constexpr int32_t kDayMinutes = 24 * 60;

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::optional<size_t> index_of(std::string_view name, std::span<const std::string_view> names) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<size_t>(found - names.begin());
}

// "Nov-Mar,May" as bits; nullopt when it is not of these names.
std::optional<uint32_t> ranges_of(std::string_view text, std::span<const std::string_view> names) {
  uint32_t bits = 0;
  while (true) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view one = text.substr(0, comma);
    const size_t dash = std::min(one.find('-'), one.size());
    const auto first = index_of(one.substr(0, dash), names);
    const auto last = dash == one.size() ? first : index_of(one.substr(dash + 1), names);
    if (!first || !last) return std::nullopt;
    for (size_t i = *first;; i = (i + 1) % names.size()) {
      bits |= 1U << i;
      if (i == *last) break;
    }
    if (comma == text.size()) return bits;
    text.remove_prefix(comma + 1);
  }
}

// "07:30" as minutes of the day, up to 24:00.
std::optional<int32_t> minute_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':' || !all_digits(text.substr(0, 2)) ||
      !all_digits(text.substr(3)))
    return std::nullopt;
  const int32_t hour = (text[0] - '0') * 10 + text[1] - '0';
  const int32_t minute = (text[3] - '0') * 10 + text[4] - '0';
  const int32_t all = hour * 60 + minute;
  if (minute > 59 || all > kDayMinutes) return std::nullopt;
  return all;
}

}  // namespace

std::expected<double, std::string> convert(double value, std::string_view from,
                                           std::string_view to) {
  const Unit* a = find_unit(from);
  const Unit* b = find_unit(to);
  if (a == nullptr || b == nullptr)
    return std::unexpected(fmt::format("there is no unit \"{}\"", a == nullptr ? from : to));
  if (a->kind != b->kind)
    return std::unexpected(fmt::format("{} is not of the kind of {}", from, to));
  // By the whole one of the two ratios, so that 1,500 Wh are 1.5 kWh and not 1.5000000000000002.
  return a->factor >= b->factor ? value * (a->factor / b->factor) : value / (b->factor / a->factor);
}

bool is_gsrn(std::string_view text) {
  if (text.size() != 18 || !all_digits(text)) return false;
  int sum = 0;
  for (size_t i = 0; i < 18; i++) sum += (text[17 - i] - '0') * (i % 2 == 0 ? 1 : 3);
  return sum % 10 == 0;
}

bool is_eic(std::string_view text) {
  constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-";
  if (text.size() != 16 || text.find_first_not_of(kLetters) != std::string_view::npos) return false;
  if (text.back() == '-') return false;
  size_t sum = 0;
  for (size_t i = 0; i < 15; i++) sum += (16 - i) * kLetters.find(text[i]);
  return kLetters[36 - (sum + 36) % 37] == text.back();
}

bool is_mpan(std::string_view text) {
  constexpr std::array<int, 12> kPrimes = {3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43};
  if (text.size() != 13 || !all_digits(text)) return false;
  int sum = 0;
  for (size_t i = 0; i < kPrimes.size(); i++) sum += (text[i] - '0') * kPrimes[i];
  return sum % 11 % 10 == text.back() - '0';
}

std::expected<Periods::Period, std::string> Periods::read(std::string_view text) {
  Period period;
  const size_t space = std::min(text.find(' '), text.size());
  period.name = text.substr(0, space);
  for (std::string_view rest = trimmed(text.substr(space)); !rest.empty();) {
    const size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest = trimmed(rest.substr(end));
    period.always = false;
    if (const auto months = ranges_of(word, kMonths)) {
      period.months = *months;
    } else if (const auto days = ranges_of(word, kDays)) {
      period.days = *days;
    } else {
      const size_t dash = std::min(word.find('-'), word.size());
      const auto from = minute_of(word.substr(0, dash));
      const auto to = minute_of(word.substr(std::min(dash + 1, word.size())));
      if (!from || !to || *from == *to)
        return std::unexpected(
            fmt::format("\"{}\" is no month, day or time, as Nov-Mar Mon-Fri 07:00-20:00", word));
      period.from_minute = *from;
      period.to_minute = *to;
    }
  }
  return period;
}

std::expected<Periods, std::string> Periods::parse(std::string_view text) {
  if (text.size() > kTextMax) return std::unexpected(std::string("periods in more than 1 KiB"));
  Periods all;
  while (true) {
    const size_t end = std::min(text.find(';'), text.size());
    const std::string_view one = trimmed(text.substr(0, end));
    if (one.empty()) return std::unexpected(std::string("a period without a name"));
    const auto period = read(one);
    if (!period) return std::unexpected(period.error());
    if (!all.periods_.empty() && all.periods_.back().always)
      return std::unexpected(
          fmt::format("\"{}\" is never reached: the period before it is always", period->name));
    all.periods_.push_back(*period);
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  if (all.periods_.back().always) return all;
  return std::unexpected(
      std::string("the last period has conditions, so there is none for all other times"));
}

std::string_view Periods::at(const Calendar& local) const {
  const auto minute = static_cast<int32_t>(local.hour * 60 + local.minute);
  const auto fits = [&](const Period& period) {
    const bool wraps = period.to_minute < period.from_minute;
    const bool after = minute >= period.from_minute, before = minute < period.to_minute;
    return (period.months >> local.month & 1U) != 0 &&
           (period.days >> local.day_of_week & 1U) != 0 &&
           (wraps ? after || before : after && before);
  };
  return std::ranges::find_if(periods_, fits)->name;
}

}  // namespace penstock::rule
