#include "app/instance.h"

#include "app/open_log.h"
#include "app/query_table.h"
#include "app/registries.h"
#include "file/table.h"
#include "store/dynamodb/part.h"
#include "store/postgres/part.h"
#include "store/postgres/postgres_store.h"
#include "store/redshift/part.h"
#include "store/redshift/redshift_store.h"
#include "store/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace penstock::app {

struct Instance::Tables {
  std::mutex mutex;  // guards by_name: producers are started from the socket's threads
  struct Entry {
    std::unique_ptr<flow::Table> table;
    std::function<std::optional<Error>(Millis)> refresh_if_due;
  };
  std::map<std::string, Entry> by_name;
  static Result<Entry> open(const plan::Table& table, const std::string& folder);
};

Result<Instance::Tables::Entry> Instance::Tables::open(const plan::Table& table,
                                                       const std::string& folder) {
  const auto entry = [](auto opened) {
    auto* raw = opened.get();
    return Entry{std::move(opened), [raw](Millis now) { return raw->refresh_if_due(now); }};
  };
  if (table.part == "postgres") {
    PENSTOCK_TRY(query, QueryTable::open(*table.config, folder));
    return entry(std::move(query));
  }
  PENSTOCK_TRY(spec, file::table_spec(*table.config, folder));
  PENSTOCK_TRY(opened, file::FileTable::open(std::move(spec)));
  return entry(std::move(opened));
}

std::string store_path(const std::string& folder, const std::string& store) {
  return fmt::format("{}/stores/{}.sqlite", folder, store);
}

namespace {

Result<std::unique_ptr<flow::Store>> open_dynamodb(const plan::Store& store, const Clock& clock) {
  PENSTOCK_TRY(settings, store::dynamodb::settings_of(*store.config, store.target_config.get()));
  PENSTOCK_TRY(opened, store::dynamodb::DynamoDbStore::open(std::move(settings), clock));
  return std::move(opened);
}

Result<std::unique_ptr<flow::Store>> open_sqlite(const std::string& path, bool own) {
  PENSTOCK_TRY(opened,
               own ? store::SqliteStore::open(path) : store::SqliteStore::open_read_only(path));
  return std::move(opened);
}

Result<std::unique_ptr<flow::Store>> open_postgres(const plan::Store& store) {
  PENSTOCK_TRY(settings, store::postgres::settings_of(*store.config, store.target_config.get()));
  return std::make_unique<store::postgres::PostgresStore>(std::move(settings));
}

Result<std::unique_ptr<flow::Store>> open_redshift(const plan::Store& store, const Clock& clock) {
  PENSTOCK_TRY(settings,
               store::redshift::settings_of(*store.config, store.target_config.get(), clock));
  return std::make_unique<store::redshift::RedshiftStore>(std::move(settings));
}

}  // namespace

bool Instance::owns_folder() const { return plan_->log.part == "embedded"; }

Instance::Instance(std::shared_ptr<const plan::Plan> plan, std::string folder, const Clock& clock,
                   Scope scope)
    : plan_(std::move(plan)),
      folder_(std::move(folder)),
      clock_(clock),
      scope_(owns_folder() ? Scope() : std::move(scope)),
      tables_(std::make_unique<Tables>()) {}

bool Instance::is_ours(const plan::Stage& stage) const {
  if (scope_.producers_only) return false;
  return scope_.stage.empty() || scope_.stage == stage.id || scope_.stage == stage.name;
}

bool Instance::is_ours(const plan::Store& store) const {
  return std::ranges::any_of(plan_->stages, [&](const plan::Stage& stage) {
    return is_ours(stage) && stage.to_store == store.name;
  });
}

bool Instance::is_ours(const plan::Topic& topic) const {
  if (!scope_.producers_only && scope_.stage.empty()) return true;
  const auto has = [&](const std::vector<std::string>& topics) {
    return std::ranges::find(topics, topic.name) != topics.end();
  };
  const bool filled = std::ranges::find(plan_->producers, topic.name, &plan::Producer::to) !=
                      plan_->producers.end();
  return (scope_.producers_only && filled) ||
         std::ranges::any_of(plan_->stages, [&](const plan::Stage& stage) {
           return is_ours(stage) && (stage.dead_topic == topic.name || has(stage.from) ||
                                     has(stage.to_topics) || has(stage.sides));
         });
}

Instance::~Instance() = default;

Result<void> Instance::runs_here() const {
  for (const plan::Store& store : plan_->stores) {
    constexpr std::string_view kBuilt[] = {"sqlite", "postgres", "redshift", "dynamodb"};
    const bool built = std::ranges::find(kBuilt, store.part) != std::end(kBuilt);
    if (built || !is_ours(store)) continue;
    return fail(
        "U004"_code,
        fmt::format("target \"{}\" has store \"{}\" on \"{}\", which this version cannot run",
                    plan_->target, store.name, store.part));
  }
  for (const plan::Stage& stage : plan_->stages) {
    if (!is_ours(stage)) continue;
    for (const plan::StepUse& step : stage.steps) {
      if (step.part->built) continue;
      return fail("U004"_code,
                  fmt::format("stage \"{}\" has a step \"{}\", which this version cannot run",
                              stage.name, step.part->name));
    }
  }
  return {};
}

