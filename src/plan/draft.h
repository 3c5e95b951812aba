// draft.h — a Plan while it is read: what the passes of check() share.
//
// Thread      one check() call.
// Lifetime    inside check(); the document is shared with the Plan that comes out.
// Errors      collected, at most kMaxErrors; a pass goes on where later things do not follow from
//             the fault.
//
//     Draft draft(parts, options);
//     read_sections(draft);  make_stages(draft);  lint(draft);
#pragma once

#include "plan/fields.h"
#include "plan/plan.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::plan {

inline constexpr size_t kMaxErrors = 20;

// A topic as declared, before it is expanded.
struct TopicDraft {
  const yaml::Node* name = nullptr;  // the key
  const yaml::Node* body = nullptr;
  std::string prefix;  // "usage." of usage.<tenant>
  std::string field;   // "tenant", or ""
  std::vector<std::string> values;
};

// A stage's line, before topics are expanded and stores are split.
struct StageDraft {
  const yaml::Node* name = nullptr;
  const yaml::Node* body = nullptr;
  std::vector<std::pair<const yaml::Node*, std::string>> from;  // expanded topic names
  std::vector<const yaml::Node*> to_topics;                     // declared names
  std::vector<const yaml::Node*> to_stores;
  std::vector<std::string> writes;  // expanded topics, `send` included
  std::vector<StepUse> steps;
  bool broken = false;  // an error stands already: what follows from it is not told
};

struct Draft {
  Draft(Parts all_parts, const CheckOptions& given) : parts(all_parts), options(given) {}

  Parts parts;
  const CheckOptions& options;
  std::shared_ptr<yaml::Document> document;
  const yaml::Node* target = nullptr;  // the mapping of the chosen one, or null
  std::shared_ptr<Plan> plan = std::make_shared<Plan>();
  std::map<std::string, avro::SchemaPtr, std::less<>> schemas;  // null: it had an error
  std::set<std::string, std::less<>> schemas_within;            // others use their types
  std::vector<TopicDraft> topics;
  std::vector<StageDraft> stages;
  bool has_tables_missing = false;
  bool has_routes_broken = false;  // some stage does not say well where it ends
  std::vector<Error> errors;
  std::vector<Error> warnings;

  const yaml::Node& root() const { return document->root(); }
  const yaml::Node* section(std::string_view name) const;
  void report(Error error);
  void report(Failure failure, const yaml::Node& at);
  void warn(Code code, std::string message, const yaml::Node& at);
  Report reporter() {
    return [this](Error error) { report(std::move(error)); };
  }
  bool check(const yaml::Node& node, const yaml::Node& anchor, std::string_view section_name,
             const std::string& what);
  // The same of a part's settings: mappings among them are checked too.
  bool check_part(const yaml::Node& node, const yaml::Node& anchor, const flow::PartSpec& of,
                  const std::string& what);
  const flow::PartSpec* part(flow::PartKind kind, std::string_view name) const;
  std::vector<std::string_view> part_names(flow::PartKind kind) const;
  std::shared_ptr<flow::Config> config(const yaml::Node& node) const {
    return std::make_shared<flow::Config>(document.get(), &node);
  }
  Topic* topic(std::string_view name);
  TopicDraft* declared(std::string_view name);
  std::vector<std::string_view> topic_names() const;
  std::vector<std::string_view> store_names() const;
};

// The passes of check(), in this order.
bool open_document(Draft& draft, const std::string& path);
bool choose_target(Draft& draft);
void resolve_references(Draft& draft);
void read_sections(Draft& draft);
void read_schemas(Draft& draft);
void read_topics(Draft& draft);
void read_tables(Draft& draft);
void read_stores(Draft& draft);
void read_producers(Draft& draft);
// What the targets say of a store; the chosen one counts.
void apply_targets(Draft& draft, const std::string& what, Store& store);
// Of all targets; the chosen one's log and registries become the plan's.
void read_targets(Draft& draft);
void read_registries(Draft& draft, const yaml::Node& registry, bool chosen);
// After the topics: framings whose registry the target does not name.
void check_framings(Draft& draft);
void read_stages(Draft& draft);
void make_stages(Draft& draft);
void read_tests(Draft& draft);
void lint(Draft& draft);

// The schema under which a stage's result stays in a topic or a store: a field that a step added
// may be null there, so that records from before the step was written can still be read. The fields
// of `whole` stay as they are.
Result<avro::SchemaPtr> lasting_schema(const flow::Shape& shape,
                                       const std::vector<std::string>& whole);
// R009 in the place of R001 and R002 when the rule is nothing but words: most likely a text that
// lacks its quotes. Any other error is returned as it came.
Error explain_rule(const Stage& stage, Error error);
// The epoch: and scale: in a mapping, wherever they may stand. False when anything was reported.
bool check_settings(Draft& draft, const yaml::Node& in, const std::string& what);
// Settings that may stand in several places; the later call wins.
void apply_epoch(const yaml::Node* node, EpochLimits& epoch);
void apply_scale(const yaml::Node* node, Scale& scale, int32_t partitions);
// False when it was refused: keys have to compare exactly.
bool check_key_type(Draft& draft, const Topic& topic, std::string_view field,
                    const avro::Node& type, const yaml::Node& at);
// True when the value is the secret itself; the error shows no character of it.
bool refuse_clear_secret(Draft& draft, const yaml::Node& name, const yaml::Node& value);
// Of a target that was not chosen, or a secret.
bool is_open_reference(const yaml::Node& node);
// A list or a single scalar as nodes.
std::vector<const yaml::Node*> nodes_of(const yaml::Node* node);
std::vector<std::string> texts_of(const yaml::Node* node);
bool is_name(std::string_view text);

}  // namespace penstock::plan
