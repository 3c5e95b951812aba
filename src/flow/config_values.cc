#include "flow/config_values.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

namespace penstock::flow {
namespace {

constexpr size_t kMaxDigits = 18;

struct Unit {
  std::string_view name;
  int64_t factor;
};

std::optional<int64_t> with_unit(std::string_view text, std::initializer_list<Unit> units) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = count_value(text.substr(0, digits));
  if (!count) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name != text.substr(digits)) continue;
    if (*count > std::numeric_limits<int64_t>::max() / unit.factor) return std::nullopt;
    return *count * unit.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> count_value(std::string_view text) {
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<int64_t> duration_millis(std::string_view text) {
  return with_unit(text,
                   {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}});
}

std::optional<uint64_t> size_bytes(std::string_view text) {
  const auto bytes =
      with_unit(text, {{"", 1}, {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}});
  return bytes ? std::optional(static_cast<uint64_t>(*bytes)) : std::nullopt;
}

}  // namespace penstock::flow
