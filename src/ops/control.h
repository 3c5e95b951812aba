// control.h — how a second process works on a data folder that somebody owns: the owner runs the
// verb for it.
//
// The owner listens on the Unix socket `control.sock` in the data folder (mode 0600). A client
// sends one request, gets pieces of output, and an exit code. Frames: one byte of kind ('q'
// request, 'o' out, 'e' note, 'x' exit code), the length as 4 bytes little-endian, the bytes.
//
// Thread      the server has a thread of its own and one per request; the handler runs on the
// latter.
// Limits      a request ≤ 1 MiB, a piece of output ≤ 1 MiB; 32 requests at once, further
// ones are told to come back.
// Errors      C001 when the owner does not answer.
#pragma once

#include "base/error.h"
#include "ops/output.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace penstock::ops {

class ControlServer {
 public:
  using Handler = std::function<int(const std::string& request, Output& output)>;  // -> exit code
  static Result<std::unique_ptr<ControlServer>> open(const std::string& folder, Handler handler);
  // Tells running handlers that their clients are gone, and waits for them.
  virtual ~ControlServer() = default;
};

// Sends `request` to the owner of `folder` and passes on what it prints. The result is the exit
// code.
Result<int> ask_owner(const std::string& folder, std::string_view request, Output& output);

}  // namespace penstock::ops
