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
#include <mutex>
#include <string>
#include <vector>

namespace penstock::app {

class Autoscale;
class Producing;

class Host {
 public:
  // Makes what is missing; owns the folder and listens there, where the log is in a folder. `scope`
  // as Instance has it.
  static Result<std::unique_ptr<Host>> open(std::shared_ptr<const plan::Plan> plan,
                                            const std::string& folder,
                                            const Instance::Scope& scope = {});
  ~Host();

  Result<void> run_stages(const ops::RunnerSpec& spec);
  // From now on as many workers as each stage needs; run_until() turns it.
  void scale_stages();
  Autoscale* autoscale() { return autoscale_.get(); }
  ops::Runner* runner() { return runner_.get(); }
  // Of the stages that run and of the producers; from any thread.
  std::vector<ops::WorkerSnapshot> workers() const;
  Instance& instance() { return *instance_; }
  const Clock& clock() const { return clock_; }

  // A verb of another terminal, or of this one: send, and the looking ones.
  Result<int> serve(const Options& options, ops::Output& output);
  // No file is being sent.
  bool quiet() const { return feeds_ == 0; }

 private:
  Host() = default;
  Result<int> produce_until_gone(const Options& options, ops::Output& output);
  void tell_producing(const Producing* producing);
  int handle(const std::string& request, ops::Output& output);

  SystemClock clock_;
  std::unique_ptr<Instance> instance_;
  std::unique_ptr<ops::Runner> runner_;
  std::atomic<const ops::Runner*> running_ = nullptr;  // runner_, for the socket's threads
  std::unique_ptr<Autoscale> autoscale_;               // uses runner_
  std::atomic<const Autoscale*> scaling_ = nullptr;
  std::atomic<int> feeds_ = 0;
  std::atomic<bool> producing_ = false;
  mutable std::mutex producing_mutex_;  // guards producing_now_
  const Producing* producing_now_ = nullptr;
  std::unique_ptr<ops::ControlServer> server_;  // first to go
};

}  // namespace penstock::app
