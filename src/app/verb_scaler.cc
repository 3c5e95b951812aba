#include "app/load.h"
#include "app/open_log.h"
#include "app/run_loop.h"
#include "app/scaler_answers.h"
#include "app/scaling.h"
#include "app/verbs.h"
#include "base/clock.h"
#include "ops/http_server.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>

namespace penstock::app {
namespace {

// Says once what has changed: of the answers, and of the log.
class Story {
 public:
  void tell(const Scaling& scaling, ops::Output& output) {
    const Scaling::Looks looks = scaling.looks();
    const std::string trouble = looks.error ? one_line(*looks.error) : "";
    if (trouble != trouble_) {
      output.note(trouble.empty() ? "the log tells again\n"
                                  : fmt::format("the answers stay as they are: {}\n", trouble));
      trouble_ = trouble;
    }
    for (const StageNeed& stage : scaling.stages()) {
      if (!stage.decision) continue;
      const auto [at, is_new] = told_.try_emplace(stage.stage, stage.decision->replicas);
      if (!is_new && at->second == stage.decision->replicas) continue;
      at->second = stage.decision->replicas;
      output.note(fmt::format("{}: {}\n", stage.stage, stage.decision->reason));
    }
  }

 private:
  std::map<std::string, int32_t> told_;
  std::string trouble_;
};

}  // namespace

Result<int> scaler(const Options& options, ops::Output& output) {
  const auto plan = load(options, output);
  if (!plan) return plan.error();
  if ((*plan)->log.part == "embedded") {
    return fail("U001"_code, fmt::format("target \"{}\" keeps its log in a folder, which one "
                                         "process owns",
                                         (*plan)->target))
        .cure("name a target on Kafka with -t; on one machine, penstock run --autoscale");
  }
  SystemClock clock;
  Scaling scaling(**plan, {.catch_up_millis = options.catch_up_millis});
  PENSTOCK_TRY(server, ops::HttpServer::open(options.listen, [&scaling](std::string_view path) {
                 return scaler_answer(scaling, path);
               }));
  output.note(fmt::format("health and metrics on port {}\n", server->port()));
  Story story;
  std::unique_ptr<flow::Log> log;
  do {
    if (log == nullptr) {  // it answers, and says why it knows nothing, also without a broker
      auto opened = open_log(**plan, data_folder(options), false, clock);
      if (!opened && catalogue_entry(opened.error().code).cls != ErrorClass::unreachable)
        return std::unexpected(opened.error());
      if (opened) log = std::move(*opened);
      if (!opened) scaling.failed(opened.error());
    }
    if (log != nullptr) scaling.look(*log, clock.now());
    story.tell(scaling, output);
  } while (!wait_for_signal(options.every_millis));
  return 0;
}

}  // namespace penstock::app
