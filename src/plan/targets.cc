// The section `targets:`. Each target is proven, not only the one that was chosen: what the
// environment gives is not asked of the others.
#include "base/suggest.h"
#include "plan/draft.h"
#include "plan/values.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::plan {
namespace {

// A bare name stands for a log without settings.
const flow::PartSpec* bare_log(Draft& draft, const yaml::Node& log) {
  const flow::PartSpec* part = draft.part(flow::PartKind::log, log.text);
  if (part == nullptr) return nullptr;
  for (const flow::FieldSpec& field : part->fields) {
    if (!field.required) continue;
    draft.report(fail("P020"_code, fmt::format("log \"{0}\" lacks \"{1}\": {2}", part->name,
                                               field.name, field.doc))
                     .cure(fmt::format("write log: {{{}: \"{}\"}}", field.name, field.example)),
                 log);
  }
  return part;
}

// Null: it was refused.
const flow::PartSpec* check_log(Draft& draft, const yaml::Node& log) {
  const bool bare = log.kind == yaml::NodeKind::scalar;
  if (!bare && (log.kind != yaml::NodeKind::mapping || log.entries.empty())) {
    draft.report(fail("P021"_code, "\"log\" takes a name, or a mapping of settings")
                     .cure("write log: embedded, or log: {kafka: \"broker:9092\"}"),
                 log);
    return nullptr;
  }
  const flow::PartSpec* part = bare ? bare_log(draft, log) : nullptr;
  for (const auto& [key, value] : log.entries) {
    if (part == nullptr) part = draft.part(flow::PartKind::log, key.text);
  }
  if (part == nullptr) {
    const auto names = draft.part_names(flow::PartKind::log);
    const yaml::Node& at = bare ? log : log.entries.front().key;
    draft.report(fail("P036"_code, fmt::format("there is no log \"{}\"", at.text))
                     .hint(did_you_mean(at.text, names))
                     .cure(fmt::format("write one of: {}", fmt::join(names, ", "))),
                 at);
    return nullptr;
  }
  const std::string what = fmt::format("log \"{}\"", part->name);
  if (!bare && part->fields.empty()) {
    draft.report(fail("P021"_code, what + " has no settings")
                     .because("it lies in the data folder of this machine")
                     .cure(fmt::format("write log: {}", part->name)),
                 log.entries.front().key);
  } else if (!bare) {
    draft.check_part(log, log, *part, what);
  }
  return part;
}

void read_log(Draft& draft, const yaml::Node& target, const yaml::Node& name) {
  const yaml::Node* log = target.find("log");
  if (log == nullptr) {
    if (name.text == "local") return;
    draft.report(
        fail("P051"_code, fmt::format("target \"{}\" does not say where its log is", name.text)),
        target.entries.empty() ? name : target.entries.front().key);
    return;
  }
  if (is_open_reference(*log)) return;
  const flow::PartSpec* part = check_log(draft, *log);
  if (part == nullptr || &target != draft.target) return;
  draft.plan->log.part = part->name;
  draft.plan->log.guarantee = part->guarantee;
  if (log->kind == yaml::NodeKind::scalar) return;
  draft.plan->log.config = draft.config(*log);
  if (part->promises) draft.plan->log.guarantee = part->promises(*draft.plan->log.config);
}

void check_store_names(Draft& draft, const yaml::Node& stores, const std::string& what) {
  if (stores.kind != yaml::NodeKind::mapping) {
    draft.report(fail("P021"_code, fmt::format("the stores of {} are a mapping", what))
                     .cure("write stores: {latest: sqlite}"),
                 stores);
    return;
  }
  for (const auto& [store, settings] : stores.entries) {
    const auto names = draft.store_names();
    if (std::ranges::find(names, store.text) != names.end()) continue;
    draft.report(fail("P032"_code, fmt::format("there is no store \"{}\"", store.text))
                     .hint(did_you_mean(store.text, names)),
                 store);
  }
}

bool knows(const flow::PartSpec& part, const yaml::Node& settings) {
  return std::ranges::all_of(settings.entries, [&](const auto& entry) {
    return entry.key.text == part.name ||
           std::ranges::find(part.fields, entry.key.text, &flow::FieldSpec::name) !=
               part.fields.end();
  });
}

// The kind that a target's settings are of, when that is not the store's: it is named among them,
// or has all these fields where the store's kind has not.
const flow::PartSpec* other_kind(Draft& draft, const flow::PartSpec& part,
                                 const yaml::Node& settings) {
  if (settings.kind != yaml::NodeKind::mapping || knows(part, settings)) return nullptr;
  for (const auto& [key, value] : settings.entries) {
    const flow::PartSpec* named = draft.part(flow::PartKind::store, key.text);
    if (named != nullptr && named != &part) return named;
  }
  for (const flow::PartSpec& other : draft.parts)
    if (other.kind == flow::PartKind::store && knows(other, settings)) return &other;
  return nullptr;
}

// The kind that a target's word alone names; "" when it was refused.
std::string other_kind_of(Draft& draft, const yaml::Node& word) {
  if (draft.part(flow::PartKind::store, word.text) != nullptr) return word.text;
  const auto names = draft.part_names(flow::PartKind::store);
  draft.report(fail("P036"_code, fmt::format("there is no kind of store \"{}\"", word.text))
                   .hint(did_you_mean(word.text, names)),
               word);
  return {};
}

}  // namespace