Result<std::unique_ptr<Instance>> Instance::open(std::shared_ptr<const plan::Plan> plan,
                                                 const std::string& folder, Access access,
                                                 const Clock& clock, const Scope& scope) {
  std::unique_ptr<Instance> instance(new Instance(std::move(plan), folder, clock, scope));
  PENSTOCK_TRY_VOID(instance->runs_here());
  const bool own = access == Access::own;
  PENSTOCK_TRY(log, open_log(*instance->plan_, folder, own, clock));
  instance->log_ = std::move(log);
  auto opened_registries = open_registries(*instance->plan_, clock);
  // Who only looks may lack the registry's secret: then some records stay bytes.
  if (!opened_registries && !own) opened_registries = Registries();
  PENSTOCK_TRY(registries, std::move(opened_registries));
  instance->schemas_ =
      std::make_unique<registry::Schemas>(instance->log_->schemas(), std::move(registries));
  std::error_code error;
  for (const plan::Store& store : instance->plan_->stores) {
    if (!instance->is_ours(store)) continue;
    if (store.part == "dynamodb") {
      PENSTOCK_TRY(opened, open_dynamodb(store, clock));
      instance->stores_[store.name] = std::move(opened);
      continue;
    }
    if (store.part == "redshift") {
      PENSTOCK_TRY(opened, open_redshift(store, clock));
      instance->stores_[store.name] = std::move(opened);
      continue;
    }
    const std::string path = store_path(folder, store.name);
    const bool file = store.part == "sqlite";
    if (file && !own && !std::filesystem::exists(path, error)) continue;
    PENSTOCK_TRY(opened, file ? open_sqlite(path, own) : open_postgres(store));
    instance->stores_[store.name] = std::move(opened);
  }
  return instance;
}

Result<std::vector<std::string>> Instance::create_missing() {
  std::vector<flow::TopicSpec> topics;
  for (const plan::Topic& topic : plan_->topics) {
    if (is_ours(topic))
      topics.push_back({topic.name, topic.partitions, topic.replicas, topic.keep_millis});
  }
  for (const plan::Stage& stage : plan_->stages) {
    if (!is_ours(stage)) continue;
    const auto dead = std::ranges::find(topics, stage.dead_topic, &flow::TopicSpec::name);
    if (dead == topics.end()) continue;
    dead->letters_of.insert(dead->letters_of.end(), stage.from.begin(), stage.from.end());
  }
  PENSTOCK_TRY(names, log_->create_missing(topics));
  std::vector<std::string> made;
  for (const std::string& name : names) made.push_back(fmt::format("topic {} was made", name));
  std::vector<flow::SourceSpec> groups;
  for (const plan::Stage& stage : plan_->stages) {
    if (is_ours(stage)) groups.push_back({stage.group, stage.from, {}});
  }
  log_->declare_groups(groups);
  for (const plan::Topic& topic : plan_->topics) {
    if (topic.schema && is_ours(topic)) PENSTOCK_TRY_VOID(log_->schemas().add(topic.schema));
  }
  for (const plan::Topic* topic : enrolled_topics(*plan_)) {
    if (!is_ours(*topic)) continue;
    PENSTOCK_TRY(fresh, schemas_->enroll(topic->name, topic->framing, *topic->schema));
    if (fresh) made.push_back(fmt::format("the schema of topic {} was registered", topic->name));
  }
  for (const plan::Store& store : plan_->stores) {
    if (store.table.schema && is_ours(store))
      PENSTOCK_TRY_VOID(stores_.at(store.name)->create_missing(store.table));
  }
  return made;
}

Result<void> Instance::open_tables() {
  const std::lock_guard lock(tables_->mutex);
  for (const plan::Table& table : plan_->tables) {
    if (tables_->by_name.contains(table.name)) continue;
    PENSTOCK_TRY(opened, Tables::open(table, plan_->folder));
    tables_->by_name[table.name] = std::move(opened);
  }
  return {};
}

std::vector<std::string> Instance::refresh_tables() {
  std::vector<std::string> problems;
  const std::lock_guard lock(tables_->mutex);
  for (auto& [name, table] : tables_->by_name) {
    if (const auto problem = table.refresh_if_due(clock_.now())) {
      problems.push_back(
          fmt::format("table {}: the former version stays: {}", name, one_line(*problem)));
    }
  }
  return problems;
}

flow::Store* Instance::find_store(const std::string& name) {
  const auto found = stores_.find(name);
  return found == stores_.end() ? nullptr : found->second.get();
}

inspect::StoreOf Instance::store_of() {
  return [this](const std::string& name) { return find_store(name); };
}

ops::Parts Instance::parts() {
  return {plan_, log_.get(), schemas_.get(),
          [this](const std::string& name) { return find_store(name); },
          [this](const std::string& name) -> flow::Table* {
            const std::lock_guard lock(tables_->mutex);
            const auto found = tables_->by_name.find(name);
            return found == tables_->by_name.end() ? nullptr : found->second.table.get();
          }};
}

}  // namespace penstock::app
