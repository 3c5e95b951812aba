// store_settings.h — for `check`: whether the settings of each store go together, as far as that
// can be said without its server and without its secrets.
//
// Thread      one; waits for nothing.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "plan/plan.h"

#include <vector>

namespace penstock::app {

// Each with its place in the file.
std::vector<Error> store_objections(const plan::Plan& plan, const Clock& clock);

}  // namespace penstock::app
