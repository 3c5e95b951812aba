#include "base/json_write.h"
#include "plan/plan.h"
#include "plan/values.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::plan {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

std::string list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ',';
    out += quoted(text);
  }
  return out + "]";
}

// Settings as they stand, keys in order of the alphabet: neither order nor style count.
std::string settings(const yaml::Node& node) {
  if (node.kind == yaml::NodeKind::null) return "null";
  if (node.kind == yaml::NodeKind::scalar) return quoted(node.text);
  std::vector<std::string> parts;
  for (const yaml::Node& item : node.items) parts.push_back(settings(item));
  for (const auto& [key, value] : node.entries) {
    parts.push_back(quoted(key.text) + ":" + settings(value));
  }
  if (node.kind == yaml::NodeKind::sequence) return fmt::format("[{}]", fmt::join(parts, ","));
  std::ranges::sort(parts);
  return fmt::format("{{{}}}", fmt::join(parts, ","));
}

std::string settings(const std::shared_ptr<flow::Config>& config) {
  return config == nullptr ? "null" : settings(config->node());
}

std::string_view merge_text(flow::Merge merge) {
  if (merge == flow::Merge::append) return "append";
  return merge == flow::Merge::upsert ? "upsert" : "newest_by";
}

// "append", "upsert by meter_id, at", "by meter_id the newest at"
std::string merge_words(const flow::StoreTable& table) {
  if (table.merge == flow::Merge::append) return "append";
  const std::string key = fmt::format("{}", fmt::join(table.key, ", "));
  return table.merge == flow::Merge::upsert ? "upsert by " + key
                                            : "by " + key + " the newest " + table.newest_by;
}

std::string topic_json(const Topic& topic) {
  return fmt::format(
      R"({{"name":{},"tenant":{},"key":{},"schema":{},"framing":"{}",{}"partition":"{}",)"
      R"("partitions":{},)"
      R"("replicas":{},"keep_millis":{}}})",
      quoted(topic.name), quoted(topic.tenant), list(topic.key),
      topic.schema == nullptr ? "null" : topic.schema->json(), avro::to_text(topic.framing),
      topic.unframed_bare ? "\"unframed\":\"bare\"," : "", topic.same_partition ? "same" : "key",
      topic.partitions, topic.replicas, topic.keep_millis);
}

std::string stage_json(const Stage& stage) {
  std::string steps;
  for (const StepUse& use : stage.steps) {
    steps += fmt::format("{}{{{}:{}}}", steps.empty() ? "" : ",", quoted(use.part->name),
                         settings(use.config));
  }
  std::vector<std::string> state;
  for (const StepUse& use : stage.steps) {
    if (use.part->remembers) state.push_back(use.label);
  }
  const EpochLimits& epoch = stage.epoch;
  const Scale& scale = stage.scale;
  return fmt::format(
      R"({{"name":{},"id":{},"group":{},"from":{},"steps":[{}],"to_topics":{},"route_field":{},)"
      R"("to_store":{},"sides":{},"dead_topic":{},"state":{},"output":{},)"
      R"("epoch":{{"rows":{},"size_bytes":{},"every_millis":{}}},)"
      R"("scale":{{"min":{},"max":{},"lag_threshold":{},"poll_millis":{},"cooldown_millis":{}}}}})",
      quoted(stage.name), quoted(stage.id), quoted(stage.group), list(stage.from), steps,
      list(stage.to_topics), quoted(stage.route_field), quoted(stage.to_store), list(stage.sides),
      quoted(stage.dead_topic), list(state), stage.output->json(), epoch.rows, epoch.size_bytes,
      epoch.every_millis, scale.min, scale.max, scale.lag_threshold, scale.poll_millis,
      scale.cooldown_millis);
}

std::string store_json(const Store& store) {
  return fmt::format(
      R"({{"name":{},"kind":{},"table":{},"merge":"{}","key":{},"newest_by":{},"settings":{}}})",
      quoted(store.name), quoted(store.part), quoted(store.table.table),
      merge_text(store.table.merge), list(store.table.key), quoted(store.table.newest_by),
      settings(store.target_config));
}

std::string table_json(const Table& table) {
  return fmt::format(R"({{"name":{},"kind":{},"settings":{}}})", quoted(table.name),
                     quoted(table.part), settings(table.config));
}

std::string producer_json(const Producer& producer) {
  return fmt::format(R"({{"name":{},"kind":{},"settings":{}}})", quoted(producer.name),
                     quoted(producer.part), settings(producer.config));
}

