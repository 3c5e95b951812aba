#include "app/scaler_answers.h"

#include "app/report.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <functional>
#include <iterator>
#include <string>
#include <utility>

namespace penstock::app {
namespace {

constexpr std::string_view kStages = "/v1/stages";

ops::HttpAnswer json(const Value& value) {
  return {200, "application/json", to_json(value) + "\n"};
}
ops::HttpAnswer text(unsigned status, std::string body) {
  return {status, "text/plain; charset=utf-8", std::move(body)};
}

Value tree(const StageNeed& stage, bool stale) {
  const scale::Estimate& now = stage.estimate;
  return Value::Object{
      {"stage", stage.stage},
      {"replicas", static_cast<int64_t>(stage.decision->replicas)},
      {"rate_per_second", now.rate_per_second},
      {"backlog", now.backlog},
      {"lag", now.lag},
      {"speed_per_worker", now.speed_per_worker ? Value(*now.speed_per_worker) : Value()},
      {"workers", now.workers ? Value(static_cast<int64_t>(*now.workers)) : Value()},
      {"stale", stale},
      {"reason", stage.decision->reason}};
}

ops::HttpAnswer one_stage(const Scaling& scaling, std::string_view id) {
  const auto stage = scaling.stage(id);
  if (!stage) return text(404, fmt::format("no stage \"{}\"\n", id));
  // A wrong 0 would stop a stage that has work; KEDA leaves alone what it gets no answer for.
  if (!stage->decision) return text(503, "nothing is known of this stage yet\n");
  return json(tree(*stage, scaling.looks().error.has_value()));
}

ops::HttpAnswer all_stages(const Scaling& scaling) {
  const bool stale = scaling.looks().error.has_value();
  Value::Array all;
  for (const StageNeed& stage : scaling.stages()) {
    if (stage.decision) all.push_back(tree(stage, stale));
  }
  return json(Value::Object{{"stages", std::move(all)}});
}

ops::HttpAnswer ready(const Scaling::Looks& looks) {
  if (!looks.last_good && !looks.error) return text(503, "the log was not looked at yet\n");
  if (looks.error) return text(503, one_line(*looks.error) + "\n");
  return text(200, "ok\n");
}

void head(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
  fmt::format_to(std::back_inserter(out), "# HELP penstock_{0} {1}\n# TYPE penstock_{0} {2}\n",
                 name, help, type);
}

std::string metrics(const Scaling& scaling) {
  struct Gauge {
    std::string_view name, help;
    std::function<std::optional<double>(const StageNeed&)> of;
  };
  const Gauge gauges[] = {
      {"stage_workers_needed", "Workers that the stage needs.",
       [](const StageNeed& one) { return one.decision->replicas; }},
      {"stage_workers", "Members of the stage's group, as many as have partitions.",
       [](const StageNeed& one) { return one.estimate.workers; }},
      {"stage_input_records_per_second", "What comes in.",
       [](const StageNeed& one) { return one.estimate.rate_per_second; }},
      {"stage_backlog_records", "What waits, without what is only not committed yet.",
       [](const StageNeed& one) { return static_cast<double>(one.estimate.backlog); }},
      {"stage_worker_records_per_second", "What one worker gets done while more waits.",
       [](const StageNeed& one) { return one.estimate.speed_per_worker; }},
  };
  const std::vector<StageNeed> stages = scaling.stages();
  std::string out;
  for (const Gauge& gauge : gauges) {
    head(out, gauge.name, gauge.help, "gauge");
    for (const StageNeed& stage : stages) {
      const auto value = stage.decision ? gauge.of(stage) : std::nullopt;
      if (!value) continue;
      std::string label, number;
      append_json_string(stage.stage, label);
      append_json_number(*value, number);
      fmt::format_to(std::back_inserter(out), "penstock_{}{{stage={}}} {}\n", gauge.name, label,
                     number);
    }
  }
  const Scaling::Looks looks = scaling.looks();
  head(out, "log_looks_total", "Looks at the log.", "counter");
  fmt::format_to(std::back_inserter(out), "penstock_log_looks_total {}\n", looks.count);
  head(out, "log_looks_failed_total", "Looks at the log that failed.", "counter");
  fmt::format_to(std::back_inserter(out), "penstock_log_looks_failed_total {}\n", looks.failed);
  return out;
}

}  // namespace

ops::HttpAnswer scaler_answer(const Scaling& scaling, std::string_view path) {
  if (path == "/livez") return text(200, "ok\n");
  if (path == "/readyz") return ready(scaling.looks());
  if (path == "/metrics") {
    return {200, "text/plain; version=0.0.4; charset=utf-8", metrics(scaling)};
  }
  if (path == kStages) return all_stages(scaling);
  if (path.starts_with(kStages) && path.size() > kStages.size() + 1 &&
      path[kStages.size()] == '/') {
    return one_stage(scaling, path.substr(kStages.size() + 1));
  }
  return text(404, "/v1/stages, /v1/stages/ID, /livez, /readyz or /metrics\n");
}

}  // namespace penstock::app
