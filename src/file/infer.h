// infer.h — what the values of a jsonl text are.
//
// Thread      free functions.
// Errors      F003 with the line.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace penstock::file {

struct InferredColumn {
  std::string name;
  std::string type;  // "boolean", "long", "double", "string"
  bool nullable = false;
};
// Columns in the order in which they first come.
Result<std::vector<InferredColumn>> infer_columns(std::string_view text, const std::string& name);

}  // namespace penstock::file
