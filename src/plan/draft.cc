#include "plan/draft.h"

#include "base/suggest.h"
#include "plan/values.h"

#include <algorithm>

namespace penstock::plan {

namespace {

bool has_place(const std::vector<Error>& all, const Error& error) {
  return std::ranges::any_of(all, [&](const Error& other) {
    return other.code == error.code && other.place.file == error.place.file &&
           other.place.line == error.place.line && other.place.column == error.place.column;
  });
}

}  // namespace

const yaml::Node* Draft::section(std::string_view name) const {
  const yaml::Node* found = root().find(name);
  return found != nullptr && found->kind == yaml::NodeKind::mapping ? found : nullptr;
}

void Draft::report(Error error) {
  // A slip that several passes meet is told once.
  if (has_place(errors, error)) return;
  if (errors.size() < kMaxErrors) errors.push_back(std::move(error));
}

void Draft::report(Failure failure, const yaml::Node& at) {
  report(std::move(failure).at(document->place(at)).take());
}

void Draft::warn(Code code, std::string message, const yaml::Node& at) {
  if (warnings.size() >= kMaxErrors) return;
  Error warning = fail(code, std::move(message)).at(document->place(at)).take();
  // A setting of all stages is told of the first.
  if (!has_place(warnings, warning)) warnings.push_back(std::move(warning));
}

bool Draft::check(const yaml::Node& node, const yaml::Node& anchor, std::string_view section_name,
                  const std::string& what) {
  return check_mapping(*document, node, anchor, {section_fields(section_name), what}, reporter());
}

bool Draft::check_part(const yaml::Node& node, const yaml::Node& anchor, const flow::PartSpec& of,
                       const std::string& what) {
  return check_mapping(*document, node, anchor, {of.fields, what, true}, reporter());
}

const flow::PartSpec* Draft::part(flow::PartKind kind, std::string_view name) const {
  const auto found = std::ranges::find_if(
      parts, [&](const flow::PartSpec& spec) { return spec.kind == kind && spec.name == name; });
  return found == parts.end() ? nullptr : &*found;
}

std::vector<std::string_view> Draft::part_names(flow::PartKind kind) const {
  std::vector<std::string_view> names;
  for (const flow::PartSpec& spec : parts) {
    if (spec.kind == kind) names.push_back(spec.name);
  }
  return names;
}

Topic* Draft::topic(std::string_view name) {
  const auto found = std::ranges::find(plan->topics, name, &Topic::name);
  return found == plan->topics.end() ? nullptr : &*found;
}

TopicDraft* Draft::declared(std::string_view name) {
  const auto found = std::ranges::find_if(
      topics, [&](const TopicDraft& topic) { return topic.name->text == name; });
  return found == topics.end() ? nullptr : &*found;
}

std::vector<std::string_view> Draft::topic_names() const {
  std::vector<std::string_view> names;
  for (const TopicDraft& topic : topics) names.push_back(topic.name->text);
  return names;
}

std::vector<std::string_view> Draft::store_names() const {
  std::vector<std::string_view> names;
  if (const yaml::Node* stores = section("stores")) {
    for (const auto& [key, value] : stores->entries) names.push_back(key.text);
  }
  return names;
}

std::vector<const yaml::Node*> nodes_of(const yaml::Node* node) {
  std::vector<const yaml::Node*> nodes;
  if (node == nullptr) return nodes;
  if (node->kind != yaml::NodeKind::sequence) return {node};
  for (const yaml::Node& item : node->items) nodes.push_back(&item);
  return nodes;
}

std::vector<std::string> texts_of(const yaml::Node* node) {
  std::vector<std::string> texts;
  for (const yaml::Node* one : nodes_of(node)) texts.push_back(one->text);
  return texts;
}

bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= 200 && text != "." && text != ".." &&
         std::ranges::all_of(text, fits);
}

void apply_epoch(const yaml::Node* node, EpochLimits& epoch) {
  if (node == nullptr) return;
  if (const auto* rows = node->find("rows")) {
    epoch.rows = static_cast<uint64_t>(parse_count(rows->text).value_or(1));
  }
  if (const auto* size = node->find("size")) {
    epoch.size_bytes = parse_size_bytes(size->text).value_or(epoch.size_bytes);
  }
  if (const auto* every = node->find("every")) {
    epoch.every_millis = parse_duration_millis(every->text).value_or(epoch.every_millis);
  }
}

void apply_scale(const yaml::Node* node, Scale& scale, int32_t partitions) {
  if (node == nullptr) return;
  const auto number = [&](std::string_view name, int64_t old) {
    const auto* found = node->find(name);
    return found == nullptr ? old : parse_count(found->text).value_or(old);
  };
  const auto duration = [&](std::string_view name, int64_t old) {
    const auto* found = node->find(name);
    return found == nullptr ? old : parse_duration_millis(found->text).value_or(old);
  };
  scale.min = static_cast<int32_t>(number("min", scale.min));
  const auto* max = node->find("max");
  if (max != nullptr && max->text == "partitions") {
    scale.max = partitions;
  } else {
    scale.max = static_cast<int32_t>(number("max", scale.max));
  }
  scale.lag_threshold = number("lag_threshold", scale.lag_threshold);
  scale.poll_millis = duration("poll", scale.poll_millis);
  scale.cooldown_millis = duration("cooldown", scale.cooldown_millis);
}

const Topic* Plan::topic(std::string_view name) const {
  const auto found = std::ranges::find(topics, name, &Topic::name);
  return found == topics.end() ? nullptr : &*found;
}

const Stage* Plan::stage(std::string_view id_or_name) const {
  auto found = std::ranges::find(stages, id_or_name, &Stage::id);
  if (found == stages.end()) found = std::ranges::find(stages, id_or_name, &Stage::name);
  return found == stages.end() ? nullptr : &*found;
}

const Store* Plan::store(std::string_view name) const {
  const auto found = std::ranges::find(stores, name, &Store::name);
  return found == stores.end() ? nullptr : &*found;
}

const Table* Plan::table(std::string_view name) const {
  const auto found = std::ranges::find(tables, name, &Table::name);
  return found == tables.end() ? nullptr : &*found;
}

}  // namespace penstock::plan
