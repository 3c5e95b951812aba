#include "app/option_values.h"

#include "base/suggest.h"
#include "plan/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>
#include <string_view>

namespace penstock::app {

std::string format_number(std::string& text, size_t names) {
  static constexpr std::string_view kNames[] = {"table", "wide", "json", "yaml", "avro"};
  const std::span known(kNames, names);
  const auto found = std::ranges::find(known, text);
  if (found == known.end()) {
    const std::string hint = did_you_mean(text, known);
    return fmt::format("\"{}\" is none of {} and {}{}{}", text,
                       fmt::join(known.first(names - 1), ", "), known.back(),
                       hint.empty() ? "" : "; ", hint);
  }
  text = std::to_string(found - known.begin());
  return "";
}

std::string duration_number(std::string& text) {
  const auto millis = plan::parse_duration_millis(text);
  if (!millis) return fmt::format("\"{}\" is no duration, as 500ms, 10s or 5m", text);
  text = std::to_string(*millis);
  return "";
}

std::string check_rate(const std::string& text) {
  double rate = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), rate);
  const bool good = read.ec == std::errc() && read.ptr == text.data() + text.size() && rate >= 1 &&
                    rate <= 1e9 && rate == std::floor(rate);
  return good ? "" : fmt::format("\"{}\" is no rate: a whole number, 1 or more", text);
}

}  // namespace penstock::app
