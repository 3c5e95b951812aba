// store_tables.h — for `plan`: the tables of stores in a database, as they would be made, and what
// is there instead.
//
// Thread      one; waits for the databases, ten seconds each at most.
#pragma once

#include "base/clock.h"
#include "plan/plan.h"

#include <string>

namespace penstock::app {

// "" for a plan without such stores. What can not be asked is said in the text.
std::string describe_tables(const plan::Plan& plan, const Clock& clock);

}  // namespace penstock::app
