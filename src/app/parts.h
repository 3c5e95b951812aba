// parts.h — every part that this program knows.
//
// parts() is the one explicit list: what can run, then what is planned. planned_parts() are the
// parts that the pipeline file may name already and that cannot run yet (built = false).
//
// Thread      static data.
// Errors      none here; running a part that is not built is U004.
//
//     plan::check(path, parts(), options);
#pragma once

#include "flow/part_spec.h"

#include <span>
#include <vector>

namespace penstock::app {

std::span<const flow::PartSpec> parts();
std::span<const flow::PartSpec> planned_parts();
// The step among them: window. It makes the shape of its result, and no running step.
std::vector<flow::PartSpec> planned_steps();

}  // namespace penstock::app
