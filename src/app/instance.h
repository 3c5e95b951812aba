// instance.h — a pipeline's log, stores and tables, opened as the target says.
//
// With the embedded log the data folder holds log/, stores/<store>.sqlite and control.sock, and
// has one
// owner. With Kafka it holds at most stores/, and any number of processes run side by side.
//
// Thread      open() and create_missing() from one thread; the rest from any.
// Lifetime    outlives every worker that uses it.
// Errors      L…, S…, F…; U004 for parts that this version knows but cannot run.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "flow/log.h"
#include "flow/store.h"
#include "flow/table.h"
#include "inspect/lag.h"
#include "ops/stage_worker.h"
#include "plan/plan.h"
#include "registry/schemas.h"

#include <map>
#include <memory>
#include <string>

namespace penstock::app {

class Instance {
 public:
  enum class Access : uint8_t {
    own,   // to write: with the embedded log the one process that does
    look,  // nothing is changed; with the embedded log when nobody owns the folder
  };
  // With a log that is shared, only what is in scope is touched: a process has the rights and
  // secrets of its work alone.
  struct Scope {
    std::string stage;            // id or name: its topics and stores
    bool producers_only = false;  // the topics that producers fill
  };
  static Result<std::unique_ptr<Instance>> open(std::shared_ptr<const plan::Plan> plan,
                                                const std::string& folder, Access access,
                                                const Clock& clock, const Scope& scope);
  static Result<std::unique_ptr<Instance>> open(std::shared_ptr<const plan::Plan> plan,
                                                const std::string& folder, Access access,
                                                const Clock& clock) {
    return open(std::move(plan), folder, access, clock, Scope());
  }
  ~Instance();

  // The log is of this folder and has one owner, who answers other terminals.
  bool owns_folder() const;
  // Topics, schemas in registries, tables of stores, and the groups whose unread records must be
  // kept. Returns what was made, a line each, for people.
  Result<std::vector<std::string>> create_missing();
  // Opens the tables that stages join with; any thread.
  Result<void> open_tables();
  // Reads tables again whose time has come; what is wrong with a new version, for people.
  std::vector<std::string> refresh_tables();

  flow::Log& log() { return *log_; }
  // The log's schemas and those of the target's registries.
  flow::SchemaSource& schemas() { return *schemas_; }
  // For workers: all that they need.
  ops::Parts parts();
  // For looking: null when a store has no file yet.
  inspect::StoreOf store_of();
  const std::shared_ptr<const plan::Plan>& plan() const { return plan_; }
  const std::string& folder() const { return folder_; }

 private:
  Instance(std::shared_ptr<const plan::Plan> plan, std::string folder, const Clock& clock,
           Scope scope);
  // U004 where something in scope is known, but not built.
  Result<void> runs_here() const;
  bool is_ours(const plan::Stage& stage) const;
  bool is_ours(const plan::Store& store) const;
  bool is_ours(const plan::Topic& topic) const;
  flow::Store* find_store(const std::string& name);
  struct Tables;

  std::shared_ptr<const plan::Plan> plan_;
  std::string folder_;
  const Clock& clock_;
  Scope scope_;
  std::unique_ptr<flow::Log> log_;
  std::unique_ptr<registry::Schemas> schemas_;
  std::map<std::string, std::unique_ptr<flow::Store>> stores_;
  std::unique_ptr<Tables> tables_;
};

// A file that exists may be looked at; the store of a stage that never ran has none.
std::string store_path(const std::string& folder, const std::string& store);

}  // namespace penstock::app
