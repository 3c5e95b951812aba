#include "app/registries.h"

#include "registry/part.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace penstock::app {
namespace {

bool is_written(const plan::Plan& plan, const plan::Topic& topic) {
  const auto has = [&](const std::vector<std::string>& names) {
    return std::ranges::find(names, topic.name) != names.end();
  };
  return std::ranges::any_of(
             plan.stages,
             [&](const plan::Stage& stage) { return has(stage.to_topics) || has(stage.sides); }) ||
         std::ranges::find(plan.producers, topic.name, &plan::Producer::to) != plan.producers.end();
}

// What is to become of one topic's schema.
struct Outlook {
  std::string subject;
  std::string where;
  std::optional<avro::SchemaId> known;
  std::optional<Error> trouble;  // it will be refused, or the registry can not be asked
};

Result<std::optional<avro::SchemaId>> look(registry::Registry& registry, const plan::Topic& topic,
                                           const std::string& subject) {
  PENSTOCK_TRY(known, registry.look_up(subject, topic.framing, *topic.schema));
  if (known) return known;
  if (!registry.may_register()) {
    return fail("L143"_code, fmt::format("the schema of topic {} is not under subject {} at {}",
                                         topic.name, subject, registry.where()));
  }
  PENSTOCK_TRY(past, registry.past(subject));
  if (auto error = registry::objection(past, subject, *topic.schema))
    return std::unexpected(*std::move(error));
  return known;
}

Outlook outlook_of(const Registries& registries, const plan::Topic& topic) {
  Outlook outlook;
  for (const auto& registry : registries) {
    if (!registry->speaks(topic.framing)) continue;
    outlook.subject = registry->subject_of(topic.name, *topic.schema);
    outlook.where = registry->where();
    auto known = look(*registry, topic, outlook.subject);
    if (known) {
      outlook.known = *known;
    } else {
      outlook.trouble = std::move(known).error();
    }
  }
  return outlook;
}

}  // namespace

Result<Registries> open_registries(const plan::Plan& plan, const Clock& clock) {
  Registries all;
  for (const plan::RegistryUse& use : plan.registries) {
    PENSTOCK_TRY(opened, registry::open_registry(use.part, *use.config, clock));
    all.push_back(std::move(opened));
  }
  return all;
}

std::vector<const plan::Topic*> enrolled_topics(const plan::Plan& plan) {
  std::vector<const plan::Topic*> all;
  for (const plan::Topic& topic : plan.topics) {
    if (avro::needs_registry(topic.framing) && topic.schema && is_written(plan, topic))
      all.push_back(&topic);
  }
  return all;
}

std::string describe_schemas(const plan::Plan& plan, const Clock& clock) {
  const auto topics = enrolled_topics(plan);
  if (topics.empty()) return "";
  std::string out = "\nschemas in registries\n";
  const auto registries = open_registries(plan, clock);
  if (!registries) return out + fmt::format("  not asked: {}\n", one_line(registries.error()));
  for (const plan::Topic* topic : topics) {
    const Outlook outlook = outlook_of(*registries, *topic);
    out += fmt::format("  {}: subject {} at {}\n", topic->name, outlook.subject, outlook.where);
    if (outlook.trouble) {
      out += fmt::format("    {}\n", one_line(*outlook.trouble));
    } else if (outlook.known) {
      out += fmt::format("    is there: {}\n", avro::to_text(*outlook.known));
    } else {
      out += fmt::format("    will be registered: {}\n", topic->schema->json());
    }
  }
  return out;
}

std::vector<Error> schema_objections(const plan::Plan& plan, const Clock& clock) {
  const auto topics = enrolled_topics(plan);
  if (topics.empty()) return {};
  const auto registries = open_registries(plan, clock);
  if (!registries) return {registries.error()};
  std::vector<Error> found;
  for (const plan::Topic* topic : topics) {
    Outlook outlook = outlook_of(*registries, *topic);
    if (outlook.trouble) found.push_back(*std::move(outlook.trouble));
  }
  return found;
}

}  // namespace penstock::app
