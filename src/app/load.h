// load.h — from FILE and --target on the command line to a checked plan.
//
// FILE is a pipeline file, a folder with one, or a bundle: its files are written into the data
// folder, and its target is the one that runs.
//
// Thread      free functions; processes may unpack one bundle at the same time.
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
std::expected<std::shared_ptr<const plan::Plan>, int> load(const Options& options,
                                                           ops::Output& output,
                                                           bool warnings = false);
// The data folder: --data, else `.penstock` beside FILE. Absolute.
std::string data_folder(const Options& options);

// What there is to check: FILE and target as given, or those of the bundle that FILE is.
struct Pipeline {
  std::string file, target;
};
Result<Pipeline> pipeline_of(const Options& options);
plan::CheckOptions check_options(const std::string& target);

}  // namespace penstock::app
