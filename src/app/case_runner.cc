#include "app/case_runner.h"

#include "app/column_json.h"
#include "app/yaml_json.h"
#include "avro/framing.h"
#include "avro/json.h"
#include "engine/chain.h"
#include "file/table.h"
#include "flow/dead_letter.h"
#include "flow/key_text.h"
#include "wire/record_batch.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace penstock::app {
namespace {

using Json = nlohmann::json;

// The schemas of one test: all that the plan knows, by fingerprint.
class CaseSchemas final : public flow::SchemaSource {
 public:
  explicit CaseSchemas(const plan::Plan& plan) {
    for (const plan::Topic& topic : plan.topics) known_[topic.schema->fingerprint()] = topic.schema;
  }
  Found find(uint64_t fingerprint) override {
    const auto found = known_.find(fingerprint);
    return {found == known_.end() ? nullptr : found->second, true};
  }
  Result<void> add(const avro::SchemaPtr& schema) override {
    known_[schema->fingerprint()] = schema;
    return {};
  }
  std::vector<avro::SchemaPtr> all() override { return {}; }
  // A test asks no registry: what would be framed for one has a fingerprint.
  Result<std::string> head(std::string_view topic, avro::Framing framing,
                           const avro::Schema& schema) override {
    const bool bare = framing == avro::Framing::bare;
    return SchemaSource::head(topic, bare ? framing : avro::Framing::single_object, schema);
  }

 private:
  std::map<uint64_t, avro::SchemaPtr> known_;
};

Error in_case(const plan::Case& test, Error error) {
  if (error.place.line == 0) error.place = test.place;
  error.message = fmt::format("test \"{}\": {}", test.name, error.message);
  return error;
}

class CaseRun {
 public:
  CaseRun(std::shared_ptr<const plan::Plan> plan, const plan::Case& test)
      : plan_(std::move(plan)), test_(test), schemas_(*plan_) {}

  Result<CaseResult> run() {
    PENSTOCK_TRY_VOID(make_tables());
    CaseResult result;
    result.passed = true;
    for (const plan::Stage& stage : plan_->stages) {
      // `to: [latest, warehouse]` makes several stages of one name: each is run.
      if (stage.name == test_.stage || stage.id == test_.stage) PENSTOCK_TRY_VOID(run_stage(stage));
    }
    for (const auto& [output, records] : test_.expect)
      PENSTOCK_TRY_VOID(compare(output, *records, result));
    for (auto& [output, records] : got_) {
      const bool expected =
          std::ranges::any_of(test_.expect, [&](const auto& e) { return e.first == output; });
      if (expected || records.empty()) continue;
      result.passed = false;
      for (const Json& record : records) {
        result.differences.push_back(fmt::format("{}: not expected: {}", output, record.dump()));
      }
    }
    return result;
  }

 private:
  Result<void> make_tables() {
    for (const auto& [name, rows] : test_.tables) {
      const plan::Table* table = plan_->table(name);
      if (table == nullptr)
        return fail("P308"_code, fmt::format("no table \"{}\" is declared", name)).at(test_.place);
      std::string lines;
      for (const yaml::Node& row : rows->items) {
        lines += yaml_to_json(row, &table->shape.schema->root()) + "\n";
      }
      PENSTOCK_TRY(made, file::table_from_jsonl(lines, table->shape.schema, table->key));
      tables_[name] = std::move(made);
    }
    return {};
  }

  Result<void> run_stage(const plan::Stage& stage) {
    engine::ChainSpec spec;
    spec.plan = plan_;
    spec.stage = &stage;
    spec.schemas = &schemas_;
    spec.table = [this](const std::string& name) { return tables_[name].get(); };
    spec.lineages.assign(stage.from.size(), "test");
    PENSTOCK_TRY(chain, engine::Chain::make(std::move(spec)));
    for (const avro::SchemaPtr& schema : chain->output_schemas())
      PENSTOCK_TRY_VOID(schemas_.add(schema));
    engine::Epoch epoch;
    epoch.set_outputs(std::vector<int32_t>(chain->outputs().size(), 1));
    for (const std::string& table : table_names(stage)) {
      if (!tables_.contains(table)) {
        return fail(
                   "V002"_code,
                   fmt::format("the stage joins table \"{}\", which the test does not give", table))
            .at(test_.place);
      }
    }
    chain->begin(epoch);
    for (uint32_t i = 0; i < stage.from.size(); ++i)
      PENSTOCK_TRY_VOID(feed(stage, i, *chain, epoch));
    return collect(stage, *chain, epoch);
  }

  std::vector<std::string> table_names(const plan::Stage& stage) const {
    auto made = plan::make_steps(*plan_, stage);
    return made ? made->tables : std::vector<std::string>();
  }

