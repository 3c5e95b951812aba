#include "bundle/deploy.h"

#include "bundle/access.h"
#include "bundle/object.h"
#include "bundle/path_text.h"
#include "file/digest.h"
#include "file/secret/secret.h"
#include "log/kafka/part.h"
#include "store/dynamodb/item.h"
#include "store/dynamodb/position.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace penstock::bundle {
namespace {

constexpr size_t kNumberBytes = 6;
// What a chart calls its other objects, in the place of a stage's name.
const std::vector<std::string> kReserved = {"apply",     "scaler", "produce", "bundle",
                                            "dashboard", "alerts", "kafka"};

int64_t whole_seconds(int64_t millis) { return std::max<int64_t>(1, (millis + 999) / 1000); }

// A setting as the file has it: {"env","value","secret"}, two of them null at least; null when it
// is not there. A variable with a fallback has both env and value.
std::string setting(const plan::Plan& plan, const flow::Config* config, std::string_view field) {
  const yaml::Node* node = config == nullptr ? nullptr : config->find(field);
  if (node == nullptr) return "null";
  const auto reference = std::ranges::find(plan.environment, node, &plan::Reference::node);
  const bool of_env = reference != plan.environment.end();
  const bool secret = file::is_secret(node->text);
  const bool has_value = of_env ? reference->fallback.has_value() : !secret;
  JsonObject out;
  out.raw("env", of_env ? json_text(reference->name) : "null");
  out.raw("value", has_value ? json_text(node->text) : "null");
  out.raw("secret", secret ? json_text(file::secret_name(node->text)) : "null");
  return std::move(out).take();
}

// Where a file that the log's settings name lies in the bundle: {"ca":path}, null where there is
// none.
std::string log_files(const flow::Config& config, std::string_view pipeline_file) {
  JsonObject out;
  for (const char* field : {"ca", "certificate"}) {
    const std::string path = config.text(field);
    const bool none = path.empty() || path.starts_with("${") || path.starts_with("-----BEGIN");
    out.raw(field,
            none ? "null" : json_text(paths::normal(paths::folder_of(pipeline_file) + "/" + path)));
  }
  return std::move(out).take();
}

std::string log_json(const plan::Plan& plan, std::string_view pipeline_file) {
  const flow::Config* config = plan.log.config.get();
  JsonObject log;
  log.text("kind", plan.log.part);
  if (plan.log.part == "embedded" || config == nullptr) return std::move(log).take();
  log.text("auth", log::kafka::auth_of(*config));
  log.text("delivery", config->text("delivery", "exactly_once"));
  log.raw("brokers", setting(plan, config, "kafka"));
  log.raw("arn", setting(plan, config, "msk"));
  static constexpr std::array<std::string_view, 7> kLogin = {
      "user", "password", "token", "ca", "certificate", "key", "key_password"};
  JsonObject login;
  for (const std::string_view field : kLogin) login.raw(field, setting(plan, config, field));
  log.raw("login", std::move(login).take());
  log.raw("files", log_files(*config, pipeline_file));
  return std::move(log).take();
}

std::string topic_json(const plan::Topic& topic) {
  JsonObject out;
  out.text("name", topic.name).number("partitions", topic.partitions);
  out.number("replicas", topic.replicas).number("keep_millis", topic.keep_millis);
  out.boolean("compacted", false).boolean("internal", false);
  return std::move(out).take();
}

// Partitions of inner topics are the log's affair, or those of the inputs.
std::string inner_topic_json(const std::string& name) {
  JsonObject out;
  out.text("name", name)
      .raw("partitions", "null")
      .raw("replicas", "null")
      .number("keep_millis", -1);
  out.boolean("compacted", true).boolean("internal", true);
  return std::move(out).take();
}

std::string stage_json(const plan::Plan& plan, const plan::Stage& stage, const std::string& name) {
  std::vector<std::string> topics;
  int64_t partitions = 0;
  for (const std::string& input : stage.from) {
    JsonObject topic;
    topic.text("name", input).number("partitions", plan.topic(input)->partitions);
    topics.push_back(std::move(topic).take());
    partitions += plan.topic(input)->partitions;
  }
  JsonObject out;
  out.text("id", stage.id).text("name", name).text("group", stage.group);
  out.raw("topics", json_array(topics)).number("partitions", partitions);
  out.raw("store", stage.to_store.empty() ? "null" : json_text(stage.to_store));
  out.text("dead_topic", stage.dead_topic);
  const std::string state = state_topic_of(plan, stage);
  out.raw("state", state.empty() ? "null" : json_text(state));
  out.number("min", stage.scale.min).number("max", stage.scale.max);
  out.number("lag_threshold", stage.scale.lag_threshold);
  out.number("poll_seconds", whole_seconds(stage.scale.poll_millis));
  out.number("cooldown_seconds", whole_seconds(stage.scale.cooldown_millis));
  out.number("epoch_millis", stage.epoch.every_millis);
  out.raw("access", to_json(access_of(plan, stage)));
  return std::move(out).take();
}

std::string producer_json(const plan::Plan& plan, const plan::Producer& producer) {
  JsonObject out;
  out.text("name", producer.name).text("kind", producer.part).text("topic", producer.to);
  out.raw("access", to_json(access_of(plan, producer)));
  return std::move(out).take();
}

std::string dynamodb_key(const flow::StoreTable& table) {
  std::vector<std::string> parts;
  if (const auto key = store::dynamodb::key_parts(table)) {
    for (const store::dynamodb::KeyPart& part : *key) {
      JsonObject one;
      one.text("field", part.name).text("type", part.type);
      parts.push_back(std::move(one).take());
    }
  }
  return json_array(parts);
}

// Items that never change are put in batches, others one by one with a condition.
bool is_immutable(const plan::Store& store) {
  const flow::Config* target = store.target_config.get();
  const bool in_target = target != nullptr && target->find("immutable") != nullptr;
  return store.table.key.empty() ||
         (in_target ? target : store.config.get())->text("immutable") == "true";
}

std::string store_json(const plan::Plan& plan, const plan::Store& store) {
  const auto of = [&](std::string_view field) {
    const std::string target = setting(plan, store.target_config.get(), field);
    return target != "null" ? target : setting(plan, store.config.get(), field);
  };
  JsonObject out;
  out.text("name", store.name).text("kind", store.part);
  out.names("tables", tables_of(store));
  if (store.part == "dynamodb") {
    out.text("positions_table", store::dynamodb::kPositionsTable);
    out.raw("key", dynamodb_key(store.table));
    out.boolean("immutable", is_immutable(store));
    for (const char* field : {"region", "endpoint", "create", "expire_after"})
      out.raw(field, of(field));
  } else if (store.part == "redshift") {
    for (const char* field :
         {"host", "port", "database", "staging", "role", "driver", "user", "secret"})
      out.raw(field, of(field));
  } else if (store.part == "postgres") {
    for (const char* field : {"host", "port", "database", "user", "password"})
      out.raw(field, of(field));
  }
  return std::move(out).take();
}

template <class T, class Write>
std::string each(const std::vector<T>& items, Write write) {
  std::vector<std::string> parts;
  for (const T& item : items) parts.push_back(write(item));
  return json_array(parts);
}

std::string topics_json(const plan::Plan& plan) {
  std::vector<std::string> all;
  for (const plan::Topic& topic : plan.topics) all.push_back(topic_json(topic));
  if (plan.log.part != "embedded") {
    for (const std::string& name : inner_topics(plan)) all.push_back(inner_topic_json(name));
  }
  return json_array(all);
}

}  // namespace

