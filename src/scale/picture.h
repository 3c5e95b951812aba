// picture.h — simulations side by side, as one SVG: the load, each stage's replicas, lag and delay,
// and what it costs.
//
// Thread      free functions.
// Limits      one picture for one to two outcomes of the same model and load.
//
//     const std::string svg = picture({lag, need}, load, {.title = "article on prod"});
#pragma once

#include "scale/load.h"
#include "scale/simulate.h"

#include <span>
#include <string>

namespace penstock::scale {

struct PictureText {
  std::string title;
  std::string subtitle;
  double price = 0;  // of an hour of a node (where there are nodes) or a pod; 0: no cost
  bool price_of_nodes = false;
};

// What an outcome costs; hours, where no price was given.
double cost(const Outcome& outcome, double price, bool price_of_nodes);

std::string picture(std::span<const Outcome> outcomes, const Load& load, const PictureText& text);

}  // namespace penstock::scale
