#include "app/simulation.h"

#include "base/suggest.h"
#include "scale/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace penstock::app {
namespace {

constexpr int64_t kBucketsMax = 500'000;
constexpr int64_t kYearSeconds = 366LL * 86'400;

// "1000" of every stage, or "writer.items=500,processing=2000".
Result<std::map<std::string, double>> per_stage(const plan::Plan& plan, std::string_view flag,
                                                std::string_view text, bool zero = false) {
  std::map<std::string, double> figures;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t equals = one.find('=');
    const std::string_view digits = equals == std::string_view::npos ? one : one.substr(equals + 1);
    double figure = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), figure);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() ||
        !(figure >= 0 && (figure > 0 || zero) && figure <= 1e9)) {
      return fail("U001"_code,
                  fmt::format("{}: \"{}\" is no figure {}0", flag, one, zero ? "from " : "above "))
          .cure("write N for every stage, or STAGE=N,STAGE=N");
    }
    bool known = false;
    for (const plan::Stage& stage : plan.stages) {
      if (equals != std::string_view::npos && one.substr(0, equals) != stage.id) continue;
      figures[stage.id] = figure;
      known = true;
    }
    if (known) continue;
    std::vector<std::string_view> names;
    for (const plan::Stage& stage : plan.stages) names.push_back(stage.id);
    return fail("U002"_code, fmt::format("the pipeline has no stage \"{}\"", one.substr(0, equals)))
        .hint(did_you_mean(one.substr(0, equals), names));
  }
  return figures;
}

scale::StageModel stage_of(const plan::Stage& stage, const std::map<std::string, size_t>& topics) {
  scale::StageModel model;
  model.id = stage.id;
  for (const std::string& name : stage.from) model.from.push_back(topics.at(name));
  for (const std::string& name : stage.to_topics) model.to.push_back(topics.at(name));
  model.epoch_millis = stage.epoch.every_millis;
  model.object = {.min = stage.scale.min,
                  .max = stage.scale.max,
                  .poll_millis = stage.scale.poll_millis,
                  .cooldown_millis = stage.scale.cooldown_millis};
  model.lag_threshold = stage.scale.lag_threshold;
  return model;
}

// A topic that stages read and none writes: from outside.
bool is_entry(const plan::Plan& plan, const std::string& topic) {
  bool read = false;
  for (const plan::Stage& stage : plan.stages) {
    if (std::ranges::find(stage.to_topics, topic) != stage.to_topics.end()) return false;
    read |= std::ranges::find(stage.from, topic) != stage.from.end();
  }
  return read;
}

Value sample_value(const scale::Sample& sample) {
  return Value::Object{{"seconds", static_cast<double>(sample.at.value) / 1000},
                       {"replicas", static_cast<int64_t>(sample.replicas)},
                       {"ready", static_cast<int64_t>(sample.ready)},
                       {"lag", sample.lag},
                       {"delay_seconds", sample.delay_seconds}};
}

Value stage_value(const scale::StageOutcome& stage) {
  Value::Array steps;
  for (const auto& step : stage.steps) {
    steps.push_back(Value::Object{{"seconds", static_cast<double>(step.at.value) / 1000},
                                  {"replicas", static_cast<int64_t>(step.replicas)}});
  }
  Value::Array samples;
  for (const scale::Sample& sample : stage.samples) samples.push_back(sample_value(sample));
  return Value::Object{{"stage", stage.id},
                       {"replicas_max", static_cast<int64_t>(stage.replicas_max)},
                       {"pod_hours", stage.pod_hours},
                       {"lag_max", stage.lag_max},
                       {"lag_mean", stage.lag_mean},
                       {"delay_max_seconds", stage.delay_max_seconds},
                       {"delay_p99_seconds", stage.delay_p99_seconds},
                       {"zero_share", stage.zero_share},
                       {"steps", std::move(steps)},
                       {"samples", std::move(samples)}};
}

}  // namespace

Result<scale::Model> model_of(const plan::Plan& plan, const SimulationOptions& options) {
  PENSTOCK_TRY(speeds, per_stage(plan, "--speed", options.speed));
  PENSTOCK_TRY(limits, per_stage(plan, "--store-limit", options.store_limit));
  PENSTOCK_TRY(kept, per_stage(plan, "--kept", options.kept));
  PENSTOCK_TRY(keda_phases, per_stage(plan, "--keda-phase", options.keda_phase, /*zero=*/true));
  PENSTOCK_TRY(hpa_phases, per_stage(plan, "--hpa-phase", options.hpa_phase, /*zero=*/true));
  scale::Model model;
  std::map<std::string, size_t> topics;
  for (const plan::Topic& topic : plan.topics) {
    topics[topic.name] = model.topics.size();
    model.topics.push_back(
        {.name = topic.name, .partitions = topic.partitions, .entry = is_entry(plan, topic.name)});
  }
  for (const plan::Stage& stage : plan.stages) {
    if (!speeds.contains(stage.id)) {
      return fail("U001"_code, fmt::format("--speed says nothing of stage \"{}\"", stage.id))
          .cure(
              "the records per second that one worker gets done: measure it with send and run, "
              "or ask a running penstock scaler (speed_per_worker)");
    }
    scale::StageModel one = stage_of(stage, topics);
    one.speed_per_worker = speeds[stage.id];
    one.most_per_second = limits.contains(stage.id) ? limits[stage.id] : 0;
    one.kept = kept.contains(stage.id) ? kept[stage.id] : 1;
    if (keda_phases.contains(stage.id))
      one.keda_phase_millis = std::llround(keda_phases[stage.id] * 1000);
    if (hpa_phases.contains(stage.id))
      one.hpa_phase_millis = std::llround(hpa_phases[stage.id] * 1000);
    model.stages.push_back(std::move(one));
  }
  model.cluster.catch_up_millis = options.catch_up_millis;
  model.cluster.rebalance_millis = options.rebalance_millis;
  model.cluster.pods = {.pod_start_millis = options.pod_start_millis,
                        .node_start_millis = options.node_start_millis,
                        .pods_per_node = options.pods_per_node};
  if (options.down_stabilization_millis >= 0)
    model.cluster.down_stabilization_millis = options.down_stabilization_millis;
  return model;
}

