#include "app/endpoints.h"
#include "app/host.h"
#include "app/load.h"
#include "app/look.h"
#include "app/options_text.h"
#include "app/producing.h"
#include "app/run_loop.h"
#include "app/sending.h"
#include "app/spool.h"
#include "app/tail_avro.h"
#include "app/terminal.h"
#include "app/verbs.h"
#include "base/suggest.h"
#include "inspect/dead.h"

#include <fmt/format.h>

#include <poll.h>

#include <chrono>
#include <thread>
#include <utility>

namespace penstock::app {
namespace {

using PlanPtr = std::shared_ptr<const plan::Plan>;

constexpr auto kOwnerAgain = std::chrono::milliseconds(50);
constexpr int kOwnerTries = 200;  // ten seconds: an owner that starts or stops is waited for

bool is_code(const Error& error, Code code) { return error.code == code; }

// Runs `own` in this process if the folder is free, else asks its owner to run the verb.
template <class Own>
Result<int> here_or_at_owner(const Options& options, const std::string& folder, ops::Output& output,
                             Own own) {
  for (int tries = 1;; ++tries) {
    Result<int> code = own();
    if (code || !is_code(code.error(), "L002"_code)) return code;
    code = ops::ask_owner(folder, options_to_text(options), output);
    if (code || !is_code(code.error(), "C001"_code) || tries == kOwnerTries || output.gone())
      return code;
    std::this_thread::sleep_for(kOwnerAgain);
  }
}

Result<void> knows_stage(const plan::Plan& plan, const std::string& stage) {
  if (stage.empty() || plan.stage(stage) != nullptr) return {};
  std::vector<std::string_view> names;
  for (const plan::Stage& one : plan.stages) names.push_back(one.name);
  return fail("U002"_code, fmt::format("the pipeline has no stage \"{}\"", stage))
      .hint(did_you_mean(stage, names));
}

Result<bool> has_dead_letters(const plan::Plan& plan, flow::Log& log) {
  PENSTOCK_TRY(letters, inspect::dead_letters(plan, log, "", 0));
  for (const auto& one : letters) {
    if (one.distinct > 0) return true;
  }
  return false;
}

}  // namespace

Result<int> run(const Options& options, ops::Output& output) {
  const auto plan = load(options, output, true);
  if (!plan) return plan.error();
  PENSTOCK_TRY_VOID(knows_stage(**plan, options.stage));
  const std::string folder = data_folder(options);
  PENSTOCK_TRY(host, Host::open(*plan, folder, {.stage = options.stage}));
  PENSTOCK_TRY_VOID(
      host->run_stages({.stage = options.stage,
                        .workers = options.workers,
                        .at_min = options.autoscale,
                        .records_per_second = static_cast<uint64_t>(options.rate_per_second)}));
  if (options.autoscale) host->scale_stages();
  PENSTOCK_TRY(endpoints, open_endpoints(options.listen, *host, output));
  const std::unique_ptr<ops::HttpServer> server = std::move(endpoints);
  output.note(fmt::format("penstock: {} runs on target {}{}; Ctrl-C drains\n", (*plan)->pipeline,
                          (*plan)->target,
                          host->instance().owns_folder() ? ", data in " + folder : ""));
  PENSTOCK_TRY_VOID(run_until(
      *host, {.until_idle = options.until_idle, .grace_millis = options.grace_millis}, output));
  if (!options.fail_on_dead) return 0;
  PENSTOCK_TRY(dead, has_dead_letters(**plan, host->instance().log()));
  return dead ? 1 : 0;
}

Result<int> send(const Options& given, ops::Output& output) {
  const auto plan = load(given, output);
  if (!plan) return plan.error();
  const std::string folder = data_folder(given);
  Options options = given;
  const Result<Spool> spool = Spool::standard_input(options.inputs);
  if (!spool) return std::unexpected(spool.error());
  return here_or_at_owner(options, folder, output, [&]() -> Result<int> {
    PENSTOCK_TRY(host, Host::open(*plan, folder));
    const Result<int> code = host->serve(options, output);
    while (!host->quiet() && !output.gone())
      std::this_thread::sleep_for(kOwnerAgain);  // others send through us
    return code;
  });
}

Result<int> produce(const Options& options, ops::Output& output) {
  const auto plan = load(options, output);
  if (!plan) return plan.error();
  const std::string folder = data_folder(options);
  return here_or_at_owner(options, folder, output, [&]() -> Result<int> {
    PENSTOCK_TRY(host, Host::open(*plan, folder, {.stage = {}, .producers_only = true}));
    PENSTOCK_TRY(endpoints, open_endpoints(options.listen, *host, output));
    const std::unique_ptr<ops::HttpServer> server = std::move(endpoints);
    return host->serve(options, output);
  });
}

Result<int> apply(const Options& options, ops::Output& output) {
  const auto plan = load(options, output, true);
  if (!plan) return plan.error();
  const std::string folder = data_folder(options);
  SystemClock clock;
  PENSTOCK_TRY(instance, Instance::open(*plan, folder, Instance::Access::own, clock));
  PENSTOCK_TRY(made, instance->create_missing());
  for (const std::string& line : made) output.out(line + "\n");
  output.out(fmt::format("{}: everything is there\n", (*plan)->pipeline));
  return 0;
}

Result<int> look_verb(const Options& options, ops::Output& output) {
  if (options.format == Format::avro) PENSTOCK_TRY_VOID(check_tail_avro(options));
  const auto plan = load(options, output);
  if (!plan) return plan.error();
  const std::string folder = data_folder(options);
  SystemClock clock;
  return here_or_at_owner(options, folder, output, [&]() -> Result<int> {
    PENSTOCK_TRY(instance, Instance::open(*plan, folder, Instance::Access::look, clock));
    return look(options,
                {**plan, instance->log(), instance->schemas(), instance->store_of(), false, {}, {}},
                output);
  });
}

}  // namespace penstock::app