  Result<void> feed(const plan::Stage& stage, uint32_t input, engine::Chain& chain,
                    engine::Epoch& epoch) {
    const auto given = std::ranges::find(test_.given, stage.from[input],
                                         &std::pair<std::string, const yaml::Node*>::first);
    if (given == test_.given.end()) return {};
    const plan::Topic& topic = *plan_->topic(stage.from[input]);
    auto memory = std::make_shared<std::vector<std::string>>();
    for (const yaml::Node& record : given->second->items) {
      std::string value;
      if (topic.framing != avro::Framing::bare) {
        avro::append_single_object_header(topic.schema->fingerprint(), value);
      }
      const std::string json = yaml_to_json(record, &topic.schema->root());
      if (auto encoded = avro::from_json(topic.schema->root(), json, avro::JsonStyle::plain, value);
          !encoded) {
        Error error = std::move(encoded).error();
        error.place = plan_->document->place(record);
        return std::unexpected(std::move(error));
      }
      memory->push_back(std::move(value));
    }
    row::RawBatch batch;
    batch.partition = {input, 0};
    for (size_t i = 0; i < memory->size(); ++i) {
      row::RawRecord record;
      record.value = (*memory)[i];
      record.offset = {static_cast<int64_t>(i)};
      record.has_value = true;
      batch.records.push_back(record);
    }
    batch.memory = std::move(memory);
    chain.process(batch, epoch);
    return {};
  }

  Result<void> collect(const plan::Stage& stage, const engine::Chain& chain, engine::Epoch& epoch) {
    for (uint32_t output = 0; output < chain.outputs().size(); ++output) {
      const std::string& name = chain.outputs()[output];
      const plan::Topic* topic = plan_->topic(name);
      const bool dead = name == stage.dead_topic;
      const avro::Node& type = dead ? flow::dead_letter_schema()->root() : topic->schema->root();
      const bool bare = !dead && topic->framing == avro::Framing::bare;
      const auto& records = epoch.records(output, 0);
      wire::RecordWalker walker(records.bytes(), records.count());
      for (wire::RecordView record; walker.next(record);) {
        const ByteView datum =
            bare ? record.value : record.value.substr(avro::kSingleObjectHeaderBytes);
        PENSTOCK_TRY(json, avro::to_json(type, datum, avro::JsonStyle::plain));
        got_[name].push_back(Json::parse(json, nullptr, false));
      }
      types_[name] = &type;
    }
    if (stage.to_store.empty()) return {};
    const avro::Node& type = plan_->store(stage.to_store)->table.schema->root();
    types_[stage.to_store] = &type;
    for (const flow::StoreRows& rows : epoch.rows) {
      for (uint32_t row = 0; row < rows.count; ++row) {
        Json object = Json::object();
        for (size_t i = 0; i < type.fields.size(); ++i) {
          object[type.fields[i].name] =
              Json::parse(slot_json(rows.columns[i], row, *type.fields[i].type), nullptr, false);
        }
        got_[stage.to_store].push_back(std::move(object));
      }
    }
    return {};
  }

  // An expected field as the JSON that a record's field of that type has.
  Result<Json> normal(const avro::Node& type, const yaml::Node& node) {
    std::string datum;
    const std::string text = yaml_to_json(node, &type);
    auto encoded = avro::from_json(type, text, avro::JsonStyle::plain, datum);
    if (!encoded) {
      Error error = std::move(encoded).error();
      error.place = plan_->document->place(node);
      return std::unexpected(std::move(error));
    }
    PENSTOCK_TRY(json, avro::to_json(type, datum, avro::JsonStyle::plain));
    return Json::parse(json, nullptr, false);
  }

  Result<void> compare(const std::string& output, const yaml::Node& records, CaseResult& result) {
    std::vector<Json>& got = got_[output];
    const avro::Node* type = types_[output];
    for (const yaml::Node& expected : records.items) {
      Json wanted = Json::object();
      for (const auto& [key, value] : expected.entries) {
        const avro::Field* field = type == nullptr ? nullptr : type->field(key.text);
        if (field == nullptr) {
          return fail("V002"_code, fmt::format("{} has no field \"{}\"", output, key.text))
              .at(plan_->document->place(key));
        }
        PENSTOCK_TRY(json, normal(*field->type, value));
        wanted[key.text] = std::move(json);
      }
      const auto match = std::ranges::find_if(got, [&](const Json& record) {
        return std::ranges::all_of(wanted.items(), [&](const auto& field) {
          return record[field.key()] == field.value();
        });
      });
      if (match != got.end()) {
        got.erase(match);
        continue;
      }
      result.passed = false;
      result.differences.push_back(
          fmt::format("{}: expected, but not there: {}", output, wanted.dump()));
    }
    for (const Json& record : got) {
      result.passed = false;
      result.differences.push_back(
          fmt::format("{}: there, but not expected: {}", output, record.dump()));
    }
    got.clear();
    return {};
  }

  std::shared_ptr<const plan::Plan> plan_;
  const plan::Case& test_;
  CaseSchemas schemas_;
  std::map<std::string, std::unique_ptr<flow::Table>> tables_;
  std::map<std::string, std::vector<Json>> got_;
  std::map<std::string, const avro::Node*> types_;
};

}  // namespace

Result<CaseResult> run_case(const std::shared_ptr<const plan::Plan>& plan, const plan::Case& test) {
  auto result = CaseRun(plan, test).run();
  if (!result) return std::unexpected(in_case(test, std::move(result).error()));
  return result;
}

}  // namespace penstock::app
