#include "base/suggest.h"
#include "flow/dead_letter.h"
#include "flow/key_text.h"
#include "plan/draft.h"
#include "plan/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::plan {
namespace {

void set_topic(const yaml::Node& body, Topic& topic) {
  const auto count = [&](std::string_view name, int32_t old) {
    const auto* found = body.find(name);
    return found == nullptr ? old : static_cast<int32_t>(parse_count(found->text).value_or(old));
  };
  topic.partitions = count("partitions", topic.partitions);
  topic.replicas = count("replicas", topic.replicas);
  if (const auto* keep = body.find("keep")) {
    topic.keep_millis = parse_duration_millis(keep->text).value_or(-1);
  }
  if (const auto* framing = body.find("framing"); framing != nullptr) {
    using enum avro::Framing;
    for (const avro::Framing each : {single_object, bare, confluent, confluent_guid, glue}) {
      if (framing->text == avro::to_text(each)) topic.framing = each;
    }
  }
  if (const auto* unframed = body.find("unframed")) topic.unframed_bare = unframed->text == "bare";
  if (const auto* partition = body.find("partition"); partition != nullptr) {
    topic.same_partition = partition->text == "same";
  }
  if (const auto* key = body.find("key")) topic.key = texts_of(key);
}

// "usage.<tenant>" into prefix and field; false when it was refused.
bool read_template(Draft& draft, TopicDraft& topic) {
  const std::string& name = topic.name->text;
  const size_t open = name.find('<');
  if (open == std::string::npos) {
    for (const auto& [key, value] : topic.body->entries) {
      if (key.text != "values") continue;
      draft.report(fail("P012"_code, fmt::format("topic \"{}\" has no use for \"values\"", name))
                       .because("its name has no <field> that they could stand for")
                       .cure(fmt::format("name it {}.<field>, or remove values:", name)),
                   key);
      return false;
    }
    if (is_name(name)) return true;
    draft.report(fail("P047"_code, fmt::format("\"{}\" cannot be a topic's name", name)),
                 *topic.name);
    return false;
  }
  topic.prefix = name.substr(0, open);
  if (topic.prefix.empty()) {
    draft.report(fail("P040"_code, fmt::format("topic \"{}\" has no literal prefix", name)),
                 *topic.name);
    return false;
  }
  if (!name.ends_with('>') || name.size() < open + 3 || !is_name(topic.prefix)) {
    draft.report(fail("P047"_code, fmt::format("\"{}\" cannot be a topic's name", name)),
                 *topic.name);
    return false;
  }
  topic.field = name.substr(open + 1, name.size() - open - 2);
  const yaml::Node* values = topic.body->find("values");
  if (values == nullptr && topic.field == "tenant") values = draft.root().find("tenants");
  topic.values = texts_of(values);
  if (topic.values.empty()) {
    draft.report(fail("P041"_code, fmt::format("nothing says which values <{}> has", topic.field)),
                 *topic.name);
    return false;
  }
  for (const yaml::Node* value : nodes_of(values)) {
    if (is_name(value->text)) continue;
    draft.report(
        fail("P047"_code, fmt::format("\"{}\" cannot be part of a topic's name", value->text)),
        *value);
    topic.values.clear();
    return false;
  }
  return true;
}

}  // namespace

bool check_key_type(Draft& draft, const Topic& topic, std::string_view field,
                    const avro::Node& type, const yaml::Node& at) {
  if (flow::can_be_key(avro::slot_shape(type).kind)) return true;
  draft.report(fail("P066"_code, fmt::format("topic \"{}\" is keyed by \"{}\", which is {}",
                                             topic.declared, field, avro::describe(type))),
               at);
  return false;
}

