// read_text.h — a small text file, whole, for the reader of the pipeline file.
//
// Thread      a free function; blocks.
// Limits      nothing beyond limit_bytes is read.
// Errors      P001 none there or not readable, P002 a folder, P003 too large; without a place.
//
//     PENSTOCK_TRY(text, read_text("pipeline.yaml", 1 << 20));
#pragma once

#include "base/error.h"

#include <cstddef>
#include <string>

namespace penstock::app {

Result<std::string> read_text(const std::string& path, size_t limit_bytes);

}  // namespace penstock::app
