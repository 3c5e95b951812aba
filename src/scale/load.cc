#include "scale/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace penstock::scale {
namespace {

constexpr size_t kLinesMax = 1'000'000;
constexpr double kSecondsMax = 366.0 * 86'400;
constexpr double kRateMax = 1e9;
constexpr std::string_view kHeading = "seconds,records_per_second";

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

std::optional<double> number(std::string_view text, double most) {
  text = without_spaces(text);
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  if (!(value >= 0 && value <= most)) return std::nullopt;
  return value;
}

// What is wrong with the line, or its step.
std::expected<Load::Step, std::string> step_of(std::string_view line) {
  const size_t comma = line.find(',');
  if (comma == std::string_view::npos || line.find(',', comma + 1) != std::string_view::npos)
    return std::unexpected("a line has two columns, seconds and records_per_second");
  const auto seconds = number(line.substr(0, comma), kSecondsMax);
  if (!seconds) return std::unexpected("the seconds are a number from 0 to a year");
  const auto rate = number(line.substr(comma + 1), kRateMax);
  if (!rate) return std::unexpected("the records per second are a number from 0 to 1e9");
  return Load::Step{{std::llround(*seconds * 1000)}, *rate};
}

}  // namespace

double Load::rate(Millis at) const {
  if (at >= end()) return 0;
  const auto next = std::ranges::upper_bound(steps, at, {}, &Step::at);
  return next == steps.begin() ? 0 : std::prev(next)->per_second;
}

double Load::total(Millis at) const {
  double sum = 0;
  for (size_t i = 0; i + 1 < steps.size() && steps[i].at < at; ++i) {
    const Millis until = std::min(at, steps[i + 1].at);
    sum += steps[i].per_second * static_cast<double>(until.value - steps[i].at.value) / 1000;
  }
  return sum;
}

Result<Load> load_from_csv(std::string_view text, const std::string& file) {
  Load load;
  bool heading = false;
  uint32_t number_of_line = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = without_spaces(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number_of_line;
    if (line.empty() || line.front() == '#') continue;
    const auto wrong = [&](std::string what) {
      return fail("U011"_code, std::move(what))
          .at({file, number_of_line, 1, static_cast<uint32_t>(line.size()), std::string(line)});
    };
    if (!heading) {
      if (line != kHeading) return wrong(fmt::format("the first line has to be {}", kHeading));
      heading = true;
      continue;
    }
    auto step = step_of(line);
    if (!step) return wrong(std::move(step).error());
    if (!load.steps.empty() && step->at <= load.steps.back().at)
      return wrong("the seconds have to grow from line to line");
    if (load.steps.size() == kLinesMax) return wrong("a trace has at most 1,000,000 lines");
    load.steps.push_back(*step);
  }
  if (load.steps.size() < 2)
    return fail("U011"_code,
                fmt::format("{} has to have two lines at least: a rate, and the end", file));
  if (load.steps.front().at > Millis{0}) load.steps.insert(load.steps.begin(), {{0}, 0});
  return load;
}

}  // namespace penstock::scale