bool may_differ_by_target(const flow::PartSpec& store, std::string_view field) {
  return field != store.name && field != "key" && field != "upsert_on" && field != "newest_by";
}

namespace {

void check_target_settings(Draft& draft, const yaml::Node& settings, const std::string& what,
                           const flow::PartSpec& part, const std::string& store) {
  for (const auto& [key, value] : settings.entries) {
    if (may_differ_by_target(part, key.text)) continue;
    draft.report(
        fail("P012"_code, fmt::format("\"{}\" of {} is the same in every target", key.text, what))
            .because("the table and the key of its rows stand in the store's own line")
            .cure(fmt::format("write {}: in the store's own line", key.text)),
        key);
    return;
  }
  if (const flow::PartSpec* other = other_kind(draft, part, settings)) {
    draft.report(fail("P012"_code, fmt::format("{} is a {}, and the target gives it settings of {}",
                                               what, part.name, other->name))
                     .because("a target changes a store's settings, or its kind alone")
                     .cure(fmt::format("write {}: {} for a {} without settings of its own, or {} "
                                       "in the store's own line",
                                       store, other->name, other->name, other->name)),
                 settings);
    return;
  }
  std::vector<flow::FieldSpec> fields;
  for (const flow::FieldSpec& field : part.fields)
    if (may_differ_by_target(part, field.name)) fields.push_back(field);
  check_mapping(*draft.document, settings, settings, {fields, what + " of the target", true},
                draft.reporter());
}

// What a target says of a store that is of this kind: another kind, or settings of its own kind.
void apply_target(Draft& draft, const yaml::Node& settings, const std::string& what,
                  const std::string& kind, bool chosen, Store& store) {
  if (settings.kind == yaml::NodeKind::scalar) {
    const std::string other = other_kind_of(draft, settings);
    if (chosen && !other.empty()) store.part = other;
    return;
  }
  if (chosen) store.target_config = draft.config(settings);
  const flow::PartSpec* part = draft.part(flow::PartKind::store, kind);
  if (part != nullptr) check_target_settings(draft, settings, what, *part, store.name);
}

}  // namespace

// All targets are proven; the chosen one counts.
void apply_targets(Draft& draft, const std::string& what, Store& store) {
  const std::string declared = store.part;
  if (draft.plan->target == "local") store.part = "sqlite";
  const yaml::Node* targets = draft.section("targets");
  if (targets == nullptr) return;
  for (const auto& [target, body] : targets->entries) {
    const yaml::Node* stores = body.find("stores");
    const yaml::Node* settings = stores == nullptr ? nullptr : stores->find(store.name);
    if (settings == nullptr || is_open_reference(*settings)) continue;
    apply_target(draft, *settings, what, target.text == "local" ? "sqlite" : declared,
                 &body == draft.target, store);
  }
}

bool is_open_reference(const yaml::Node& node) {
  return node.kind == yaml::NodeKind::scalar && node.text.starts_with("${");
}

void read_targets(Draft& draft) {
  const yaml::Node* targets = draft.section("targets");
  if (targets == nullptr) return;
  for (const auto& [name, body] : targets->entries) {
    const std::string what = fmt::format("target \"{}\"", name.text);
    if (!is_name(name.text)) {
      draft.report(fail("P047"_code, fmt::format("\"{}\" cannot be a target's name", name.text)),
                   name);
    }
    if (!draft.check(body, name, "targets", what) && body.kind != yaml::NodeKind::mapping) continue;
    check_settings(draft, body, what);
    read_log(draft, body, name);
    const yaml::Node* registry = body.find("registry");
    if (registry != nullptr) read_registries(draft, *registry, &body == draft.target);
    if (const yaml::Node* topics = body.find("topics")) {
      draft.check(*topics, name, "topics", "topics of " + what);
    }
    if (const yaml::Node* stores = body.find("stores")) check_store_names(draft, *stores, what);
  }
}

}  // namespace penstock::plan
