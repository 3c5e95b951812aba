// templates.h — the pipelines that come with the program.
//
// Thread      free functions.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace penstock::app {

std::vector<std::string_view> template_names();
// Writes the files of the template into `folder`, which is made; files that are there are
// overwritten.
Result<void> write_template(std::string_view name, const std::string& folder);

}  // namespace penstock::app
