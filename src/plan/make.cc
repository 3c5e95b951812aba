#include "base/suggest.h"
#include "flow/dead_letter.h"
#include "plan/draft.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::plan {
namespace {

class Context final : public flow::MakeContext {
 public:
  Context(const Plan& plan, const Stage& stage, MadeSteps& made)
      : plan_(plan), stage_(stage), made_(made) {}

  const TableShape* table(std::string_view name) const override {
    const Table* table = plan_.table(name);
    return table == nullptr || table->shape.schema == nullptr ? nullptr : &table->shape;
  }
  std::vector<std::string_view> table_names() const override {
    std::vector<std::string_view> names;
    for (const Table& table : plan_.tables) names.push_back(table.name);
    return names;
  }
  uint32_t use_table(std::string_view name) override {
    const auto found = std::ranges::find(made_.tables, name);
    const auto index = static_cast<uint32_t>(found - made_.tables.begin());
    if (found == made_.tables.end()) made_.tables.emplace_back(name);
    return index;
  }
  Result<uint32_t> use_side(std::string_view topic, const flow::Shape& shape,
                            const Place& place) override {
    if (!stage_.to_store.empty()) {
      return fail("P054"_code, fmt::format("stage \"{}\" ends in a store", stage_.name)).at(place);
    }
    if (plan_.topic(topic) == nullptr) {
      std::vector<std::string_view> names;
      for (const Topic& known : plan_.topics) names.push_back(known.name);
      return fail("P031"_code, fmt::format("there is no topic \"{}\"", topic))
          .at(place)
          .hint(did_you_mean(topic, names));
    }
    made_.sides.push_back({std::string(topic), shape});
    return static_cast<uint32_t>(made_.sides.size() - 1);
  }
  uint32_t step_index() const override { return step_; }
  void at_step(uint32_t step) { step_ = step; }

