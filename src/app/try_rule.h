// try_rule.h — one rule on one record, by the way that records go through a stage.
//
// Thread      free functions.
// Errors      A… the schema or the record; R… the rule; V003 the rule's own failure on this record.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>

namespace penstock::app {

// The value of `rule` for `record_json` (plain JSON) of the schema, as plain JSON.
Result<std::string> try_rule(std::string_view rule, std::string_view schema_json,
                             std::string_view record_json);

}  // namespace penstock::app
