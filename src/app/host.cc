#include "app/host.h"

#include "app/autoscale.h"
#include "app/load.h"
#include "app/look.h"
#include "app/options_text.h"
#include "app/producing.h"
#include "app/run_loop.h"
#include "app/sending.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <utility>

namespace penstock::app {
namespace {
constexpr auto kTellEvery = std::chrono::seconds(1);
}  // namespace

Result<std::unique_ptr<Host>> Host::open(std::shared_ptr<const plan::Plan> plan,
                                         const std::string& folder, const Instance::Scope& scope) {
  std::unique_ptr<Host> host(new Host());
  PENSTOCK_TRY(instance,
               Instance::open(std::move(plan), folder, Instance::Access::own, host->clock_, scope));
  host->instance_ = std::move(instance);
  PENSTOCK_TRY_VOID(host->instance_->create_missing());
  if (!host->instance_->owns_folder()) return host;
  PENSTOCK_TRY(server,
               ops::ControlServer::open(
                   folder, [raw = host.get()](const std::string& request, ops::Output& output) {
                     return raw->handle(request, output);
                   }));
  host->server_ = std::move(server);
  return host;
}

Host::~Host() {
  server_.reset();
  autoscale_.reset();
  runner_.reset();
}

Result<void> Host::run_stages(const ops::RunnerSpec& spec) {
  PENSTOCK_TRY_VOID(instance_->open_tables());
  PENSTOCK_TRY(runner, ops::Runner::start(instance_->parts(), spec, clock_));
  runner_ = std::move(runner);
  running_ = runner_.get();
  return {};
}

void Host::scale_stages() {
  autoscale_ = std::make_unique<Autoscale>(*instance_, *runner_);
  scaling_ = autoscale_.get();
}

std::vector<ops::WorkerSnapshot> Host::workers() const {
  std::vector<ops::WorkerSnapshot> all;
  if (const ops::Runner* running = running_) all = running->workers();
  const std::lock_guard lock(producing_mutex_);
  if (producing_now_ != nullptr) {
    for (ops::WorkerSnapshot& one : producing_now_->workers()) all.push_back(std::move(one));
  }
  return all;
}

Result<int> Host::serve(const Options& options, ops::Output& output) {
  // The caller's file may be newer than the one that runs here: its names count for what it asks.
  Options asked = options;
  asked.data_dir = instance_->folder();
  const auto plan = load(asked, output);
  if (!plan) return plan.error();
  if (options.verb == "send") {
    ++feeds_;
    const Result<int> code = send_files(options, *plan, *instance_, clock_, output);
    --feeds_;
    return code;
  }
  if (options.verb == "produce") return produce_until_gone(options, output);
  const ops::Runner* running = running_;
  const Autoscale* scaling = scaling_;
  const Looked at{**plan,
                  instance_->log(),
                  instance_->schemas(),
                  instance_->store_of(),
                  running != nullptr || !quiet(),
                  running != nullptr ? running->workers() : std::vector<ops::WorkerSnapshot>(),
                  scaling != nullptr ? scaling->needs() : std::vector<StageNeed>()};
  return look(options, at, output);
}

Result<int> Host::produce_until_gone(const Options& options, ops::Output& output) {
  if (instance_->plan()->producers.empty()) {
    return fail("U002"_code, "the pipeline has no producers")
        .cure("declare one under producers:, or use penstock send");
  }
  if (producing_.exchange(true))
    return fail("U007"_code, "the producers of this pipeline run already");
  ++feeds_;
  Result<int> code = 0;
  const Result<void> opened = instance_->open_tables();
  auto producing = opened ? Producing::start(*instance_, clock_) : std::unexpected(opened.error());
  if (!producing) code = std::unexpected(producing.error());
  tell_producing(producing ? producing->get() : nullptr);
  while (code && !output.gone()) {
    std::this_thread::sleep_for(kTellEvery);
    if (const auto failure = (*producing)->failure()) code = std::unexpected(*failure);
    output.note(fmt::format("{} records produced\n", (*producing)->committed_records()));
  }
  if (producing) {
    const auto whole = drained((*producing)->drain({options.grace_millis}), options.grace_millis);
    if (code && !whole) code = std::unexpected(whole.error());
  }
  tell_producing(nullptr);
  --feeds_;
  producing_ = false;
  return code;
}

void Host::tell_producing(const Producing* producing) {
  const std::lock_guard lock(producing_mutex_);
  producing_now_ = producing;
}

int Host::handle(const std::string& request, ops::Output& output) {
  const auto options = options_from_text(request);
  if (!options) {
    output.note("penstock: the owner of the data folder is of another version; use the same one\n");
    return 69;
  }
  const Result<int> code = serve(*options, output);
  if (code) return *code;
  output.note(render(code.error()));
  return exit_code(code.error());
}

}  // namespace penstock::app
