// chart.h — one panel of a picture in SVG: axes with round numbers, areas and lines over time.
//
// Thread      free functions.
// Limits      a line is thinned to two points per unit of width, the largest values staying.
//
//     Panel panel{.x = 60, .y = 40, .width = 360, .height = 120, .until = outcome.end,
//                 .title = "Lag"};
//     panel.lines = {{"#2563eb", points}};
//     svg += draw(panel);
#pragma once

#include "base/units.h"

#include <string>
#include <string_view>
#include <vector>

namespace penstock::scale {

struct Point {
  Millis at;
  double value = 0;
};

struct Line {
  std::string_view color;
  std::vector<Point> points;
  bool steps = false;  // a value holds until the next point
  bool filled = false;
};

struct Panel {
  double x = 0, y = 0, width = 0, height = 0;  // of the plot, without titles and ticks
  Millis until;
  std::string title = {};
  bool times = true;  // the axis of time has its labels
  std::vector<Line> lines = {};
};

std::string draw(const Panel& panel);

// "1.2k", "35", "0.5", "4M".
std::string short_number(double value);
// "45 s", "30 min", "2 h", "1.5 d".
std::string short_time(Millis at);
// For text and attributes of SVG.
std::string escaped(std::string_view text);

}  // namespace penstock::scale
