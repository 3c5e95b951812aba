// case_runner.h — one test of a pipeline file: records in, one stage's steps, what must come out.
//
// The stage's real chain runs in memory, without a log or a store. An expected record names some
// fields; it matches a record in which these have these values (compared as Avro values of the
// field's type). Order does not matter; the number of records does.
//
// Thread      any.
#pragma once

#include "base/error.h"
#include "plan/plan.h"

#include <memory>
#include <string>
#include <vector>

namespace penstock::app {

struct CaseResult {
  bool passed = false;
  std::vector<std::string> differences;  // for people, one line each
};

// An Error when the case itself is wrong (a record that does not fit the schema).
Result<CaseResult> run_case(const std::shared_ptr<const plan::Plan>& plan, const plan::Case& test);

}  // namespace penstock::app
