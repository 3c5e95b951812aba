// paced_source.h — a source slowed down to so many records per second.
//
// Thread      that of the source it wraps.
// Lifetime    owns the wrapped source. The waker outlives it; while it holds records back it
// reports Idle and the
//             worker comes again by itself (its idle deadline).
#pragma once

#include "base/clock.h"
#include "flow/log.h"

#include <memory>

namespace penstock::ops {

// `records_per_second` > 0. A burst is at most a tenth of a second's worth, and at least one
// record.
std::unique_ptr<flow::Source> pace(std::unique_ptr<flow::Source> source, double records_per_second,
                                   const Clock& clock);

}  // namespace penstock::ops
