// tail.h — the newest records of topics and rows of stores, and on from there.
//
// Thread      any; with --follow until output.gone().
#pragma once

#include "app/look.h"

namespace penstock::app {

Result<int> tail(const Options& options, const Looked& at, ops::Output& output);

}  // namespace penstock::app
