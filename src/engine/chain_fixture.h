// chain_fixture.h — for the tests of chains: a plan of one stage by hand, records in, and what an
// epoch holds afterwards as text.
//
// Thread      one test.
// Lifetime    a Bench owns plan, schemas, tables, chain and epoch.
//
//     Bench bench({.steps = "- drop: {when: count == 0}"});
//     bench.process(bench.batch({bench.record(reading("m1", 1))}));
//     CHECK(bench.records("out") == Texts{...});
#pragma once

#include "engine/chain.h"
#include "flow/dead_letter.h"
#include "step/step_fixture.h"
#include "wire/partitioner.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace penstock::engine {

using step::datum_of;
using step::kReading;
using step::reading;
using step::schema_of;
using step::Texts;

class FakeSchemas final : public flow::SchemaSource {
 public:
  Found find(uint64_t fingerprint) override {
    const auto found = known.find(fingerprint);
    if (found != known.end()) return {found->second, true};
    return {nullptr, !late.contains(fingerprint)};
  }
  Result<void> add(const avro::SchemaPtr& schema) override {
    known[schema->fingerprint()] = schema;
    return {};
  }
  std::vector<avro::SchemaPtr> all() override { return {}; }

  std::map<uint64_t, avro::SchemaPtr> known;
  std::set<uint64_t> late;
};

class FixedTable final : public flow::Table {
 public:
  explicit FixedTable(std::shared_ptr<const flow::TableVersion> version)
      : version_(std::move(version)) {}
  std::shared_ptr<const flow::TableVersion> current() override { return version_; }

 private:
  std::shared_ptr<const flow::TableVersion> version_;
};

struct BenchSpec {
  std::string steps = "[]";
  std::string_view input = kReading;
  avro::Framing framing = avro::Framing::single_object;
  std::vector<std::string> key = {};  // of the output
  std::string route = {};             // field; to "out.<value>"
  std::vector<std::string> values = {"alpine", "nordic"};
  bool store = false;
  int32_t partitions = 3;
};

class Bench {
 public:
  struct Row {
    std::string value;
    std::optional<std::string> key;
    bool null = false;
  };

  explicit Bench(BenchSpec spec) : spec_(std::move(spec)), plan_(std::make_shared<plan::Plan>()) {
    input_ = schema_of(spec_.input);
    REQUIRE(schemas_.add(input_).has_value());
    add_meters();
    add_topic("in", input_, {}, spec_.framing);
    add_topic("audit", nullptr, {}, avro::Framing::single_object);
    make_stage();
    make_outputs();
    auto chain = Chain::make(chain_spec());
    REQUIRE_MESSAGE(chain.has_value(), chain.error().message);
    chain_ = std::move(*chain);
    std::vector<int32_t> counts;
    for (const std::string& name : chain_->outputs())
      counts.push_back(name.starts_with("dead.") ? 2 : spec_.partitions);
    epoch_.set_outputs(counts);
    for (const auto& schema : chain_->output_schemas()) REQUIRE(schemas_.add(schema).has_value());
  }

  Row record(const std::string& json, std::optional<std::string> key = {}) const {
    return record(*input_, json, std::move(key));
  }
  Row record(const avro::Schema& writer, const std::string& json,
             std::optional<std::string> key = {}) const {
    std::string value;
    if (spec_.framing == avro::Framing::single_object)
      avro::append_single_object_header(writer.fingerprint(), value);
    return {value + datum_of(writer, json), std::move(key)};
  }
  // Offsets from 100 on, timestamps from 1000 on.
  row::RawBatch batch(std::vector<Row> rows, int32_t partition = 1) const {
    auto memory = std::make_shared<std::vector<Row>>(std::move(rows));
    row::RawBatch batch;
    batch.partition = {0, partition};
    for (const Row& one : *memory) {
      const auto at = static_cast<int64_t>(batch.records.size());
      batch.records.push_back({.key = one.key ? ByteView(*one.key) : ByteView(),
                               .value = one.null ? ByteView() : ByteView(one.value),
                               .offset = {100 + at},
                               .timestamp = {1000 + at},
                               .has_key = one.key.has_value(),
                               .has_value = !one.null});
    }
    batch.memory = std::move(memory);
    return batch;
  }
  Processed process(row::RawBatch batch) {
    if (!epoch_.begun) chain_->begin(epoch_);
    epoch_.begun = true;
    return chain_->process(batch, epoch_);
  }

  // `partition key json` of each record of an output topic.
  Texts records(std::string_view topic) {
    Texts texts;
    each_record(topic, [&](int32_t partition, const wire::RecordView& record) {
      uint64_t fingerprint = 0;
      ByteView datum;
      REQUIRE(avro::strip_single_object(record.value, fingerprint, datum));
      const auto json =
          avro::to_json(schemas_.known.at(fingerprint)->root(), datum, avro::JsonStyle::plain);
      REQUIRE(json.has_value());
      texts.push_back(fmt::format("{} {} {}", partition,
                                  record.has_key ? std::string(record.key) : "-", *json));
    });
    return texts;
  }
  // Whole letters; their views stay while the epoch does.
  std::vector<flow::DeadLetter> letters() {
    std::vector<flow::DeadLetter> all;
    each_record("dead.stage", [&](int32_t, const wire::RecordView& record) {
      const auto letter = flow::read_dead_letter(record.value);
      REQUIRE(letter.has_value());
      all.push_back(*letter);
    });
    return all;
  }
  // `offset step reason` of each dead letter.
  Texts dead() {
    Texts texts;
    for (const flow::DeadLetter& one : letters())
      texts.push_back(fmt::format("{} {} {}", one.offset.value, one.step, one.reason));
    return texts;
  }
  // Every encoded byte of the epoch.
  std::string bytes() {
    std::string all;
    std::vector<flow::EncodedBatch> batches;
    epoch_.take_encoded(batches);
    for (const auto& one : batches)
      all += fmt::format("{}/{}:", one.output, one.partition) + std::string(one.records);
    return all;
  }
  std::string fates(int32_t partition = 1) {
    const flow::Fates& fates = epoch_.fates({0, partition});
    CHECK(fates.adds_up());
    return flow::to_text(fates);
  }

