#include "app/load.h"
#include "app/open_log.h"
#include "app/read_text.h"
#include "app/simulation.h"
#include "app/verbs.h"
#include "base/clock.h"
#include "scale/chart.h"
#include "scale/need.h"
#include "scale/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

namespace penstock::app {
namespace {

constexpr size_t kTraceBytesMax = 64 << 20;

Result<scale::Load> load_of(const plan::Plan& plan, const Options& options) {
  const SimulationOptions& simulation = options.simulation;
  if (simulation.recorded == !simulation.load_file.empty()) {
    return fail("U001"_code, "there has to be one load")
        .cure("name a trace with --load FILE, or take that of the log with --recorded");
  }
  if (!simulation.recorded) {
    PENSTOCK_TRY(text, read_text(simulation.load_file, kTraceBytesMax));
    return scale::load_from_csv(text, simulation.load_file);
  }
  SystemClock clock;
  PENSTOCK_TRY(log, open_log(plan, data_folder(options), false, clock));
  return recorded_load(plan, *log);
}

std::string about(const scale::Load& load, const SimulationOptions& options) {
  double most = 0;
  for (const auto& step : load.steps) most = std::max(most, step.per_second);
  return fmt::format("{} records in {}, at most {} per second; a worker does {} per second",
                     scale::with_commas(std::llround(load.total(load.end()))),
                     scale::short_time(load.end()), scale::short_number(most), options.speed);
}

Result<void> write_picture(const std::string& path, const std::string& svg) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << svg;
  file.close();
  if (file) return {};
  return fail("U003"_code, fmt::format("cannot write {}", path));
}

}  // namespace

Result<int> simulate(const Options& options, ops::Output& output) {
  const auto plan = load(options, output);
  if (!plan) return plan.error();
  const SimulationOptions& simulation = options.simulation;
  PENSTOCK_TRY(model, model_of(**plan, simulation));
  PENSTOCK_TRY(load, load_of(**plan, options));
  std::vector<scale::Outcome> outcomes;
  for (const scale::Policy policy : {scale::Policy::lag, scale::Policy::need}) {
    if (simulation.scaling != "both" && simulation.scaling != scale::to_text(policy)) continue;
    outcomes.push_back(scale::simulate(model, load, policy));
  }
  if (!simulation.svg_file.empty()) {
    scale::PictureText text{fmt::format("{} on {}", (*plan)->pipeline, (*plan)->target),
                            about(load, simulation), simulation.price,
                            simulation.pods_per_node > 0};
    PENSTOCK_TRY_VOID(write_picture(simulation.svg_file, scale::picture(outcomes, load, text)));
  }
  if (simulation.output == "csv") {
    output.out(simulation_csv(outcomes));
  } else {
    output.out(print(simulation_report(**plan, simulation, outcomes),
                     simulation.output == "json" ? Format::json : Format::table));
  }
  return 0;
}

}  // namespace penstock::app
