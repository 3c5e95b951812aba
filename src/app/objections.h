// objections.h — for `check`: whether the settings of the target's log, registries and stores go
// together, and whether its stores can hold the records: as far as that can be said without a
// server and without secrets.
//
// Thread      one; waits for nothing.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "plan/plan.h"

#include <vector>

namespace penstock::app {

// Each with its place in the file.
std::vector<Error> objections(const plan::Plan& plan, const Clock& clock);

}  // namespace penstock::app