 private:
  const Plan& plan_;
  const Stage& stage_;
  MadeSteps& made_;
  uint32_t step_ = 0;
};

void set_defaults(const std::string& part, EpochLimits& epoch) {
  if (part == "sqlite" || part == "postgres") epoch.every_millis = 500;
  if (part == "dynamodb") epoch = {2'500, 8 << 20, 200};
  if (part == "redshift") epoch = {1'000'000, 64 << 20, 30'000};
}

// What a step or a stage makes has no schema.
Error shape_error(Error error, const Place& place) {
  if (error.place.line != 0) return error;
  error.place = place;
  if (error.code == "A002"_code) {
    error.cause = "the record holds itself, and the steps change the outer one alone";
    error.cure = "give what is repeated a record of another name, or leave the record as it is";
  }
  return error;
}

void report_shape(Draft& draft, Error error, const yaml::Node& to) {
  draft.report(shape_error(std::move(error), draft.document->place(to)));
}

// A topic gets the schema of its first writer; further writers and a declared schema must agree.
void give_schema(Draft& draft, StageDraft& stage, const std::string& name, const flow::Shape& shape,
                 const yaml::Node& at) {
  Topic* topic = draft.topic(name);
  auto schema = topic->schema_declared ? shape.schema() : lasting_schema(shape, {});
  if (!schema) {
    report_shape(draft, std::move(schema).error(), at);
    stage.broken = true;
    return;
  }
  for (const std::string& key : topic->key) {
    const TopicDraft& declared = *draft.declared(topic->declared);
    const yaml::Node* body = declared.body->find("key");
    if (const flow::Shape::Field* field = shape.field(key)) {
      if (topic->schema_declared) continue;  // told where it was declared
      if (check_key_type(draft, *topic, key, *field->type, *body)) continue;
      stage.broken = true;
      return;
    }
    draft.report(fail("P039"_code, fmt::format("the key \"{}\" of topic \"{}\" is no field of what "
                                               "stage \"{}\" makes",
                                               key, topic->declared, stage.name->text)),
                 body == nullptr ? *declared.name : *body);
    stage.broken = true;
    return;
  }
  if (topic->schema == nullptr) {
    if (!topic->schema_declared) topic->schema = std::move(*schema);
    return;
  }
  if (topic->schema->canonical() == (*schema)->canonical()) return;
  stage.broken = true;
  if (auto origins = shape.origins(*topic->schema); !origins) {
    Error error = std::move(origins).error();
    error.place = draft.document->place(at);
    draft.report(std::move(error));
    return;
  }
  for (const avro::Field& field : (*schema)->root().fields) {
    const avro::Field* other = topic->schema->root().field(field.name);
    if (other != nullptr && avro::describe(*other->type) == avro::describe(*field.type)) continue;
    draft.report(
        fail(
            "P044"_code,
            other == nullptr
                ? fmt::format("field \"{}\" is not in the schema of topic \"{}\"", field.name, name)
                : fmt::format("field \"{}\" is {} in topic \"{}\", but {} here", field.name,
                              avro::describe(*other->type), name, avro::describe(*field.type))),
        at);
    return;
  }
  stage.broken = false;  // only order or names of types differ: the encoder goes by field
}

bool find_input(Draft& draft, StageDraft& draft_stage, Stage& stage) {
  for (const auto& [node, name] : draft_stage.from) {
    const Topic* topic = draft.topic(name);
    if (topic == nullptr) return false;
    if (topic->schema == nullptr) {
      const bool written = std::ranges::any_of(draft.stages, [&](const StageDraft& other) {
        return std::ranges::find(other.writes, name) != other.writes.end();
      });
      if (!topic->schema_declared && !written && !draft.has_routes_broken) {
        draft.report(fail("P045"_code, fmt::format("nothing says what lies in \"{}\"", name)),
                     *node);
      }
      return false;
    }
    if (stage.input == nullptr) stage.input = topic->schema;
    if (stage.input->canonical() != topic->schema->canonical()) {
      draft.report(fail("P064"_code, fmt::format("\"{}\" and \"{}\" have different schemas",
                                                 stage.from.front(), name)),
                   *node);
      return false;
    }
    if (std::ranges::find(stage.from, name) == stage.from.end()) stage.from.push_back(name);
  }
  return stage.input != nullptr;
}

void set_limits(Draft& draft, const StageDraft& from, Stage& stage) {
  const yaml::Node* target = draft.target;
  const auto in = [](const yaml::Node* node, std::string_view name) {
    return node == nullptr ? nullptr : node->find(name);
  };
  if (!stage.to_store.empty()) {
    set_defaults(draft.plan->store(stage.to_store)->part, stage.epoch);
  }
  for (const yaml::Node* node : {&draft.root(), target, from.body}) {
    apply_epoch(in(node, "epoch"), stage.epoch);
  }
  int32_t partitions = 0;
  for (const std::string& name : stage.from) partitions += draft.topic(name)->partitions;
  stage.scale.max = partitions;
  for (const yaml::Node* node : {&draft.root(), target, from.body}) {
    const yaml::Node* scale = in(node, "scale");
    apply_scale(scale, stage.scale, partitions);
    const yaml::Node* max = in(scale, "max");
    if (stage.scale.max > partitions && max != nullptr) {
      draft.warn("P201"_code,
                 fmt::format("stage \"{}\" has up to {} workers for {} partitions", stage.id,
                             stage.scale.max, partitions),
                 *max);
      stage.scale.max = partitions;
    }
    const yaml::Node* min = in(scale, "min");
    if (stage.scale.min > stage.scale.max && min != nullptr) {
      draft.warn("P201"_code,
                 fmt::format("stage \"{}\" has at least {} workers, and at most {}", stage.id,
                             stage.scale.min, stage.scale.max),
                 *min);
      stage.scale.min = stage.scale.max;
    }
  }
  stage.scale.min = std::min(stage.scale.min, stage.scale.max);
}

// `partition: same`: every partition that is read has its counterpart in what is written.
void keeps_partitions(Draft& draft, StageDraft& from, const Stage& stage, const yaml::Node& at) {
  for (const std::string& output : stage.to_topics) {
    const Topic* to = draft.topic(output);
    if (to == nullptr || !to->same_partition) continue;
    for (const std::string& input : stage.from) {
      const int32_t partitions = draft.topic(input)->partitions;
      if (partitions == to->partitions) continue;
      draft.report(fail("P068"_code, fmt::format("topic {} has {} partitions, and {} has {}",
                                                 output, to->partitions, input, partitions)),
                   at);
      from.broken = true;
      return;
    }
  }
}

// Records go where a text field of theirs says.
bool check_route(Draft& draft, StageDraft& from, const Stage& stage, const flow::Shape& shape,
                 const yaml::Node& at) {
  const auto* field = shape.field(stage.route_field);
  if (field != nullptr && field->type->type == avro::Type::string) return true;
  draft.report(
      fail("P042"_code, fmt::format("the records have no text field \"{}\"", stage.route_field)),
      at);
  from.broken = true;
  return false;
}

// "usage_<tenant>": a table for each declared value.
void finish_tables(Draft& draft, StageDraft& from, Stage& stage, const flow::Shape& shape,
                   Store& store) {
  const std::string& name = store.table.table;
  const size_t open = name.find('<'), close = name.find('>');
  if (open == std::string::npos || close == std::string::npos || close < open) return;
  stage.route_field = name.substr(open + 1, close - open - 1);
  if (stage.route_field == "tenant") stage.route_values = texts_of(draft.root().find("tenants"));
  const yaml::Node& at = *from.body->find("to");
  if (stage.route_values.empty()) {
    draft.report(
        fail("P041"_code, fmt::format("nothing says which values <{}> has", stage.route_field)),
        at);
    from.broken = true;
    return;
  }
  if (!check_route(draft, from, stage, shape, at)) return;
  store.table.each.clear();
  for (const std::string& value : stage.route_values)
    store.table.each.push_back(name.substr(0, open) + value + name.substr(close + 1));
}

void finish_topics(Draft& draft, StageDraft& from, Stage& stage, const MadeSteps& made) {
  const yaml::Node& first = *from.to_topics.front();
  if (const TopicDraft* declared = draft.declared(first.text)) {
    stage.route_field = declared->field;
    stage.route_values = declared->values;
    for (const std::string& value : declared->values) {
      stage.to_topics.push_back(declared->prefix + value);
    }
    if (declared->field.empty()) stage.to_topics = {first.text};
  } else {
    stage.to_topics = {first.text};
  }
  if (!stage.route_field.empty() && !check_route(draft, from, stage, made.shape, first)) return;
  if (!from.broken) keeps_partitions(draft, from, stage, first);
  for (const std::string& name : stage.to_topics) {
    if (!from.broken) give_schema(draft, from, name, made.shape, first);
  }
}

void finish_store(Draft& draft, StageDraft& from, Stage& stage, const flow::Shape& shape) {
  const auto found = std::ranges::find(draft.plan->stores, stage.to_store, &Store::name);
  Store& store = *found;
  const yaml::Node& body = store.config->node();
  // A key, and what decides which row is newer, are never null.
  std::vector<std::string> whole;
  for (const std::string_view name : {"key", "upsert_on", "newest_by"}) {
    for (std::string& field : texts_of(body.find(name))) whole.push_back(std::move(field));
  }
  auto rows = lasting_schema(shape, whole);
  if (!rows) {
    report_shape(draft, std::move(rows).error(), *from.body->find("to"));
    return;
  }
  stage.output = *rows;
  finish_tables(draft, from, stage, shape, store);
  if (store.table.schema == nullptr) {
    store.table.schema = stage.output;
  } else if (store.table.schema->canonical() != stage.output->canonical()) {
    draft.report(fail("P062"_code,
                      fmt::format("store \"{}\" gets other rows from another stage", store.name)),
                 *from.body->find("to"));
  }
  for (const std::string_view name : {"key", "upsert_on", "newest_by"}) {
    for (const yaml::Node* field : nodes_of(body.find(name))) {
      if (stage.output->root().field(field->text) != nullptr) continue;
      std::vector<std::string_view> names;
      for (const avro::Field& known : stage.output->root().fields) names.push_back(known.name);
      draft.report(fail("P056"_code, fmt::format("\"{}\" is no field of what stage \"{}\" makes",
                                                 field->text, stage.name))
                       .hint(did_you_mean(field->text, names)),
                   *field);
    }
  }
}

// Steps with a memory see one partition: their groups hold at least the key of what they read.
void check_groups(Draft& draft, StageDraft& from, const Stage& stage) {
  for (const StepUse& use : stage.steps) {
    if (use.part->name != "window" && use.part->name != "unique") continue;
    const std::vector<std::string> by = texts_of(use.config->find("by"));
    for (const std::string& name : stage.from) {
      const Topic& topic = *draft.topic(name);
      const auto missing = std::ranges::find_if(topic.key, [&](const std::string& key) {
        return std::ranges::find(by, key) == by.end();
      });
      if (!topic.key.empty() && missing == topic.key.end()) continue;
      draft.report(
          fail("P050"_code, topic.key.empty()
                                ? fmt::format("topic \"{}\" declares no key", name)
                                : fmt::format("topic \"{}\" is keyed by \"{}\"", name, *missing)),
          *use.config->find("by"));
      from.broken = true;
      return;
    }
  }
}

// State is committed with the positions by a log; a store keeps none.
void check_memory(Draft& draft, StageDraft& from, const Stage& stage) {
  for (const StepUse& use : stage.steps) {
    if (stage.to_store.empty() || !use.part->remembers) continue;
    draft.report(fail("P067"_code,
                      fmt::format("stage \"{}\" ends in store \"{}\"", stage.name, stage.to_store)),
                 use.config->node());
    from.broken = true;
    return;
  }
}

// Without `secrets` a step whose key is not there is left out: it has told the shape what it makes.
Result<MadeSteps> make_all(const Plan& plan, const Stage& stage, bool secrets) {
  MadeSteps made{{}, flow::Shape(stage.input), {}, {}};
  Context context(plan, stage, made);
  uint32_t index = 0;
  for (const StepUse& use : stage.steps) {
    context.at_step(index++);
    if (!use.part->make) {
      return fail("P035"_code, fmt::format("step \"{}\" cannot be made", use.part->name))
          .at(use.config->place(use.config->node()));
    }
    auto step = use.part->make(*use.config, made.shape, context);
    if (!step && !secrets && step.error().code == "L115"_code) continue;
    if (!step) {
      const Place place = use.config->place(use.config->node());
      return std::unexpected(shape_error(std::move(step).error(), place));
    }
    made.steps.push_back(std::move(*step));
  }
  return made;
}

void make_one(Draft& draft, StageDraft& from, const std::string& store) {
  Stage stage;
  stage.name = from.name->text;
  stage.id = store.empty() ? stage.name : stage.name + "." + store;
  stage.to_store = store;
  stage.group = draft.plan->pipeline + "." + stage.id;
  if (const auto* group = from.body->find("group")) {
    stage.group = from.to_stores.size() > 1 ? group->text + "." + store : group->text;
  }
  const auto same = std::ranges::find(draft.plan->stages, stage.group, &Stage::group);
  if (same != draft.plan->stages.end()) {
    const auto* group = from.body->find("group");
    draft.report(fail("P057"_code, fmt::format("stages \"{}\" and \"{}\" have the group \"{}\"",
                                               same->id, stage.id, stage.group)),
                 group == nullptr ? *from.name : *group);
  }
  stage.dead_topic = draft.plan->dead_letters.topic;
  stage.dead_topic.replace(stage.dead_topic.find("<stage>"), 7, stage.name);
  stage.steps = from.steps;
  if (!find_input(draft, from, stage)) {
    from.broken = true;
    return;
  }
  set_limits(draft, from, stage);
  auto made = make_all(*draft.plan, stage, false);
  if (!made) {
    from.broken = true;
    // A table that could not be read is the fault, not the join.
    if (made.error().code != "P308"_code || !draft.has_tables_missing) {
      draft.report(explain_rule(stage, std::move(made).error()));
    }
    return;
  }
  check_groups(draft, from, stage);
  check_memory(draft, from, stage);
  if (from.broken) return;
  for (const MadeSteps::Side& side : made->sides) {
    stage.sides.push_back(side.topic);
    give_schema(draft, from, side.topic, side.shape, *from.body->find("to"));
  }
  auto output = made->shape.schema();
  if (!output) {
    report_shape(draft, std::move(output).error(), *from.body->find("to"));
    return;
  }
  stage.output = std::move(*output);
  if (store.empty()) {
    finish_topics(draft, from, stage, *made);
  } else {
    finish_store(draft, from, stage, made->shape);
  }
  draft.plan->stages.push_back(std::move(stage));
}

void add_dead_topics(Draft& draft) {
  Plan& plan = *draft.plan;
  for (const Stage& stage : plan.stages) {
    if (const TopicDraft* declared = draft.declared(stage.dead_topic)) {
      draft.report(fail("P046"_code, fmt::format("\"{}\" is the topic of a stage's dead letters",
                                                 stage.dead_topic)),
                   *declared->name);
    }
    if (plan.topic(stage.dead_topic) != nullptr) continue;
    Topic topic;
    topic.name = topic.declared = stage.dead_topic;
    topic.schema = flow::dead_letter_schema();
    topic.schema_declared = true;
    topic.replicas = plan.topic(stage.from.front())->replicas;
    topic.keep_millis = plan.dead_letters.keep_millis;
    plan.topics.push_back(std::move(topic));
  }
}

}  // namespace

Result<MadeSteps> make_steps(const Plan& plan, const Stage& stage) {
  return make_all(plan, stage, true);
}

void make_stages(Draft& draft) {
  for (StageDraft& stage : draft.stages) {
    if (stage.broken || stage.from.empty()) continue;
    if (stage.to_stores.empty()) {
      make_one(draft, stage, "");
    }
    for (const yaml::Node* store : stage.to_stores) {
      if (!stage.broken) make_one(draft, stage, store->text);
    }
  }
  add_dead_topics(draft);
}

}  // namespace penstock::plan
