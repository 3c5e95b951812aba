#include "plan/values.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace penstock::plan {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

std::optional<int64_t> with_unit(std::string_view text, std::initializer_list<Unit> units) {
  const size_t digits = text.find_first_not_of("0123456789");
  const auto number = parse_count(text.substr(0, digits));
  if (!number) return {};
  const std::string_view unit =
      digits == std::string_view::npos ? std::string_view() : text.substr(digits);
  for (const Unit& known : units) {
    if (known.name != unit) continue;
    if (*number > std::numeric_limits<int64_t>::max() / known.factor) return {};
    return *number * known.factor;
  }
  return {};
}

}  // namespace

std::optional<int64_t> parse_count(std::string_view text) {
  if (text.empty() || text.size() > 18) return {};
  int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<int64_t> parse_duration_millis(std::string_view text) {
  return with_unit(text,
                   {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}});
}

std::optional<uint64_t> parse_size_bytes(std::string_view text) {
  const auto size =
      with_unit(text, {{"", 1}, {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}});
  if (!size) return {};
  return static_cast<uint64_t>(*size);
}

std::optional<Share> parse_share(std::string_view text) {
  const size_t percent = text.find("% over ");
  if (percent == std::string_view::npos) return {};
  double share = 0;
  const char* end = text.data() + percent;
  const auto read = std::from_chars(text.data(), end, share);
  const auto window = parse_duration_millis(text.substr(percent + 7));
  if (read.ec != std::errc() || read.ptr != end || !window || *window == 0) return {};
  if (!(share >= 0) || share > 100) return {};
  return Share{share / 100, *window};
}

std::string duration_text(int64_t millis) {
  if (millis < 0) return "for ever";
  for (const Unit& unit :
       {Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000}}) {
    if (millis >= unit.factor && millis % unit.factor == 0) {
      return fmt::format("{}{}", millis / unit.factor, unit.name);
    }
  }
  return fmt::format("{}ms", millis);
}

}  // namespace penstock::plan