  template <class F>
  void each_record(std::string_view topic, F f) {
    std::vector<flow::EncodedBatch> batches;
    epoch_.take_encoded(batches);
    for (const flow::EncodedBatch& one : batches) {
      if (chain_->outputs()[one.output] != topic) continue;
      wire::RecordWalker walker(one.records, one.count);
      for (wire::RecordView record; walker.next(record);) f(one.partition, record);
    }
  }

  Chain& chain() { return *chain_; }
  Epoch& epoch() { return epoch_; }
  FakeSchemas& schemas() { return schemas_; }
  const avro::SchemaPtr& input() const { return input_; }

 private:
  static const std::vector<flow::PartSpec>& parts() {
    static const std::vector<flow::PartSpec> all = {step::drop(),  step::reject(), step::set(),
                                                    step::unset(), step::join(),   step::send()};
    return all;
  }

  void add_topic(const std::string& name, avro::SchemaPtr schema, std::vector<std::string> key,
                 avro::Framing framing) {
    plan::Topic topic;
    topic.name = topic.declared = name;
    topic.key = std::move(key);
    topic.schema = std::move(schema);
    topic.framing = framing;
    plan_->topics.push_back(std::move(topic));
  }

  void add_meters() {
    auto version = std::make_shared<step::JsonTable>(
        R"({"type":"record","name":"Meter","fields":[{"name":"id","type":"string"},)"
        R"({"name":"tenant","type":["null","string"]},{"name":"site","type":"string"}]})",
        std::vector<std::string>{"id"},
        std::vector<std::string>{R"({"id":"m1","tenant":"alpine","site":"s1"})",
                                 R"({"id":"m2","tenant":"nordic","site":"s2"})",
                                 R"({"id":"m3","tenant":"atlantis","site":"s3"})",
                                 R"({"id":"m4","tenant":null,"site":"s4"})"});
    plan::Table table;
    table.name = "meters";
    table.key = {"id"};
    table.shape = {version->schema_ptr(), {"id"}, false};
    plan_->tables.push_back(std::move(table));
    meters_ = std::make_unique<FixedTable>(std::move(version));
  }

  void make_stage() {
    auto parsed = yaml::parse(spec_.steps, "pipeline.yaml");
    REQUIRE(parsed.has_value());
    auto document = std::make_shared<yaml::Document>(std::move(*parsed));
    plan_->document = document;
    plan::Stage stage;
    stage.name = stage.id = "stage";
    stage.from = {"in"};
    stage.input = input_;
    stage.dead_topic = "dead.stage";
    for (const yaml::Node& item : document->root().items) {
      const auto& [name, value] = item.entries.front();
      const auto part = std::ranges::find(parts(), name.text, &flow::PartSpec::name);
      REQUIRE(part != parts().end());
      stage.steps.push_back({&*part, std::make_shared<flow::Config>(document.get(), &value),
                             fmt::format("steps[{}]", stage.steps.size())});
    }
    plan_->stages.push_back(std::move(stage));
  }

  // Gives the outputs the schema that the steps make, as `check` does.
  void make_outputs() {
    plan::Stage& stage = plan_->stages[0];
    auto made = plan::make_steps(*plan_, stage);
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    stage.output = *made->shape.schema();
    for (const auto& side : made->sides) {
      for (plan::Topic& topic : plan_->topics) {
        if (topic.name == side.topic) topic.schema = *side.shape.schema();
      }
    }
    if (spec_.store) {
      plan::Store store;
      store.name = stage.to_store = "rows";
      store.table.schema = stage.output;
      plan_->stores.push_back(std::move(store));
    } else if (spec_.route.empty()) {
      stage.to_topics = {"out"};
      add_topic("out", stage.output, spec_.key, avro::Framing::single_object);
    } else {
      stage.route_field = spec_.route;
      stage.route_values = spec_.values;
      for (const std::string& value : spec_.values) {
        stage.to_topics.push_back("out." + value);
        add_topic("out." + value, stage.output, spec_.key, avro::Framing::single_object);
      }
    }
  }

  ChainSpec chain_spec() {
    ChainSpec spec;
    spec.plan = plan_;
    spec.stage = &plan_->stages[0];
    spec.schemas = &schemas_;
    spec.table = [this](const std::string&) { return meters_.get(); };
    spec.lineages = {"lineage-of-in"};
    return spec;
  }

  BenchSpec spec_;
  std::shared_ptr<plan::Plan> plan_;
  avro::SchemaPtr input_;
  FakeSchemas schemas_;
  std::unique_ptr<FixedTable> meters_;
  std::unique_ptr<Chain> chain_;
  Epoch epoch_;
};

}  // namespace penstock::engine