std::string label(std::string_view text, size_t limit_bytes,
                  const std::vector<std::string>& taken) {
  std::string out;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    out += plain ? static_cast<char>(std::tolower(static_cast<unsigned char>(c))) : '-';
  }
  const auto trim = [&] {
    while (out.ends_with('-')) out.pop_back();
    while (out.starts_with('-')) out.erase(0, 1);
  };
  trim();
  const auto good = [&] {
    return !out.empty() && std::isalpha(static_cast<unsigned char>(out.front())) != 0 &&
           out.size() <= limit_bytes && std::ranges::find(taken, out) == taken.end();
  };
  if (good()) return out;
  out = "p-" + out;
  out.resize(std::min(out.size(), limit_bytes - kNumberBytes - 1));
  trim();
  return out + "-" + file::sha256_hex(text).substr(0, kNumberBytes);
}

std::string deploy_json(const plan::Plan& plan, std::string_view pipeline_file) {
  std::vector<std::string> names = kReserved, stages;
  for (const plan::Stage& stage : plan.stages) {
    names.push_back(label(stage.id, kStageNameBytes, names));
    stages.push_back(stage_json(plan, stage, names.back()));
  }
  JsonObject apply;
  apply.raw("access", to_json(access_of_apply(plan)));
  JsonObject out;
  out.text("name", label(plan.pipeline, kNameBytes, {}));
  out.raw("log", log_json(plan, pipeline_file));
  out.raw("topics", topics_json(plan));
  out.raw("stages", json_array(stages));
  out.raw("producers", each(plan.producers,
                            [&](const plan::Producer& one) { return producer_json(plan, one); }));
  out.raw("apply", std::move(apply).take());
  out.raw("stores",
          each(plan.stores, [&](const plan::Store& one) { return store_json(plan, one); }));
  return std::move(out).take();
}

}  // namespace penstock::bundle
