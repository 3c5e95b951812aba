// output.h — where a verb writes: the terminal, or over the control socket to another process's
// terminal.
//
// Thread      one owner, the thread that runs the verb.
#pragma once

#include <string_view>

namespace penstock::ops {

class Output {
 public:
  virtual ~Output() = default;
  virtual void out(std::string_view text) = 0;   // data: standard output
  virtual void note(std::string_view text) = 0;  // all else: standard error
  // True when nobody listens any more: a long verb stops at the next good moment.
  virtual bool gone() = 0;
};

}  // namespace penstock::ops
