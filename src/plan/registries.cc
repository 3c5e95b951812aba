#include "base/suggest.h"
#include "plan/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace penstock::plan {
namespace {

// Empty: it was refused.
std::vector<RegistryUse> check_registry(Draft& draft, const yaml::Node& body) {
  const auto names = draft.part_names(flow::PartKind::registry);
  if (body.kind != yaml::NodeKind::mapping || body.entries.empty()) {
    draft.report(fail("P021"_code, "\"registry\" takes a mapping of settings, or a list of them")
                     .cure("write registry: {confluent: \"https://registry:8081\"}"),
                 body);
    return {};
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
    return {};
  }
  draft.check_part(body, body, *part, fmt::format("registry \"{}\"", part->name));
  return {{std::string(part->name), draft.config(body)}};
}

std::string_view registry_of(avro::Framing framing) {
  return framing == avro::Framing::glue ? "glue" : "confluent";
}

}  // namespace

void read_registries(Draft& draft, const yaml::Node& registry, bool chosen) {
  const bool list = registry.kind == yaml::NodeKind::sequence && !registry.items.empty();
  std::vector<RegistryUse> all;
  for (const yaml::Node* each : list ? nodes_of(&registry) : std::vector{&registry}) {
    for (RegistryUse& use : check_registry(draft, *each)) {
      if (std::ranges::find(all, use.part, &RegistryUse::part) == all.end()) {
        all.push_back(std::move(use));
        continue;
      }
      draft.report(fail("P009"_code, fmt::format("registry \"{}\" stands twice", use.part))
                       .because("an id would not say which of the two it is of")
                       .cure("name one registry of each kind"),
                   each->entries.front().key);
    }
  }
  if (chosen) draft.plan->registries = std::move(all);
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
