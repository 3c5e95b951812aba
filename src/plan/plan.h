// plan.h — a pipeline file, checked: what will run, as values.
//
// `check` reads the file strictly, proves that every stage's steps fit their schemas (by making
// them, with the very code that `run` uses), expands `usage.<tenant>` and `usage.*`, resolves
// `${env:…}`, applies one target, and lints. The Plan is immutable, printable and hashable; equal
// plans behave equally.
//
// Thread      immutable after check(); share freely.
// Lifetime    keeps the yaml::Document that its Configs point into.
// Errors      P…, R… and A… with file, line, column, caret, cause, cure. All errors of a file are
// found in one go where they do
//             not follow from each other.
//
//     plan::Checked checked = plan::check("pipeline.yaml", parts, {.target = "local"});
//     for (const Error& e : checked.errors) std::cerr << render(e);
//     if (checked.plan) run(*checked.plan);
#pragma once

#include "avro/framing.h"
#include "avro/schema.h"
#include "base/error.h"
#include "flow/log.h"
#include "flow/part_spec.h"
#include "flow/store.h"
#include "yaml/node.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::plan {

struct Topic {
  std::string name;              // expanded: "usage.alpine"
  std::string declared;          // as written: "usage.<tenant>"
  std::string tenant;            // "alpine", or ""
  std::vector<std::string> key;  // fields; empty: the producer's own keys
  avro::SchemaPtr schema;        // declared, or what its writer produces
  bool schema_declared = false;
  avro::Framing framing = avro::Framing::single_object;  // of what is written
  bool unframed_bare = false;   // a value that begins like no framing is a bare one
  bool same_partition = false;  // records keep their key and partition
  int32_t partitions = 1;
  int32_t replicas = 1;
  int64_t keep_millis = -1;
};

struct Table {
  std::string name;
  std::string part;  // "csv", "jsonl"
  std::vector<std::string> key;
  int64_t refresh_millis = 0;  // 0: never
  flow::MakeContext::TableShape shape;
  std::shared_ptr<flow::Config> config;
};

struct StepUse {
  const flow::PartSpec* part = nullptr;
  std::shared_ptr<flow::Config> config;
  std::string label;  // "steps[2]"
};

struct EpochLimits {
  uint64_t rows = 10'000;
  uint64_t size_bytes = 8 << 20;
  int64_t every_millis = 100;
};

struct Scale {
  int32_t min = 0;
  int32_t max = 0;  // resolved: the sum of the input's partitions unless less is written
  int64_t lag_threshold = 100;
  int64_t poll_millis = 30'000;
  int64_t cooldown_millis = 300'000;
};

// One stage as it runs. `to: [latest, warehouse]` makes two of these.
struct Stage {
  std::string name;   // as written: "writer"
  std::string id;     // "writer", or "writer.latest" when it ends in a store
  std::string group;  // "meters.writer.latest"
  std::vector<std::string>
      from;               // topics, expanded, in order: Partition::topic counts through these
  avro::SchemaPtr input;  // the schema that its rules were checked against
  std::vector<StepUse> steps;
  // Where records go: either topics …
  std::vector<std::string> to_topics;     // expanded; one, or one per tenant
  std::string route_field;                // "tenant" for `to: usage.<tenant>`, else ""
  std::vector<std::string> route_values;  // route_values[i] goes to to_topics[i]
  // … or one store, in whose table's name a field may stand as well: route_values[i] goes to its
  // StoreTable::each[i].
  std::string to_store;
  std::vector<std::string> sides;  // topics of `send` steps, in the order of use_side
  std::string dead_topic;          // "dead.processing"
  avro::SchemaPtr output;          // what its records are at the end
  EpochLimits epoch;
  Scale scale;
};

struct Store {
  std::string name;
  std::string part;        // of the target: "sqlite", "dynamodb", …
  flow::StoreTable table;  // table name, merge, key; schema = the writing stage's output
  std::shared_ptr<flow::Config> config;         // the store's line
  std::shared_ptr<flow::Config> target_config;  // the target's settings for it, or null
};

struct Producer {
  std::string name;
  std::string part;  // "meters", "generate"
  std::string to;
  std::shared_ptr<flow::Config> config;
};

struct LogUse {
  std::string part = "embedded";         // "embedded", "kafka", "msk"
  std::shared_ptr<flow::Config> config;  // or null
  std::string guarantee;                 // in words
};

// Where schemas are looked up and registered; at most one of each kind.
struct RegistryUse {
  std::string part;  // "confluent", "glue"
  std::shared_ptr<flow::Config> config;
};

