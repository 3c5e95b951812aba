#include "plan/draft.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::plan {
namespace {

bool is_step(const StepUse& use, std::string_view name) { return use.part->name == name; }

void unused_topics(Draft& draft) {
  for (const TopicDraft& declared : draft.topics) {
    const auto uses = [&](const std::string& name) {
      const Topic* topic = draft.topic(name);
      return topic != nullptr && topic->declared == declared.name->text;
    };
    const auto in = [&](const std::vector<std::string>& names) {
      return std::ranges::any_of(names, uses);
    };
    const bool used =
        std::ranges::any_of(draft.plan->stages,
                            [&](const Stage& stage) {
                              return in(stage.from) || in(stage.to_topics) || in(stage.sides);
                            }) ||
        std::ranges::any_of(draft.plan->producers,
                            [&](const Producer& producer) { return uses(producer.to); });
    if (!used) draft.warn("P202"_code, "topic \"" + declared.name->text + "\"", *declared.name);
  }
}

bool table_used(const Draft& draft, const std::string& name) {
  const bool joined = std::ranges::any_of(draft.plan->stages, [&](const Stage& stage) {
    return std::ranges::any_of(stage.steps, [&](const StepUse& use) {
      return is_step(use, "join") && use.config->text("table") == name;
    });
  });
  return joined || std::ranges::any_of(draft.plan->producers, [&](const Producer& producer) {
           return producer.config->text("meters") == name;
         });
}

void unused_names(Draft& draft) {
  const auto each = [&](std::string_view section, auto&& used, Code code, std::string_view what) {
    const yaml::Node* in = draft.section(section);
    if (in == nullptr) return;
    for (const auto& [name, body] : in->entries) {
      if (!used(name.text)) draft.warn(code, fmt::format("{} \"{}\"", what, name.text), name);
    }
  };
  each(
      "stores",
      [&](const std::string& name) {
        return std::ranges::find(draft.plan->stages, name, &Stage::to_store) !=
               draft.plan->stages.end();
      },
      "P203"_code, "store");
  each(
      "tables", [&](const std::string& name) { return table_used(draft, name); }, "P204"_code,
      "table");
  each(
      "schemas",
      [&](const std::string& name) {
        if (draft.schemas_within.contains(name)) return true;
        return std::ranges::any_of(draft.topics, [&](const TopicDraft& topic) {
          const auto* schema = topic.body->find("schema");
          return schema != nullptr && schema->text == name;
        });
      },
      "P205"_code, "schema");
}

void topics(Draft& draft) {
  for (const TopicDraft& declared : draft.topics) {
    int64_t partitions = 0;
    for (const Topic& topic : draft.plan->topics) {
      if (topic.declared == declared.name->text) partitions += topic.partitions;
    }
    if (!declared.field.empty() && partitions > 200) {
      draft.warn("P207"_code,
                 fmt::format("\"{}\" makes {} partitions", declared.name->text, partitions),
                 *declared.name);
    }
    const yaml::Node* keep = declared.body->find("keep");
    const Topic* first = draft.topic(
        declared.field.empty() ? declared.name->text : declared.prefix + declared.values.front());
    if (keep != nullptr && first->keep_millis >= 0 && first->keep_millis < 6 * 3'600'000) {
      draft.warn("P211"_code,
                 fmt::format("\"{}\" keeps records for {}", declared.name->text, keep->text),
                 *keep);
    }
  }
}

void store_stage(Draft& draft, const Stage& stage) {
  const Store& store = *draft.plan->store(stage.to_store);
  const yaml::Node& body = store.config->node();
  for (const StepUse& use : stage.steps) {
    if (store.part != "dynamodb" || !is_step(use, "join")) continue;
    const Table* table = draft.plan->table(use.config->text("table"));
    if (table->refresh_millis == 0) continue;
    draft.warn("P208"_code, fmt::format("stage \"{}\" joins \"{}\"", stage.id, table->name),
               *use.config->find("table"));
  }
  if (store.table.merge != flow::Merge::upsert) return;
  const Topic& input = *draft.topic(stage.from.front());
  for (const std::string& key : input.key) {
    if (std::ranges::find(store.table.key, key) != store.table.key.end()) continue;
    const auto* at = body.find("upsert_on") != nullptr ? body.find("upsert_on") : body.find("key");
    draft.warn("P209"_code,
               fmt::format("store \"{}\" lacks the topic's key \"{}\"", store.name, key), *at);
    return;
  }
}

void writers(Draft& draft) {
  for (const Store& store : draft.plan->stores) {
    if (store.part != "redshift") continue;
    int count = 0;
    for (const Stage& stage : draft.plan->stages) {
      count += stage.to_store.empty() ? 0
               : draft.plan->store(stage.to_store)->part == store.part &&
                       draft.plan->store(stage.to_store)->table.table == store.table.table
                   ? 1
                   : 0;
    }
    if (count > 1) {
      draft.warn("P210"_code, fmt::format("{} stages write \"{}\"", count, store.table.table),
                 store.config->node());
    }
  }
}

void thresholds(Draft& draft) {
  // Only what was written: the default is the published design's and is explained there.
  const auto look = [&](const yaml::Node* in, const Stage& stage) {
    const yaml::Node* scale = in == nullptr ? nullptr : in->find("scale");
    const yaml::Node* lag = scale == nullptr ? nullptr : scale->find("lag_threshold");
    const yaml::Node* epoch = in == nullptr ? nullptr : in->find("epoch");
    const yaml::Node* rows = epoch == nullptr ? nullptr : epoch->find("rows");
    if (lag == nullptr || rows == nullptr) return;
    if (stage.scale.lag_threshold >= static_cast<int64_t>(stage.epoch.rows)) return;
    draft.warn("P206"_code,
               fmt::format("stage \"{}\": threshold {}, epochs of {} rows", stage.id,
                           stage.scale.lag_threshold, stage.epoch.rows),
               *lag);
  };
  for (const StageDraft& one : draft.stages) {
    if (const Stage* stage = draft.plan->stage(one.name->text)) look(one.body, *stage);
  }
}

}  // namespace

void lint(Draft& draft) {
  unused_topics(draft);
  unused_names(draft);
  topics(draft);
  for (const Stage& stage : draft.plan->stages) {
    if (!stage.to_store.empty()) store_stage(draft, stage);
  }
  writers(draft);
  thresholds(draft);
}

}  // namespace penstock::plan
