// sending.h — files into a topic, exactly once per file.
//
// A file's identity is the SHA-256 of its content; its rows are positions of the group
// <pipeline>.send.<topic>.<sha>, committed with the epochs that carry them. So a killed send goes
// on where it was, and a file that was sent whole is refused.
//
// Thread      any; returns when all files are in, or when output.gone() (then with what was
// committed).
// Errors      U002 unknown topic, U006 already sent, F… the file and its rows.
#pragma once

#include "app/instance.h"
#include "app/options.h"
#include "base/clock.h"
#include "base/error.h"
#include "ops/output.h"
#include "plan/plan.h"

namespace penstock::app {

Result<int> send_files(const Options& options, const std::shared_ptr<const plan::Plan>& plan,
                       Instance& instance, const Clock& clock, ops::Output& output);

}  // namespace penstock::app