template <class T, class Write>
std::string array(const std::vector<T>& items, Write write) {
  std::vector<std::string> parts;
  for (const T& item : items) parts.push_back(write(item));
  return fmt::format("[{}]", fmt::join(parts, ","));
}

std::string describe_stage(const Plan& plan, const Stage& stage) {
  std::string text = fmt::format("  {}\n    reads   {}\n    group   {}\n", stage.id,
                                 fmt::join(stage.from, ", "), stage.group);
  for (const StepUse& use : stage.steps) {
    text += fmt::format("    {:<7} {}{}\n", use.part->name, settings(use.config),
                        use.part->built ? "" : "   (not built yet)");
  }
  for (const StepUse& use : stage.steps) {
    if (!use.part->remembers) continue;
    text += fmt::format("    state   {}, for each partition: {}\n", use.part->name,
                        use.part->remembers(*use.config));
  }
  if (stage.to_store.empty()) {
    text +=
        fmt::format("    writes  {}{}\n", fmt::join(stage.to_topics, ", "),
                    stage.route_field.empty() ? "" : fmt::format(" by \"{}\"", stage.route_field));
  } else {
    const Store& store = *plan.store(stage.to_store);
    text += fmt::format("    fills   {} ({} table \"{}\", {})\n", store.name, store.part,
                        store.table.table, merge_words(store.table));
  }
  text += "    makes   ";
  for (const avro::Field& field : stage.output->root().fields) {
    text += fmt::format("{}{}: {}", &field == &stage.output->root().fields.front() ? "" : ", ",
                        field.name, avro::describe(*field.type));
  }
  return text + fmt::format(
                    "\n    commits every {} rows, {} bytes or {}; {} to {} workers; bad "
                    "records to {}\n",
                    stage.epoch.rows, stage.epoch.size_bytes,
                    duration_text(stage.epoch.every_millis), stage.scale.min, stage.scale.max,
                    stage.dead_topic);
}

// Only where there are any: plans without keep their hashes.
std::string registries_json(const Plan& plan) {
  if (plan.registries.empty()) return "";
  return fmt::format(R"("registries":{},)", array(plan.registries, [](const RegistryUse& use) {
                       return fmt::format(R"({{"kind":{},"settings":{}}})", quoted(use.part),
                                          settings(use.config));
                     }));
}

}  // namespace

std::string to_json(const Plan& plan) {
  const DeadLetters& dead = plan.dead_letters;
  return fmt::format(
      R"({{"pipeline":{},"target":{},"log":{{"kind":{},"settings":{}}},{}"tenants":{},"topics":{},)"
      R"("tables":{},"stages":{},"stores":{},"producers":{},)"
      R"("dead_letters":{{"keep_millis":{},"stop_share":{},"stop_window_millis":{}}}}})",
      quoted(plan.pipeline), quoted(plan.target), quoted(plan.log.part), settings(plan.log.config),
      registries_json(plan), list(plan.tenants), array(plan.topics, topic_json),
      array(plan.tables, table_json), array(plan.stages, stage_json),
      array(plan.stores, store_json), array(plan.producers, producer_json), dead.keep_millis,
      dead.stop_share, dead.stop_window_millis);
}

std::string hash(const Plan& plan) {
  uint64_t sum = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char c : to_json(plan)) {
    sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return fmt::format("{:016x}", sum);
}

std::string describe(const Plan& plan) {
  std::string text = fmt::format("pipeline {}, target {}, log {}, plan {}\n", plan.pipeline,
                                 plan.target, plan.log.part, hash(plan));
  if (!plan.log.guarantee.empty()) text += plan.log.guarantee + "\n";
  text += "\ntopics\n";
  for (const Topic& topic : plan.topics) {
    text +=
        fmt::format("  {}: {} partitions, {} replicas, kept {}{}{}\n", topic.name, topic.partitions,
                    topic.replicas, duration_text(topic.keep_millis),
                    topic.key.empty() ? "" : fmt::format(", key {}", fmt::join(topic.key, ", ")),
                    avro::needs_registry(topic.framing)
                        ? fmt::format(", framing {}", avro::to_text(topic.framing))
                        : "");
  }
  text += "\nstages\n";
  for (const Stage& stage : plan.stages) text += describe_stage(plan, stage);
  return text;
}

}  // namespace penstock::plan
