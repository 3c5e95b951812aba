#include "base/suggest.h"
#include "plan/draft.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::plan {
namespace {

void no_topic(Draft& draft, StageDraft& stage, const yaml::Node& at) {
  stage.broken = true;
  auto names = draft.topic_names();
  for (const std::string_view store : draft.store_names()) names.push_back(store);
  draft.report(fail("P031"_code, fmt::format("there is no topic \"{}\"", at.text))
                   .hint(did_you_mean(at.text, names)),
               at);
}

void expand_topic(Draft& draft, const TopicDraft& topic, std::vector<std::string>& names) {
  (void)draft;
  if (topic.field.empty()) names.push_back(topic.name->text);
  for (const std::string& value : topic.values) names.push_back(topic.prefix + value);
}

void read_from(Draft& draft, StageDraft& stage, const yaml::Node& node) {
  std::vector<std::string> names;
  if (node.text.ends_with('*')) {
    const std::string prefix = node.text.substr(0, node.text.size() - 1);
    for (const Topic& topic : draft.plan->topics) {
      if (topic.name.starts_with(prefix)) names.push_back(topic.name);
    }
    if (names.empty()) {
      stage.broken = true;
      // A template that was refused already is the fault, not the pattern.
      const bool refused = std::ranges::any_of(draft.topics, [&](const TopicDraft& topic) {
        return topic.name->text.starts_with(prefix) && topic.values.empty();
      });
      if (!refused) {
        draft.report(fail("P059"_code, fmt::format("no topic fits \"{}\"", node.text)), node);
      }
    }
  } else if (const TopicDraft* topic = draft.declared(node.text)) {
    expand_topic(draft, *topic, names);
  } else if (draft.topic(node.text) != nullptr) {
    names.push_back(node.text);
  } else {
    no_topic(draft, stage, node);
  }
  for (std::string& name : names) stage.from.emplace_back(&node, std::move(name));
}

void read_to(Draft& draft, StageDraft& stage, const yaml::Node& node) {
  const auto stores = draft.store_names();
  if (std::ranges::find(stores, node.text) != stores.end()) {
    stage.to_stores.push_back(&node);
    if (draft.plan->store(node.text) == nullptr) stage.broken = true;
    return;
  }
  if (const TopicDraft* topic = draft.declared(node.text)) {
    expand_topic(draft, *topic, stage.writes);
  } else if (draft.topic(node.text) != nullptr) {
    stage.writes.push_back(node.text);
  } else {
    draft.has_routes_broken = true;
    no_topic(draft, stage, node);
    return;
  }
  stage.to_topics.push_back(&node);
}

std::vector<flow::FieldSpec> open_fields(const flow::PartSpec& part, const yaml::Node& body) {
  std::vector<flow::FieldSpec> fields;
  for (const auto& [key, value] : body.entries) {
    flow::FieldSpec field = part.fields.front();
    field.name = key.text;
    field.required = false;
    fields.push_back(field);
  }
  return fields;
}

bool reserved(std::string_view name) {
  for (const std::string_view word :
       {"record", "key", "topic", "partition", "offset", "timestamp"}) {
    if (word == name) return true;
  }
  return false;
}

// 2026-01-31 would be 1994.
bool is_date(const yaml::Node& rule) {
  constexpr std::string_view kForm = "dddd-dd-dd";
  return rule.text.size() == kForm.size() &&
         std::ranges::equal(rule.text, kForm, [](char c, char form) {
           return form == '-' ? c == '-' : c >= '0' && c <= '9';
         });
}

bool check_step(Draft& draft, const flow::PartSpec& part, const yaml::Node& name,
                const yaml::Node& body) {
  const std::string what = fmt::format("step \"{}\"", part.name);
  if (part.open) {
    if (body.kind != yaml::NodeKind::mapping || body.entries.empty()) {
      draft.report(fail("P021"_code, what + " takes a mapping of names"),
                   body.kind == yaml::NodeKind::null ? name : body);
      return false;
    }
    for (const auto& [key, value] : body.entries) {
      if (!reserved(key.text)) continue;
      draft.report(fail("P060"_code, fmt::format("\"{}\" cannot be a field that is set", key.text)),
                   key);
      return false;
    }
    for (const auto& [key, value] : body.entries) {
      if (!is_date(value)) continue;
      draft.report(fail("R009"_code, fmt::format("\"{}\" is a subtraction here", value.text))
                       .hint(fmt::format("did you mean timestamp('{}T00:00:00Z')?", value.text))
                       .because("a rule is an expression, and - takes one number from another")
                       .cure("write a time as timestamp('…') and a text as 'text', in the quotes "
                             "of YAML"),
                   value);
      return false;
    }
    const auto fields = open_fields(part, body);
    return check_mapping(*draft.document, body, name, {fields, what}, draft.reporter());
  }
  if (!part.bare.empty() && body.kind != yaml::NodeKind::mapping &&
      body.kind != yaml::NodeKind::null) {
    const auto field = std::ranges::find(part.fields, part.bare, &flow::FieldSpec::name);
    return check_value(*draft.document, body, *field, draft.reporter());
  }
  return check_mapping(*draft.document, body, name, {part.fields, what}, draft.reporter());
}

// A step's field whose example is a secret takes nothing else.
bool has_clear_secret(Draft& draft, const flow::PartSpec& part, const yaml::Node& body) {
  bool found = false;
  for (const auto& [key, value] : body.entries) {
    const auto field = std::ranges::find(part.fields, key.text, &flow::FieldSpec::name);
    const bool secret = field != part.fields.end() && field->example.starts_with("${secret:");
    if (secret && refuse_clear_secret(draft, key, value)) found = true;
  }
  return found;
}

void read_step(Draft& draft, StageDraft& stage, const yaml::Node& node, size_t number) {
  if (node.kind != yaml::NodeKind::mapping || node.entries.size() != 1) {
    stage.broken = true;
    const bool many = node.kind == yaml::NodeKind::mapping && node.entries.size() > 1;
    draft.report(fail("P055"_code, many ? "two steps in one item" : "this is no step"),
                 many ? node.entries[1].key : node);
    return;
  }
  const auto& [name, body] = node.entries.front();
  const flow::PartSpec* part = draft.part(flow::PartKind::step, name.text);
  if (part == nullptr) {
    stage.broken = true;
    const auto names = draft.part_names(flow::PartKind::step);
    draft.report(fail("P035"_code, fmt::format("there is no step \"{}\"", name.text))
                     .hint(did_you_mean(name.text, names))
                     .cure(fmt::format("the steps are: {}", fmt::join(names, ", "))),
                 name);
    return;
  }
  const bool clear = has_clear_secret(draft, *part, body);
  if (!check_step(draft, *part, name, body) || clear) {
    stage.broken = true;
    return;
  }
  stage.steps.push_back({part, draft.config(body), fmt::format("steps[{}]", number)});
  for (const flow::FieldSpec& field : part->fields) {
    if (field.type != flow::FieldType::topic) continue;
    const yaml::Node* to = body.kind == yaml::NodeKind::mapping ? body.find(field.name) : &body;
    if (to != nullptr && draft.topic(to->text) != nullptr) stage.writes.push_back(to->text);
  }
}

// Copies to further topics are `send` steps at the end.
void add_copies(Draft& draft, StageDraft& stage) {
  const flow::PartSpec* send = draft.part(flow::PartKind::step, "send");
  for (size_t i = 1; i < stage.to_topics.size(); ++i) {
    const yaml::Node& node = *stage.to_topics[i];
    const TopicDraft* topic = draft.declared(node.text);
    if (send == nullptr || (topic != nullptr && !topic->field.empty())) {
      stage.broken = true;
      draft.report(fail("P065"_code, fmt::format("\"{}\" cannot be the second of to:", node.text)),
                   node);
      continue;
    }
    stage.steps.push_back({send, draft.config(node), fmt::format("to[{}]", i)});
  }
}

// Nothing, and a reference that was not found, are errors already.
bool is_written(const yaml::Node& name) {
  return !name.text.empty() && !name.text.starts_with("${");
}

void read_stage(Draft& draft, const yaml::Node& name, const yaml::Node& body) {
  StageDraft stage;
  stage.name = &name;
  stage.body = &body;
  const std::string what = fmt::format("stage \"{}\"", name.text);
  if (!is_name(name.text)) {
    draft.report(fail("P047"_code, fmt::format("\"{}\" cannot be a stage's name", name.text)),
                 name);
  }
  stage.broken = !draft.check(body, name, "stages", what);
  if (stage.broken) draft.has_routes_broken = true;
  if (!check_settings(draft, body, what)) stage.broken = true;
  for (const yaml::Node* from : nodes_of(body.find("from"))) {
    if (is_written(*from)) read_from(draft, stage, *from);
  }
  for (const yaml::Node* to : nodes_of(body.find("to"))) {
    if (is_written(*to)) read_to(draft, stage, *to);
  }
  if (!stage.to_stores.empty() && !stage.to_topics.empty()) {
    stage.broken = true;
    stage.writes.clear();  // a circle through this stage would follow from the slip
    draft.has_routes_broken = true;
    draft.report(fail("P063"_code, fmt::format("{} ends in topics and in stores", what)),
                 *body.find("to"));
  }
  if (const yaml::Node* steps = body.find("steps"); steps != nullptr) {
    if (steps->kind == yaml::NodeKind::sequence) {
      size_t number = 0;
      for (const yaml::Node& step : steps->items) read_step(draft, stage, step, number++);
    } else if (steps->kind != yaml::NodeKind::null) {
      stage.broken = true;
      draft.report(fail("P021"_code, fmt::format("the steps of {} are a list", what)), *steps);
    }
  }
  add_copies(draft, stage);
  draft.stages.push_back(std::move(stage));
}

bool feeds(const StageDraft& writer, const StageDraft& reader) {
  return std::ranges::any_of(reader.from, [&](const auto& from) {
    return std::ranges::find(writer.writes, from.second) != writer.writes.end();
  });
}

// Follows writers from `at` until a stage comes again; all stages in `left` have a writer in it.
void report_loop(Draft& draft, const std::vector<const StageDraft*>& left) {
  std::vector<const StageDraft*> way{left.front()};
  for (;;) {
    const auto writer = std::ranges::find_if(
        left, [&](const StageDraft* stage) { return feeds(*stage, *way.back()); });
    const auto before = std::ranges::find(way, *writer);
    const bool closed = before != way.end();
    if (closed) way.erase(way.begin(), before);
    way.push_back(*writer);
    if (closed) break;
  }
  std::ranges::reverse(way);
  // Told from the stage that stands first in the file.
  way.pop_back();
  std::vector<const StageDraft*>& loop = way;
  std::ranges::rotate(loop, std::ranges::min_element(loop, {}, [](const StageDraft* stage) {
                        return stage->name->line;
                      }));
  std::string text;
  for (const StageDraft* stage : loop) text += stage->name->text + " → ";
  text += loop.front()->name->text;
  draft.report(fail("P043"_code, fmt::format("stages run in a circle: {}", text)),
               *loop.front()->body->find("from"));
}

}  // namespace

void read_stages(Draft& draft) {
  const yaml::Node* stages = draft.section("stages");
  if (stages == nullptr) return;
  for (const auto& [name, body] : stages->entries) read_stage(draft, name, body);
  // Flow order; the file's order where it is free.
  std::vector<const StageDraft*> left;
  for (const StageDraft& stage : draft.stages) left.push_back(&stage);
  std::vector<StageDraft> ordered;
  while (!left.empty()) {
    const auto next = std::ranges::find_if(left, [&](const StageDraft* stage) {
      return std::ranges::none_of(left,
                                  [&](const StageDraft* other) { return feeds(*other, *stage); });
    });
    if (next == left.end()) {
      report_loop(draft, left);
      draft.has_routes_broken = true;
      break;
    }
    ordered.push_back(**next);
    left.erase(next);
  }
  draft.stages = std::move(ordered);
}

}  // namespace penstock::plan
