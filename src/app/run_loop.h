// run_loop.h — waits while the stages run: for a signal, for idleness, for a worker that can not go
// on.
//
// Thread      the main thread.
#pragma once

#include "app/host.h"
#include "base/error.h"
#include "ops/output.h"

namespace penstock::app {

struct RunUntil {
  bool until_idle = false;
  int64_t millis = 0;  // 0: no limit
  int64_t grace_millis = ops::kGraceMillis;
};
// Returns when the stages are drained. An error when a worker failed, or did not come to its end
// within the grace.
Result<void> run_until(Host& host, const RunUntil& until, ops::Output& output);
// What a drain came to: V006 when it was cut short.
Result<void> drained(bool whole, int64_t grace_millis);
// Waits for a signal, at most so long; true when a drain is asked for.
bool wait_for_signal(int64_t millis);

}  // namespace penstock::app
