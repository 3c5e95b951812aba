#include "scale/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

namespace penstock::scale {
namespace {

constexpr std::string_view kInk = "#1f2937", kFaint = "#6b7280", kGrid = "#e5e7eb";
constexpr int kTicksMax = 4;

// 1, 2 or 5 times a power of ten, so that `most` has at most kTicksMax of them.
double round_step(double most) {
  const double raw = std::max(most, 1e-9) / kTicksMax;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw) return factor * power;
  }
  return 10 * power;
}

int64_t time_step(int64_t millis, double width) {
  constexpr auto kMinutes = std::to_array<int64_t>(
      {1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1'440, 2'880, 10'080, 43'200});
  const double most = std::max(2.0, width / 75);
  for (const int64_t minutes : kMinutes) {
    if (static_cast<double>(millis) / (static_cast<double>(minutes) * 60'000) <= most)
      return minutes * 60'000;
  }
  return kMinutes.back() * 60'000;
}

double largest(const Panel& panel) {
  double most = 0;
  for (const Line& line : panel.lines) {
    for (const Point& point : line.points) most = std::max(most, point.value);
  }
  return most;
}

struct Scale {
  const Panel& panel;
  double most;
  double x(Millis at) const {
    const auto all = static_cast<double>(std::max<int64_t>(1, panel.until.value));
    return panel.x + panel.width * std::min(1.0, static_cast<double>(at.value) / all);
  }
  double y(double value) const { return panel.y + panel.height * (1 - value / most); }
};

void axes(const Scale& scale, double step, std::string& out) {
  const Panel& panel = scale.panel;
  auto into = std::back_inserter(out);
  fmt::format_to(into,
                 R"(<text x="{:.0f}" y="{:.0f}" class="title">{}</text>)"
                 "\n",
                 panel.x, panel.y - 9, escaped(panel.title));
  for (double value = 0; value <= scale.most * 1.0001; value += step) {
    const double y = scale.y(value);
    fmt::format_to(into,
                   R"(<line x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}" stroke="{}"/>)"
                   R"(<text x="{:.1f}" y="{:.1f}" class="tick" text-anchor="end">{}</text>)"
                   "\n",
                   panel.x, panel.x + panel.width, y, y, value == 0 ? kFaint : kGrid, panel.x - 6,
                   y + 3.5, short_number(value));
  }
  if (!panel.times) return;
  const int64_t every = time_step(panel.until.value, panel.width);
  for (int64_t at = 0; at <= panel.until.value; at += every) {
    fmt::format_to(into,
                   R"(<text x="{:.1f}" y="{:.1f}" class="tick" text-anchor="middle">{}</text>)"
                   "\n",
                   scale.x({at}), panel.y + panel.height + 15, short_time({at}));
  }
}

// At most two points per unit of width; of each stretch the largest value stays.
std::vector<Point> thinned(const Line& line, double width) {
  const size_t stretch =
      line.steps ? 1 : 1 + line.points.size() / std::max<size_t>(1, static_cast<size_t>(width));
  std::vector<Point> kept;
  for (size_t i = 0; i < line.points.size(); i += stretch) {
    const auto from = line.points.begin() + static_cast<ptrdiff_t>(i);
    const auto to =
        line.points.begin() + static_cast<ptrdiff_t>(std::min(line.points.size(), i + stretch));
    kept.push_back({from->at, std::ranges::max_element(from, to, {}, &Point::value)->value});
  }
  if (stretch > 1) kept.push_back(line.points.back());
  return kept;
}

void curve(const Scale& scale, const Line& line, std::string& out) {
  const std::vector<Point> points = thinned(line, scale.panel.width);
  if (points.empty()) return;
  std::string path;
  auto into = std::back_inserter(path);
  for (size_t i = 0; i < points.size(); ++i) {
    const double x = scale.x(points[i].at);
    const double y = scale.y(points[i].value);
    if (i == 0) {
      fmt::format_to(into, "M{:.1f} {:.1f}", x, y);
    } else if (line.steps) {
      fmt::format_to(into, "H{:.1f}V{:.1f}", x, y);
    } else {
      fmt::format_to(into, "L{:.1f} {:.1f}", x, y);
    }
  }
  if (line.steps) fmt::format_to(into, "H{:.1f}", scale.x(scale.panel.until));
  if (line.filled) {
    const double last = line.steps ? scale.x(scale.panel.until) : scale.x(points.back().at);
    fmt::format_to(std::back_inserter(out),
                   R"(<path d="{}L{:.1f} {:.1f}L{:.1f} {:.1f}Z" fill="{}" fill-opacity="0.15"/>)"
                   "\n",
                   path, last, scale.y(0), scale.x(points.front().at), scale.y(0), line.color);
  }
  fmt::format_to(
      std::back_inserter(out),
      R"(<path d="{}" fill="none" stroke="{}" stroke-width="1.8" stroke-linejoin="round"/>)"
      "\n",
      path, line.color);
}

}  // namespace

std::string short_number(double value) {
  for (const auto& [unit, name] : {std::pair{1e9, "G"}, std::pair{1e6, "M"}, std::pair{1e3, "k"}}) {
    if (value >= unit) return fmt::format("{:.4g}{}", value / unit, name);
  }
  return fmt::format("{:.4g}", value);
}

std::string short_time(Millis at) {
  const auto seconds = static_cast<double>(at.value) / 1000;
  if (seconds == 0) return "0";
  if (seconds < 60) return fmt::format("{:g} s", seconds);
  if (seconds < 3600) return fmt::format("{:g} min", seconds / 60);
  if (seconds < 2 * 86'400) return fmt::format("{:g} h", seconds / 3600);
  return fmt::format("{:g} d", seconds / 86'400);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string draw(const Panel& panel) {
  const double step = round_step(std::max(largest(panel), 1e-9));
  const Scale scale{panel, std::max(step, std::ceil(largest(panel) / step) * step)};
  std::string out;
  axes(scale, step, out);
  for (const Line& line : panel.lines) curve(scale, line, out);
  return out;
}

}  // namespace penstock::scale
