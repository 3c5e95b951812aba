// surroundings.h — the variables and files that AWS's settings lie in, as a parameter.
//
// Thread      both functions from any thread.
// Limits      a file of at most 256 KiB.
//
//     const Surroundings here = machine();
//     if (auto region = here.variable("AWS_REGION")) …
#pragma once

#include "base/error.h"

#include <functional>
#include <optional>
#include <string>

namespace penstock::aws {

struct Surroundings {
  // An empty variable is as good as none.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  // W002, which names the path, not what lies there.
  std::function<Result<std::string>(const std::string& path)> read;
  // "" when there is no home folder.
  std::string home;
};

// Those of this process.
Surroundings machine();

}  // namespace penstock::aws
