// verbs.h — the verbs, one function each: options in, exit code out.
//
// Thread      the main thread. A Result that is an error is rendered by main() and decides the exit
// code.
#pragma once

#include "app/options.h"
#include "base/error.h"
#include "ops/output.h"

namespace penstock::app {

// verb_file.cc: verbs that need the pipeline file only
Result<int> check(const Options& options, ops::Output& output);
Result<int> plan_verb(const Options& options, ops::Output& output);
Result<int> explain(const Options& options, ops::Output& output);
Result<int> schema(const Options& options, ops::Output& output);
Result<int> targets(const Options& options, ops::Output& output);
// completion.cc
Result<int> completion(const Options& options, ops::Output& output);
// verb_reference.cc
Result<int> reference(const Options& options, ops::Output& output);
// verb_schema.cc
Result<int> schema_check(const Options& options, ops::Output& output);
// verb_bundle.cc
Result<int> bundle_verb(const Options& options, ops::Output& output);
// verb_init.cc
Result<int> init(const Options& options, ops::Output& output);
// verb_cases.cc
Result<int> test(const Options& options, ops::Output& output);
// verb_try.cc
Result<int> eval(const Options& options, ops::Output& output);
Result<int> avro_decode(const Options& options, ops::Output& output);
Result<int> avro_encode(const Options& options, ops::Output& output);
// verb_run.cc
Result<int> run(const Options& options, ops::Output& output);
Result<int> send(const Options& options, ops::Output& output);
Result<int> produce(const Options& options, ops::Output& output);
Result<int> apply(const Options& options, ops::Output& output);
Result<int> look_verb(const Options& options, ops::Output& output);
// verb_scaler.cc
Result<int> scaler(const Options& options, ops::Output& output);
// verb_simulate.cc
Result<int> simulate(const Options& options, ops::Output& output);
// verb_demo.cc
Result<int> demo(const Options& options, ops::Output& output);

}  // namespace penstock::app
