// look.h — the verbs that look at a pipeline: status, lag, tail, dead, verify.
//
// They run in the process that owns the data folder (over the control socket), or in their own when
// nobody owns it.
//
// Thread      any; may block for milliseconds in the log and the stores. tail --follow goes on
// until output.gone().
#pragma once

#include "app/options.h"
#include "app/scaling.h"
#include "base/error.h"
#include "flow/log.h"
#include "inspect/lag.h"
#include "ops/output.h"
#include "ops/worker_thread.h"
#include "plan/plan.h"

#include <vector>

namespace penstock::app {

struct Looked {
  const plan::Plan& plan;
  flow::Log& log;
  flow::SchemaSource& schemas;
  inspect::StoreOf store_of;
  bool busy = false;                         // stages run, or a file is being sent
  std::vector<ops::WorkerSnapshot> workers;  // of the owner; none when no stage runs
  std::vector<StageNeed> needs;              // of an owner that scales itself
};

// True for the verbs of this file.
bool is_look(std::string_view verb);
// The exit code, or an error to be rendered by the caller.
Result<int> look(const Options& options, const Looked& at, ops::Output& output);

}  // namespace penstock::app
