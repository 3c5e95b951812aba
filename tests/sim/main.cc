// sim: runs seeds of the simulator and reports what was covered.
//
//     sim --seeds 3000 [--first 1]      exit 1 with the first seed that violates the law
//     sim --seed 17 --trace             that run again, told step by step
#include "world.h"

#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <string_view>

namespace penstock::sim {
namespace {

struct Options {
  uint64_t first = 1;
  uint64_t seeds = 3000;
  uint64_t pairs_min = 50;  // each (fault, point) must have struck so often
  bool trace = false;
};

struct Totals {
  uint64_t faults = 0, bites = 0, records = 0, repeated = 0, bites_least = UINT64_MAX;
};

bool check_coverage(const Coverage& coverage, uint64_t least) {
  bool enough = true;
  for (size_t f = 1; f < kFaults; ++f) {
    for (size_t p = 0; p < kPoints; ++p) {
      if (!applies(static_cast<Fault>(f), static_cast<Point>(p))) continue;
      const uint64_t count = coverage.counts[f][p];
      fmt::print("  {:12} at {:8} {:6}\n", kFaultNames[f], kPointNames[p], count);
      enough &= count >= least;
    }
  }
  return enough;
}

int run(const Options& options) {
  Coverage coverage;
  Totals totals;
  const auto started = std::chrono::steady_clock::now();
  for (uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    Settings settings;
    settings.seed = seed;
    settings.trace = options.trace;
    World world(settings, coverage);
    const auto violations = world.run();
    totals.faults += world.faults();
    totals.bites += world.bites();
    totals.records += world.fed();
    totals.repeated += world.repeated();
    totals.bites_least = std::min(totals.bites_least, world.bites());
    if (violations.empty()) continue;
    fmt::print("seed {} violates the law ({} violations):\n", seed, violations.size());
    for (const std::string& violation : violations) fmt::print("  {}\n", violation);
    fmt::print("replay: sim --seed {} --trace\n", seed);
    return 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  const bool enough = check_coverage(coverage, options.pairs_min);
  fmt::print(
      "{} seeds, 0 violations: {} records, {} sent again, {} faults, {} bit, at least {} in a "
      "seed; "
      "{:.1f} s\n",
      options.seeds, totals.records, totals.repeated, totals.faults, totals.bites,
      totals.bites_least, took.count());
  if (totals.bites_least < 3) fmt::print("a seed had fewer than 3 faults that bit\n");
  if (!enough) fmt::print("a fault struck at a point fewer than {} times\n", options.pairs_min);
  return enough && totals.bites_least >= 3 ? 0 : 1;
}

}  // namespace
}  // namespace penstock::sim

int main(int argc, char** argv) {
  penstock::sim::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    const auto number = [&] { return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0; };
    if (flag == "--seeds")
      options.seeds = number();
    else if (flag == "--first")
      options.first = number();
    else if (flag == "--pairs")
      options.pairs_min = number();
    else if (flag == "--trace")
      options.trace = true;
    else if (flag == "--seed") {
      options.first = number();
      options.seeds = 1;
      options.pairs_min = 0;
    } else {
      fmt::print(stderr, "usage: sim [--seeds N] [--first N] [--pairs N] | --seed N [--trace]\n");
      return 64;
    }
  }
  return penstock::sim::run(options);
}
