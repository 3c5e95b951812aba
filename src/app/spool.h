// spool.h — standard input as a file, so that it has an identity and the owner of the data folder
// can read it.
//
// Lifetime    the temporary file is removed with the Spool.
// Errors      U003.
#pragma once

#include "base/error.h"

#include <string>
#include <vector>

namespace penstock::app {

class Spool {
 public:
  // Replaces "-" among `inputs` by the path of a temporary file with the content of standard input.
  static Result<Spool> standard_input(std::vector<std::string>& inputs);
  Spool() = default;
  Spool(Spool&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  Spool& operator=(Spool&&) = delete;
  ~Spool();

 private:
  std::string path_;
};

}  // namespace penstock::app