namespace {

void find_schema(Draft& draft, const yaml::Node& body, Topic& topic) {
  const yaml::Node* name = body.find("schema");
  if (name == nullptr) return;
  const auto found = draft.schemas.find(name->text);
  if (found == draft.schemas.end()) {
    std::vector<std::string_view> names;
    for (const auto& [known, schema] : draft.schemas) names.push_back(known);
    draft.report(fail("P034"_code, fmt::format("there is no schema \"{}\"", name->text))
                     .hint(did_you_mean(name->text, names)),
                 *name);
    topic.schema_declared = true;
    return;
  }
  topic.schema_declared = true;
  if (found->second != nullptr && found->second->root().type != avro::Type::record) {
    draft.report(fail("A021"_code, fmt::format("\"{}\" is {}", name->text,
                                               avro::describe(found->second->root()))),
                 *name);
    return;
  }
  topic.schema = found->second;
  const auto* key = body.find("key");
  for (const yaml::Node* one : nodes_of(key)) {
    if (topic.schema == nullptr) continue;
    if (const avro::Field* field = topic.schema->root().field(one->text); field != nullptr) {
      check_key_type(draft, topic, one->text, *field->type, *one);
      continue;
    }
    std::vector<std::string_view> names;
    for (const avro::Field& field : topic.schema->root().fields) names.push_back(field.name);
    draft.report(
        fail("P039"_code, fmt::format("\"{}\" is no field of schema \"{}\"", one->text, name->text))
            .hint(did_you_mean(one->text, names)),
        *one);
  }
}

void add_topic(Draft& draft, const TopicDraft& declared, const Topic& model,
               const std::string& value) {
  Topic topic = model;
  topic.name = declared.field.empty() ? declared.name->text : declared.prefix + value;
  topic.tenant = value;
  if (draft.topic(topic.name) != nullptr) {
    draft.report(fail("P046"_code, fmt::format("topic \"{}\" is declared twice", topic.name)),
                 *declared.name);
    return;
  }
  draft.plan->topics.push_back(std::move(topic));
}

// "readings", "usage_<tenant>".
void check_table_name(Draft& draft, const yaml::Node& node) {
  std::string name = node.text;
  const size_t open = name.find('<');
  const size_t close = name.find('>');
  if (open != std::string::npos && close != std::string::npos && open + 1 < close) {
    name.replace(open, close - open + 1, "x");
  }
  if (is_name(name) && !name.starts_with("penstock_")) return;
  draft.report(fail("P047"_code, fmt::format("\"{}\" cannot be a table's name", node.text))
                   .because("tables' names are letters, digits, . _ and -; those that begin with "
                            "penstock_ are the program's own"),
               node);
}

struct PartUse {
  const flow::PartSpec* part = nullptr;
  const yaml::Node* value = nullptr;
};

// The field that names the part, and a check against the part's fields and the section's.
std::optional<PartUse> read_part(Draft& draft, const yaml::Node& name, const yaml::Node& body,
                                 flow::PartKind kind, std::string_view section,
                                 const std::string& what) {
  const auto names = draft.part_names(kind);
  PartUse use;
  // `generate: {…}, meters: t`: the first entry that names a part decides.
  for (const auto& [key, value] : body.entries) {
    if (use.part == nullptr) {
      use.part = draft.part(kind, key.text);
      use.value = &value;
    }
  }
  if (use.part == nullptr) {
    std::string hint;
    const yaml::Node* at = &name;
    for (const auto& [key, value] : body.entries) {
      if (nearest(key.text, names).empty()) continue;
      hint = did_you_mean(key.text, names);
      at = &key;
    }
    draft.report(fail("P036"_code, fmt::format("{} does not say what it is", what))
                     .hint(hint)
                     .cure(fmt::format("one field names the kind: {}", fmt::join(names, ", "))),
                 *at);
    return {};
  }
  std::vector<flow::FieldSpec> fields = use.part->fields;
  for (const flow::FieldSpec& field : section_fields(section)) {
    if (std::ranges::find(fields, field.name, &flow::FieldSpec::name) == fields.end()) {
      fields.push_back(field);
    }
  }
  if (std::ranges::find(fields, use.part->name, &flow::FieldSpec::name) == fields.end()) {
    flow::FieldSpec self;
    self.name = use.part->name;
    self.type = flow::FieldType::text;
    self.doc = "Its name there.";
    fields.push_back(self);
  }
  if (!check_mapping(*draft.document, body, name, {fields, what, true}, draft.reporter()))
    return {};
  return use;
}

}  // namespace

void read_topics(Draft& draft) {
  const yaml::Node* topics = draft.section("topics");
  if (topics == nullptr) return;
  const yaml::Node* all = draft.target == nullptr ? nullptr : draft.target->find("topics");
  for (const auto& [name, body] : topics->entries) {
    TopicDraft declared{&name, &body, {}, {}, {}};
    const std::string what = fmt::format("topic \"{}\"", name.text);
    static const yaml::Node kEmpty{
        .kind = yaml::NodeKind::mapping, .text = {}, .items = {}, .entries = {}};
    if (body.kind == yaml::NodeKind::null) declared.body = &kEmpty;
    const bool good =
        draft.check(*declared.body, name, "topics", what) && read_template(draft, declared);
    Topic topic;
    topic.declared = name.text;
    topic.schema_declared = !good;  // what would follow from the fault is not told
    if (good) {
      set_topic(*declared.body, topic);
      if (all != nullptr) set_topic(*all, topic);
      if (topic.partitions < 1 || topic.partitions > 4096 || topic.replicas < 1) {
        const std::string_view field = topic.replicas < 1 ? "replicas" : "partitions";
        const auto* at = all == nullptr ? nullptr : all->find(field);
        if (at == nullptr) at = declared.body->find(field);
        draft.report(fail("P026"_code, "a topic has 1 to 4096 partitions and at least 1 replica"),
                     at == nullptr ? name : *at);
      }
      if (const auto* keep = declared.body->find("keep"); keep && topic.keep_millis == 0) {
        draft.report(fail("P026"_code, "records are kept for some time"), *keep);
      }
      find_schema(draft, *declared.body, topic);
    }
    if (declared.field.empty()) {
      add_topic(draft, declared, topic, {});
    } else {
      for (const std::string& value : declared.values) add_topic(draft, declared, topic, value);
    }
    draft.topics.push_back(std::move(declared));
  }
}

