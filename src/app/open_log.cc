#include "app/open_log.h"

#include "log/embedded/embedded_log.h"
#include "log/kafka/kafka_log.h"
#include "log/kafka/msk.h"
#include "log/kafka/part.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>
#include <vector>

namespace penstock::app {
namespace {

Result<std::unique_ptr<flow::Log>> open_embedded(const std::string& folder, bool own,
                                                 const Clock& clock) {
  std::error_code error;
  if (own && !std::filesystem::create_directories(folder + "/log", error) && error) {
    return fail("L001"_code, fmt::format("cannot make {}: {}", folder, error.message()));
  }
  log::EmbeddedOptions options;
  options.folder = folder + "/log";
  options.read_only = !own;
  options.socket_path = folder + "/control.sock";
  options.clock = own ? &clock : nullptr;
  return log::open_embedded_log(options);
}

Result<std::unique_ptr<flow::Log>> open_kafka(const plan::Plan& plan) {
  const auto read =
      plan.log.part == "msk" ? &log::kafka::msk_settings_of : &log::kafka::settings_of;
  PENSTOCK_TRY(settings, read(*plan.log.config, plan.pipeline, file::read_secret));
  PENSTOCK_TRY(log, log::kafka::KafkaLog::open(std::move(settings)));
  // A cluster is shared: the log tells of what this pipeline names.
  std::vector<flow::SourceSpec> named;
  for (const plan::Stage& stage : plan.stages) named.push_back({stage.group, stage.from, {}});
  named.push_back({});
  for (const plan::Topic& topic : plan.topics) named.back().topics.push_back(topic.name);
  log->declare_groups(named);
  return std::move(log);
}

}  // namespace

Result<std::unique_ptr<flow::Log>> open_log(const plan::Plan& plan, const std::string& folder,
                                            bool own, const Clock& clock) {
  if (plan.log.part == "embedded") return open_embedded(folder, own, clock);
  if (plan.log.part == "kafka" || plan.log.part == "msk") return open_kafka(plan);
  return fail("U004"_code,
              fmt::format("target \"{}\" has the log \"{}\", which this version cannot run",
                          plan.target, plan.log.part));
}

}  // namespace penstock::app
