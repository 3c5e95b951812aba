#include "scale/picture.h"

#include "scale/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace penstock::scale {
namespace {

constexpr double kWidth = 1200, kLeft = 64, kRight = 40;
constexpr double kHeader = 132, kWide = 90, kTall = 120;  // heights
constexpr double kBelow = 58;                             // under a panel: ticks and the next title
constexpr double kGap = 66;                               // between panels of a row
constexpr std::string_view kLoadColor = "#6b7280";
constexpr std::string_view kStyle = R"(<style>
text { font-family: system-ui, "Segoe UI", "DejaVu Sans", Arial, sans-serif; fill: #1f2937; }
.head { font-size: 22px; font-weight: 600; }
.sub { font-size: 13px; fill: #6b7280; }
.key { font-size: 14px; }
.title { font-size: 13px; font-weight: 600; }
.tick { font-size: 11px; fill: #6b7280; }
</style>
<rect width="100%" height="100%" fill="#ffffff"/>
)";

std::string_view color_of(Policy policy) { return policy == Policy::lag ? "#d97706" : "#2563eb"; }

double panel_width(int columns) {
  return (kWidth - kLeft - kRight - kGap * (columns - 1)) / columns;
}

Millis longest(std::span<const Outcome> outcomes) {
  Millis end;
  for (const Outcome& outcome : outcomes) end = std::max(end, outcome.end);
  return end;
}

void header(std::span<const Outcome> outcomes, const PictureText& text, std::string& out) {
  auto into = std::back_inserter(out);
  fmt::format_to(into,
                 R"(<text x="{0}" y="42" class="head">{1}</text>)"
                 R"(<text x="{0}" y="64" class="sub">{2}</text>)"
                 "\n",
                 kLeft, escaped(text.title), escaped(text.subtitle));
  double x = kLeft;
  for (const Outcome& outcome : outcomes) {
    double worst = 0;
    for (const StageOutcome& stage : outcome.stages)
      worst = std::max(worst, stage.delay_max_seconds);
    std::string words = fmt::format("{:.2f} pod hours", outcome.pod_hours_total());
    if (text.price > 0)
      words += fmt::format(" · cost {:.2f}", cost(outcome, text.price, text.price_of_nodes));
    words += fmt::format(" · longest delay {:.0f} s", worst);
    if (!outcome.drained) words += " · not drained";
    fmt::format_to(
        into,
        R"(<rect x="{:.0f}" y="84" width="14" height="14" rx="3" fill="{}"/>)"
        R"(<text x="{:.0f}" y="96" class="key"><tspan font-weight="600">{}</tspan>  {}</text>)"
        "\n",
        x, color_of(outcome.policy), x + 22, to_text(outcome.policy), words);
    x += panel_width(2) + kGap;
  }
}

std::vector<Point> points(const StageOutcome& stage, double (*of)(const Sample&)) {
  std::vector<Point> all;
  for (const Sample& sample : stage.samples) all.push_back({sample.at, of(sample)});
  return all;
}

// Replicas, lag and delay of one stage.
void row(std::span<const Outcome> outcomes, size_t stage, double y, std::string& out) {
  const double width = panel_width(3);
  Panel replicas{.x = kLeft, .y = y, .width = width, .height = kTall, .until = longest(outcomes)};
  Panel lag = replicas;
  Panel delay = replicas;
  lag.x += width + kGap;
  delay.x += 2 * (width + kGap);
  replicas.title = outcomes.front().stages[stage].id + ": replicas";
  lag.title = "lag, records";
  delay.title = "delay, seconds";
  for (const Outcome& outcome : outcomes) {
    const StageOutcome& one = outcome.stages[stage];
    std::vector<Point> steps;
    for (const auto& step : one.steps) steps.push_back({step.at, double(step.replicas)});
    const std::string_view color = color_of(outcome.policy);
    replicas.lines.push_back({color, std::move(steps), true, true});
    lag.lines.push_back(
        {color, points(one, [](const Sample& s) { return static_cast<double>(s.lag); })});
    delay.lines.push_back({color, points(one, [](const Sample& s) { return s.delay_seconds; })});
  }
  out += draw(replicas) + draw(lag) + draw(delay);
}

Panel wide_panel(double y, Millis until, std::string title) {
  return {.x = kLeft,
          .y = y,
          .width = panel_width(1),
          .height = kWide,
          .until = until,
          .title = std::move(title)};
}

std::string costs(std::span<const Outcome> outcomes, const PictureText& text, double y) {
  Panel panel =
      wide_panel(y, longest(outcomes), text.price > 0 ? "cost so far" : "pod hours so far");
  for (const Outcome& outcome : outcomes) {
    const std::vector<double>& hours =
        text.price > 0 && text.price_of_nodes ? outcome.node_hours : outcome.pod_hours;
    Line line{color_of(outcome.policy), {}};
    for (size_t i = 0; i < hours.size(); ++i) {
      line.points.push_back({std::min(outcome.end, Millis{outcome.sample_every.value * int64_t(i)}),
                             hours[i] * (text.price > 0 ? text.price : 1)});
    }
    line.points.push_back({panel.until, line.points.back().value});
    panel.lines.push_back(std::move(line));
  }
  return draw(panel);
}

}  // namespace

double cost(const Outcome& outcome, double price, bool price_of_nodes) {
  const double hours = price_of_nodes ? outcome.node_hours_total() : outcome.pod_hours_total();
  return hours * (price > 0 ? price : 1);
}

std::string picture(std::span<const Outcome> outcomes, const Load& load, const PictureText& text) {
  const auto stages = static_cast<double>(outcomes.front().stages.size());
  const double height = kHeader + 2 * (kWide + kBelow) + stages * (kTall + kBelow);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "width=\"{0:.0f}\" height=\"{1:.0f}\">\n{2}",
      kWidth, height, kStyle);
  header(outcomes, text, out);
  double y = kHeader + 14;
  Panel arrivals = wide_panel(y, longest(outcomes), "load, records per second");
  Line line{kLoadColor, {}, true, true};
  for (const Load::Step& step : load.steps) line.points.push_back({step.at, step.per_second});
  line.points.push_back({load.end(), 0});
  arrivals.lines.push_back(std::move(line));
  out += draw(arrivals);
  y += kWide + kBelow;
  for (size_t stage = 0; stage < outcomes.front().stages.size(); ++stage, y += kTall + kBelow)
    row(outcomes, stage, y, out);
  return out + costs(outcomes, text, y) + "</svg>\n";
}

}  // namespace penstock::scale