// A test of the file's `tests:`; rows are yaml nodes, turned into records by the topic's schema
// when it runs.
struct Case {
  std::string name;
  std::string stage;
  std::vector<std::pair<std::string, const yaml::Node*>> given;   // topic -> list of records
  std::vector<std::pair<std::string, const yaml::Node*>> tables;  // table -> list of rows
  std::vector<std::pair<std::string, const yaml::Node*>>
      expect;  // topic, store or dead topic -> list of part-records
  Place place;
};

struct DeadLetters {
  std::string topic = "dead.<stage>";
  int64_t keep_millis = 14LL * 86'400'000;
  double stop_share = 1.0;              // above this share …
  int64_t stop_window_millis = 60'000;  // … over this time, the stage pauses
};

// A ${env:NAME} of the file or of the chosen target.
struct Reference {
  std::string name;
  std::optional<std::string> fallback;  // of ${env:NAME:-fallback}
  const yaml::Node* node = nullptr;     // the value that it stands for
};

struct Plan {
  std::string file;      // path as given
  std::string folder;    // of the file; "" = here
  std::string pipeline;  // name
  std::string target;
  std::vector<std::string> targets;
  std::vector<std::string> tenants;
  std::vector<Topic> topics;  // expanded, declared order; dead-letter topics last
  std::vector<Table> tables;
  std::vector<Stage> stages;  // in flow order
  std::vector<Store> stores;
  std::vector<Producer> producers;
  std::vector<Case> tests;
  DeadLetters dead_letters;
  LogUse log;
  std::vector<RegistryUse> registries;
  std::vector<Reference> environment;  // in the file's order
  std::vector<std::string> secrets;    // names of ${secret:name}, sorted, each once
  std::shared_ptr<const yaml::Document> document;

  const Topic* topic(std::string_view name) const;
  const Stage* stage(std::string_view id_or_name) const;
  const Store* store(std::string_view name) const;
  const Table* table(std::string_view name) const;
};

struct CheckOptions {
  std::string target;  // "" = local, else the only one
  std::function<std::optional<std::string>(std::string_view)>
      env;  // ${env:NAME}; absent: the process's
  // ${env:NAME} is not looked up: one with a fallback has that, another stays as it stands. What
  // comes out depends on the files alone.
  bool keep_references = false;
  // Reads the pipeline file and the schema files whole. P001 (none there), P002 (a folder) or P003
  // (more bytes than the limit), without a place. Required.
  std::function<Result<std::string>(const std::string& path, size_t limit_bytes)> read_file;
  // Table shapes come from the parts that read them (csv header …): name, config, folder -> shape.
  std::function<Result<flow::MakeContext::TableShape>(const flow::PartSpec&, const flow::Config&,
                                                      const std::string& folder)>
      table_shape;
  // Whether a producer's settings fit the schema of the topic that it fills: part, config, schema.
  std::function<Result<void>(std::string_view, const flow::Config&, const avro::SchemaPtr&)>
      producer_fits;
};

struct Checked {
  std::shared_ptr<const Plan> plan;  // null when there are errors
  std::vector<Error> errors;
  std::vector<Error> warnings;  // lints
};

using Parts = std::span<const flow::PartSpec>;

Checked check(const std::string& path, Parts parts, const CheckOptions& options);

// What will run, in words, for people; and as JSON (a contract).
std::string describe(const Plan& plan);
std::string to_json(const Plan& plan);
// SHA-like stable hash of what the plan does (not of comments or order of keys): 16 hex digits.
std::string hash(const Plan& plan);

// The JSON Schema of the pipeline file with these parts, for editors.
std::string json_schema(Parts parts);
// What a section ("stages"), a field ("stages.from"), a kind of part ("store"), a part
// ("store.redshift") or its field ("store.redshift.staging") is; what stands before it may be left
// out, and then all that end so are told ("key"). "" when nothing has that name.
std::string explain_field(Parts parts, std::string_view path);
// Every name that is explained, in full.
std::vector<std::string> explained_names(Parts parts);
// The reference in Markdown: "file", and a page for each kind of part.
struct Page {
  std::string name, text;
};
std::vector<Page> reference_pages(Parts parts);

// The running steps of a stage, and the shape at their end. Called by check() and again by each
// worker.
struct MadeSteps {
  std::vector<std::unique_ptr<flow::Step>> steps;
  flow::Shape shape;                // after the last step
  std::vector<std::string> tables;  // in the order of StepContext::tables
  struct Side {
    std::string topic;
    flow::Shape shape;
  };
  std::vector<Side> sides;  // in the order of StepContext::sides
};
Result<MadeSteps> make_steps(const Plan& plan, const Stage& stage);

}  // namespace penstock::plan
