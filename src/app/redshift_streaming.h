// redshift_streaming.h — for `plan --redshift-streaming`: the DDL by which Redshift itself reads
// the topics that the pipeline writes, and what that can not do.
//
// Thread      any.
// Errors      none: a log that Redshift can not read is said in the text.
#pragma once

#include "plan/plan.h"

#include <string>

namespace penstock::app {

// Statements, each ended by ";", and lines that begin with "-- ".
std::string redshift_streaming(const plan::Plan& plan);

}  // namespace penstock::app
