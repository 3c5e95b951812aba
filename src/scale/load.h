// load.h — what comes in over time: the trace that a simulation is fed.
//
// A CSV of two columns, `seconds` (from the start, growing) and `records_per_second`; a rate holds
// until the next line, the last line ends the trace. Lines that begin with # are for people.
//
// Thread      values.
// Limits      1,000,000 lines, 366 days, 1e9 records per second.
// Errors      U011 with the line.
//
//     PENSTOCK_TRY(load, load_from_csv("seconds,records_per_second\n0,200\n600,0\n", "trace.csv"));
//     load.total({300'000});      // 60,000 records by then
#pragma once

#include "base/error.h"
#include "base/units.h"

#include <string>
#include <string_view>
#include <vector>

namespace penstock::scale {

struct Load {
  struct Step {
    Millis at;
    double per_second = 0;
  };
  std::vector<Step> steps;  // ascending; the first at 0

  Millis end() const { return steps.empty() ? Millis{0} : steps.back().at; }
  double rate(Millis at) const;   // 0 from the end on
  double total(Millis at) const;  // records that came before `at`
};

Result<Load> load_from_csv(std::string_view text, const std::string& file);

}  // namespace penstock::scale
