// terminal.h — this process's standard output and error, and its signals.
//
// The first SIGINT or SIGTERM asks for a drain; the second SIGINT ends the process at once with
// 130.
//
// Thread      one Terminal per process, made in main().
#pragma once

#include "base/error.h"
#include "ops/output.h"

#include <string_view>

namespace penstock::app {

class Terminal final : public ops::Output {
 public:
  Terminal();
  void out(std::string_view text) override;
  void note(std::string_view text) override;
  // Standard output is closed (a pipe's reader left), or a drain was asked for.
  bool gone() override;

  // An error when standard output could not take everything (a full disk), unless its reader left.
  Result<void> end() const;

  static bool is_terminal();  // standard error is one
  static bool output_is_terminal();
  static bool drain_requested();   // a first SIGINT or SIGTERM came
  static int signal_descriptor();  // becomes readable then
};

}  // namespace penstock::app
