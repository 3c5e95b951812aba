// host.h — the process that owns a data folder: its instance, the stages it runs, the files it
// sends, and the other terminals that it answers.
//
// Thread      start() and the destructor from one thread; handle() from the control socket's
// threads.
// Errors      L002 when somebody else owns the folder.
#pragma once

#include "app/instance.h"
#include "app/options.h"
#include "base/clock.h"
#include "ops/control.h"
#include "ops/output.h"
#include "ops/runner.h"

#include <atomic>
#include <memory>
#include <string>

namespace penstock::app {

class Host {
 public:
  // Owns the folder, makes what is missing, and listens.
  static Result<std::unique_ptr<Host>> open(std::shared_ptr<const plan::Plan> plan,
                                            const std::string& folder);
  ~Host();

  Result<void> run_stages(const std::string& stage, int workers);
  ops::Runner* runner() { return runner_.get(); }
  Instance& instance() { return *instance_; }
  const Clock& clock() const { return clock_; }

  // A verb of another terminal, or of this one: send, and the looking ones.
  Result<int> serve(const Options& options, ops::Output& output);
  // No file is being sent.
  bool quiet() const { return feeds_ == 0; }

 private:
  Host() = default;
  Result<int> produce_until_gone(ops::Output& output);
  int handle(const std::string& request, ops::Output& output);

  SystemClock clock_;
  std::unique_ptr<Instance> instance_;
  std::unique_ptr<ops::Runner> runner_;
  std::atomic<int> feeds_ = 0;
  std::atomic<bool> producing_ = false;
  std::unique_ptr<ops::ControlServer> server_;  // first to go
};

}  // namespace penstock::app
