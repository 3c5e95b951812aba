// simulation.h — from a plan and the command line to what src/scale simulates, and from its outcome
// to text.
//
// Thread      free functions.
// Errors      U001 (no figure where one has to be), U002 (a stage that is none).
//
//     PENSTOCK_TRY(model, model_of(plan, options.simulation));
//     const scale::Outcome lag = scale::simulate(model, load, scale::Policy::lag);
//     output.out(print(simulation_report(plan, simulation, {lag}), Format::table));
#pragma once

#include "app/options.h"
#include "app/report.h"
#include "base/error.h"
#include "flow/log.h"
#include "plan/plan.h"
#include "scale/load.h"
#include "scale/simulate.h"

#include <span>
#include <string>

namespace penstock::app {

Result<scale::Model> model_of(const plan::Plan& plan, const SimulationOptions& options);

// The rates at which the topics that nobody writes were filled, from their records' times; the
// first record is at 0.
Result<scale::Load> recorded_load(const plan::Plan& plan, flow::Log& log);

Report simulation_report(const plan::Plan& plan, const SimulationOptions& options,
                         std::span<const scale::Outcome> outcomes);
// A line per sample, stage and policy.
std::string simulation_csv(std::span<const scale::Outcome> outcomes);

}  // namespace penstock::app
