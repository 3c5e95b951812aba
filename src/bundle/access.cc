#include "bundle/access.h"

#include "bundle/object.h"
#include "flow/store_table.h"
#include "log/kafka/names.h"

#include <algorithm>

namespace penstock::bundle {
namespace {

namespace names = log::kafka::names;

bool is_stateful(const plan::Stage& stage) {
  return std::ranges::any_of(stage.steps, [](const plan::StepUse& step) {
    return static_cast<bool>(step.part->remembers);
  });
}

bool is_transactional(const plan::Plan& plan) {
  return plan.log.part != "embedded" && plan.log.config != nullptr &&
         plan.log.config->text("delivery", "exactly_once") == "exactly_once";
}

void add(std::vector<std::string>& to, const std::string& name) {
  if (std::ranges::find(to, name) == to.end()) to.push_back(name);
}

void add(std::vector<std::string>& to, const std::vector<std::string>& names) {
  for (const std::string& name : names) add(to, name);
}

std::vector<std::string> kept_by_log(const plan::Plan& plan) {
  return {names::schemas(plan.pipeline), names::positions(plan.pipeline)};
}

}  // namespace

Access access_of(const plan::Plan& plan, const plan::Stage& stage) {
  Access access;
  access.read = stage.from;
  add(access.write, stage.to_topics);
  add(access.write, stage.sides);
  add(access.write, stage.dead_topic);
  access.groups = {stage.group};
  if (!stage.to_store.empty()) access.stores = {stage.to_store};
  if (plan.log.part == "embedded") return access;
  add(access.read, kept_by_log(plan));
  add(access.write, kept_by_log(plan));
  if (const std::string state = state_topic_of(plan, stage); !state.empty()) {
    add(access.read, state);
    add(access.write, state);
    access.create = {state};
  }
  if (stage.to_store.empty() && is_transactional(plan)) {
    access.transactional_id_prefix = stage.group + "-";
  }
  return access;
}

Access access_of(const plan::Plan& plan, const plan::Producer& producer) {
  Access access;
  access.write = {producer.to};
  if (plan.log.part == "embedded") return access;
  const std::string group = plan.pipeline + ".produce." + producer.name;
  access.read = kept_by_log(plan);
  add(access.write, kept_by_log(plan));
  access.groups = {group};
  if (is_transactional(plan)) access.transactional_id_prefix = group + "-";
  return access;
}

Access access_of_apply(const plan::Plan& plan) {
  Access access;
  for (const plan::Topic& topic : plan.topics) add(access.create, topic.name);
  if (plan.log.part != "embedded") {
    add(access.create, kept_by_log(plan));
    access.read = {plan.pipeline + ".schemas"};
    access.write = access.read;
  }
  for (const plan::Store& store : plan.stores) add(access.stores, store.name);
  return access;
}

std::string to_json(const Access& access) {
  JsonObject out;
  out.names("read", access.read).names("write", access.write).names("create", access.create);
  out.names("groups", access.groups);
  out.text("transactional_id_prefix", access.transactional_id_prefix);
  out.names("stores", access.stores);
  return std::move(out).take();
}

std::string state_topic_of(const plan::Plan& plan, const plan::Stage& stage) {
  return is_stateful(stage) && plan.log.part != "embedded" ? names::state(stage.group) : "";
}

std::vector<std::string> inner_topics(const plan::Plan& plan) {
  std::vector<std::string> all = kept_by_log(plan);
  for (const plan::Stage& stage : plan.stages) {
    if (std::string state = state_topic_of(plan, stage); !state.empty()) {
      all.push_back(std::move(state));
    }
  }
  return all;
}

std::vector<std::string> tables_of(const plan::Store& store) {
  std::vector<std::string> names;
  for (const flow::StoreTable& table : flow::tables_of(store.table)) names.push_back(table.table);
  return names;
}

}  // namespace penstock::bundle
