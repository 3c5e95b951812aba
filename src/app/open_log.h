// open_log.h — the log that a target names, opened.
//
// Errors      L….
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "flow/log.h"
#include "plan/plan.h"

#include <memory>
#include <string>

namespace penstock::app {

// `folder`: the data folder, of the embedded log; `own`: to write. The clock outlives the log.
Result<std::unique_ptr<flow::Log>> open_log(const plan::Plan& plan, const std::string& folder,
                                            bool own, const Clock& clock);

}  // namespace penstock::app