Result<scale::Load> recorded_load(const plan::Plan& plan, flow::Log& log) {
  PENSTOCK_TRY(topics, log.topics());
  std::map<int64_t, int64_t> seconds;  // since 1970 -> records
  for (const flow::TopicState& topic : topics) {
    if (!is_entry(plan, topic.name)) continue;
    for (const flow::PartitionState& partition : topic.partitions) {
      Offset next = partition.start;
      while (next < partition.end) {
        const Offset from = next;
        PENSTOCK_TRY(batch, log.read(topic.name, partition.index, from, {}, &next));
        for (const auto& record : batch.records) ++seconds[record.timestamp.value / 1000];
        if (next == from) break;
      }
    }
  }
  if (seconds.empty()) return fail("U011"_code, "the topics that come from outside are empty");
  const int64_t first = seconds.begin()->first;
  const int64_t length = seconds.rbegin()->first - first + 1;
  if (length > kYearSeconds)
    return fail("U011"_code, "the records' times are more than a year apart");
  const int64_t bucket = (length + kBucketsMax - 1) / kBucketsMax;
  std::map<int64_t, int64_t> buckets;
  for (const auto& [second, records] : seconds) buckets[(second - first) / bucket] += records;
  scale::Load load;
  for (int64_t at = 0; at <= length / bucket; ++at) {
    const auto found = buckets.find(at);
    const double records = found == buckets.end() ? 0 : static_cast<double>(found->second);
    load.steps.push_back({{at * bucket * 1000}, records / static_cast<double>(bucket)});
  }
  load.steps.push_back({{(length / bucket + 1) * bucket * 1000}, 0});
  return load;
}

Report simulation_report(const plan::Plan& plan, const SimulationOptions& options,
                         std::span<const scale::Outcome> outcomes) {
  Report report;
  report.table = {{"STAGE", "SCALING", "REPLICAS", "POD HOURS", "LAG", "LAG MEAN", "DELAY",
                   "DELAY P99", "AT ZERO"}};
  Value::Array policies;
  for (const scale::Outcome& outcome : outcomes) {
    const std::string policy(scale::to_text(outcome.policy));
    Value::Array stages;
    for (const scale::StageOutcome& stage : outcome.stages) {
      report.table.push_back({stage.id, policy, std::to_string(stage.replicas_max),
                              fmt::format("{:.2f}", stage.pod_hours), std::to_string(stage.lag_max),
                              fmt::format("{:.0f}", stage.lag_mean),
                              fmt::format("{:.1f}s", stage.delay_max_seconds),
                              fmt::format("{:.1f}s", stage.delay_p99_seconds),
                              fmt::format("{:.0f}%", 100 * stage.zero_share)});
      stages.push_back(stage_value(stage));
    }
    const bool priced = options.price > 0;
    const double cost = scale::cost(outcome, options.price, options.pods_per_node > 0);
    report.footer += fmt::format("{}: {:.2f} pod hours", policy, outcome.pod_hours_total());
    if (options.pods_per_node > 0)
      report.footer += fmt::format(", {:.2f} node hours", outcome.node_hours_total());
    if (priced) report.footer += fmt::format(", cost {:.2f}", cost);
    if (!outcome.drained)
      report.footer +=
          fmt::format("; after two hours more {} records wait or pods stay", outcome.left);
    report.footer += "\n";
    policies.push_back(Value::Object{{"scaling", policy},
                                     {"pod_hours", outcome.pod_hours_total()},
                                     {"node_hours", outcome.node_hours_total()},
                                     {"cost", priced ? Value(cost) : Value()},
                                     {"seconds", static_cast<double>(outcome.end.value) / 1000},
                                     {"drained", outcome.drained},
                                     {"left", outcome.left},
                                     {"stages", std::move(stages)}});
  }
  report.tree = Value::Object{
      {"pipeline", plan.pipeline}, {"target", plan.target}, {"outcomes", std::move(policies)}};
  return report;
}

std::string simulation_csv(std::span<const scale::Outcome> outcomes) {
  std::string out = "scaling,stage,seconds,replicas,ready,lag,delay_seconds\n";
  for (const scale::Outcome& outcome : outcomes) {
    for (const scale::StageOutcome& stage : outcome.stages) {
      for (const scale::Sample& sample : stage.samples) {
        fmt::format_to(std::back_inserter(out), "{},{},{:g},{},{},{},{:g}\n",
                       scale::to_text(outcome.policy), stage.id,
                       static_cast<double>(sample.at.value) / 1000, sample.replicas, sample.ready,
                       sample.lag, sample.delay_seconds);
      }
    }
  }
  return out;
}

}  // namespace penstock::app
