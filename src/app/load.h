// load.h — from FILE and --target on the command line to a checked plan.
//
// Thread      free functions.
// Errors      those of the file are printed to `output` as they are found; the result is then only
// the exit code.
#pragma once

#include "app/options.h"
#include "ops/output.h"
#include "plan/plan.h"

#include <expected>
#include <memory>
#include <string>

namespace penstock::app {

// FILE as given: a folder means the pipeline.yaml in it.
std::string pipeline_path(const std::string& given);
// Reads, checks and lints; prints errors (and warnings, where `warnings`) to output.note().
std::expected<std::shared_ptr<const plan::Plan>, int> load(const std::string& file,
                                                           const std::string& target,
                                                           ops::Output& output,
                                                           bool warnings = false);
// The data folder of a plan: --data, else `.penstock` beside the file. Absolute.
std::string data_folder(const Options& options, const plan::Plan& plan);

plan::CheckOptions check_options(const std::string& target);

}  // namespace penstock::app
