#include "base/suggest.h"
#include "plan/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace penstock::plan {
namespace {

void read_registry(Draft& draft, const yaml::Node& body) {
  const auto names = draft.part_names(flow::PartKind::registry);
  if (body.kind != yaml::NodeKind::mapping || body.entries.empty()) {
    draft.report(fail("P021"_code, "\"registry\" takes a mapping of settings, or a list of them")
                     .cure("write registry: {confluent: \"https://registry:8081\"}"),
                 body);
    return;
  }
  const flow::PartSpec* part = nullptr;
  for (const auto& [key, value] : body.entries) {
    if (part == nullptr) part = draft.part(flow::PartKind::registry, key.text);
  }
  const yaml::Node& first = body.entries.front().key;
  if (part == nullptr) {
    draft.report(fail("P036"_code, fmt::format("there is no registry \"{}\"", first.text))
                     .hint(did_you_mean(first.text, names))
                     .cure(fmt::format("write one of: {}", fmt::join(names, ", "))),
                 first);
    return;
  }
  const std::string what = fmt::format("registry \"{}\"", part->name);
  auto& all = draft.plan->registries;
  if (std::ranges::find(all, part->name, &RegistryUse::part) != all.end()) {
    draft.report(fail("P009"_code, what + " stands twice")
                     .because("an id would not say which of the two it is of")
                     .cure("name one registry of each kind"),
                 first);
    return;
  }
  check_mapping(*draft.document, body, body, {part->fields, what}, draft.reporter());
  all.push_back({std::string(part->name), draft.config(body)});
}

std::string_view registry_of(avro::Framing framing) {
  return framing == avro::Framing::glue ? "glue" : "confluent";
}

}  // namespace

void read_registries(Draft& draft) {
  const yaml::Node* registry = draft.target == nullptr ? nullptr : draft.target->find("registry");
  if (registry == nullptr) return;
  if (registry->kind != yaml::NodeKind::sequence) return read_registry(draft, *registry);
  for (const yaml::Node& each : registry->items) read_registry(draft, each);
}

void check_framings(Draft& draft) {
  const auto& all = draft.plan->registries;
  for (const TopicDraft& declared : draft.topics) {
    const auto topic = std::ranges::find(draft.plan->topics, declared.name->text, &Topic::declared);
    if (topic == draft.plan->topics.end() || !avro::needs_registry(topic->framing)) continue;
    const std::string_view wanted = registry_of(topic->framing);
    if (std::ranges::find(all, wanted, &RegistryUse::part) != all.end()) continue;
    const yaml::Node* at = declared.body->find("framing");
    draft.report(
        fail("L145"_code, fmt::format("topic \"{}\" is framed as {}, and target \"{}\" has no {} "
                                      "registry",
                                      topic->declared, avro::to_text(topic->framing),
                                      draft.plan->target, wanted)),
        at == nullptr ? *declared.name : *at);
  }
}

}  // namespace penstock::plan
