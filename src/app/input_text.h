// input_text.h — a file named on the command line, or standard input, as text.
//
// Limits      256 MiB.
// Errors      U003.
#pragma once

#include "avro/framing.h"
#include "base/error.h"

#include <string>

namespace penstock::app {

// The whole content of the file; "-" is standard input.
Result<std::string> read_input(const std::string& path);
// "single-object" or "bare".
avro::Framing framing_of(const std::string& name);

}  // namespace penstock::app
