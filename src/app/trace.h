// trace.h — one key through every topic to its rows.
//
// Thread      any; reads topics from their start, so it takes as long as their partitions are
// large.
#pragma once

#include "app/look.h"

namespace penstock::app {

// options.inputs holds the keys.
Result<int> trace(const Options& options, const Looked& at, ops::Output& output);

}  // namespace penstock::app