void read_tables(Draft& draft) {
  const yaml::Node* tables = draft.section("tables");
  if (tables == nullptr) return;
  for (const auto& [name, body] : tables->entries) {
    Table table;
    table.name = name.text;
    const std::string what = fmt::format("table \"{}\"", name.text);
    const auto use = read_part(draft, name, body, flow::PartKind::table, "tables", what);
    if (!use) {
      draft.has_tables_missing = true;
      continue;
    }
    table.part = use->part->name;
    table.config = draft.config(body);
    table.key = texts_of(body.find("key"));
    if (const auto* refresh = body.find("refresh")) {
      table.refresh_millis = parse_duration_millis(refresh->text).value_or(0);
    }
    if (draft.options.table_shape) {
      auto shape = draft.options.table_shape(*use->part, *table.config, draft.plan->folder);
      if (!shape) {
        Error error = std::move(shape).error();
        if (error.place.line == 0) error.place = draft.document->place(*use->value);
        if (error.code == "A002"_code) {
          error.code = "F004"_code;
          error.cause = "a column is found by its name";
          error.cure = "name each column of the header once";
        }
        if (error.code == "F001"_code) {
          error.code = "F004"_code;
          error.cause =
              "the path is relative to the pipeline file, and no file is there to be read";
          error.cure = "check the path; csv and jsonl files are read";
        }
        draft.report(std::move(error));
        draft.has_tables_missing = true;
        continue;
      }
      table.shape = std::move(*shape);
    }
    table.shape.key = table.key;
    table.shape.refreshes = table.refresh_millis > 0;
    draft.plan->tables.push_back(std::move(table));
  }
}

void read_stores(Draft& draft) {
  const yaml::Node* stores = draft.section("stores");
  if (stores == nullptr) return;
  for (const auto& [name, body] : stores->entries) {
    const std::string what = fmt::format("store \"{}\"", name.text);
    if (!is_name(name.text)) {
      draft.report(fail("P047"_code, fmt::format("\"{}\" cannot be a store's name", name.text)),
                   name);
    }
    if (draft.declared(name.text) != nullptr) {
      draft.report(fail("P046"_code, fmt::format("\"{}\" is a topic and a store", name.text)),
                   name);
    }
    const auto use = read_part(draft, name, body, flow::PartKind::store, "stores", what);
    if (!use) continue;
    Store store;
    store.name = name.text;
    store.part = use->part->name;
    store.config = draft.config(body);
    store.table.table = use->value->text;
    if (const auto* upsert = body.find("upsert_on")) {
      store.table.merge = flow::Merge::upsert;
      store.table.key = texts_of(upsert);
    } else if (const auto* key = body.find("key")) {
      store.table.merge = flow::Merge::upsert;
      store.table.key = texts_of(key);
    }
    if (const auto* newest = body.find("newest_by")) {
      store.table.merge = flow::Merge::newest_by;
      store.table.newest_by = newest->text;
      if (const auto* upsert = body.find("upsert_on")) {
        draft.report(fail("P029"_code, fmt::format("{} has upsert_on and newest_by", what))
                         .because("rows are merged in one way")
                         .cure("write key: and newest_by:, or upsert_on: alone"),
                     *upsert);
      }
      if (store.table.key.empty()) {
        draft.report(fail("P020"_code, fmt::format("{} has newest_by but no key", what)), *newest);
      }
    }
    check_table_name(draft, *use->value);
    apply_targets(draft, what, store);
    draft.plan->stores.push_back(std::move(store));
  }
}

namespace {

// The table that simulated meters are made of.
void check_meters(Draft& draft, const yaml::Node& name) {
  const Table* table = draft.plan->table(name.text);
  if (table == nullptr) {
    if (!draft.has_tables_missing)
      draft.report(fail("P308"_code, fmt::format("there is no table \"{}\"", name.text)), name);
    return;
  }
  if (table->shape.schema == nullptr) return;
  const avro::Field* id = table->shape.schema->root().field("meter_id");
  if (id != nullptr && avro::slot_shape(*id->type).kind == row::Kind::string) return;
  draft.report(
      fail("M004"_code, fmt::format("table \"{}\" has no text column \"meter_id\"", name.text)),
      name);
}

}  // namespace

void read_producers(Draft& draft) {
  const yaml::Node* producers = draft.section("producers");
  if (producers == nullptr) return;
  for (const auto& [name, body] : producers->entries) {
    const std::string what = fmt::format("producer \"{}\"", name.text);
    const auto use = read_part(draft, name, body, flow::PartKind::source, "producers", what);
    if (!use) continue;
    const yaml::Node& to = *body.find("to");
    if (draft.topic(to.text) == nullptr) {
      draft.report(fail("P031"_code, fmt::format("there is no topic \"{}\"", to.text))
                       .hint(did_you_mean(to.text, draft.topic_names())),
                   to);
    }
    if (use->part->name == "meters") check_meters(draft, *use->value);
    draft.plan->producers.push_back(
        {name.text, std::string(use->part->name), to.text, draft.config(body)});
  }
}

}  // namespace penstock::plan
