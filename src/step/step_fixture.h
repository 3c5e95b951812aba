// step_fixture.h — for the tests of steps: lines of a pipeline file made into steps, and records
// that go through them, written and read as JSON.
//
// Thread      one test.
// Lifetime    a Line owns its documents, tables and steps; a Trip owns its memory.
//
//     Line line(kReading);
//     line.add("drop: {when: kwh > 100.0}");
//     Trip trip = line.run({R"({"meter_id":"m1","kwh":101.0})"});
//     CHECK(trip.left().empty());
#pragma once

#include "avro/json.h"
#include "avro/plan.h"
#include "flow/key_text.h"
#include "flow/part_spec.h"
#include "row/batch.h"
#include "step/steps.h"
#include "yaml/node.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace penstock::step {

// Compared with CHECK(a == b), which shows both in full when they differ.
struct Texts : std::vector<std::string> {
  using std::vector<std::string>::vector;
  friend doctest::String toString(const Texts& texts) {
    std::string all;
    for (const std::string& text : texts) all += "\n  " + text;
    return all.c_str();
  }
};

inline avro::SchemaPtr schema_of(std::string_view text) {
  auto parsed = avro::parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

inline std::string datum_of(const avro::Schema& schema, std::string_view json) {
  std::string datum;
  const auto done = avro::from_json(schema.root(), json, avro::JsonStyle::plain, datum);
  REQUIRE_MESSAGE(done.has_value(), json);
  return datum;
}

// A table of JSON rows, indexed by its key fields.
class JsonTable final : public flow::TableVersion {
 public:
  JsonTable(std::string_view schema, const std::vector<std::string>& key,
            const std::vector<std::string>& rows)
      : schema_(schema_of(schema)) {
    for (const std::string& row : rows) datums_.push_back(datum_of(*schema_, row));
    records_.resize(rows.size());
    decode();
    index(key);
  }
  const avro::Schema& schema() const override { return *schema_; }
  const avro::SchemaPtr& schema_ptr() const { return schema_; }
  uint32_t rows() const override { return batch_.rows(); }
  std::optional<uint32_t> find(ByteView key) const override {
    const auto found = by_key_.find(std::string(key));
    if (found == by_key_.end()) return std::nullopt;
    return found->second;
  }
  const row::Column& column(uint32_t field) const override { return batch_.columns[field]; }

 private:
  void decode() {
    std::vector<avro::Want> wants;
    for (uint32_t i = 0; i < schema_->root().fields.size(); ++i) wants.push_back({i, i});
    auto plan = avro::DecodePlan::compile(schema_, schema_, wants, {});
    REQUIRE(plan.has_value());
    batch_.records = records_;
    batch_.arena = &arena_;
    batch_.columns.resize(wants.size());
    std::vector<ByteView> payloads(datums_.begin(), datums_.end());
    for (uint32_t row = 0; row < batch_.rows(); ++row) batch_.live.push_back(row);
    plan->decode(payloads, batch_);
    REQUIRE(batch_.rejects.empty());
  }
  void index(const std::vector<std::string>& key) {
    std::vector<uint32_t> slots;
    const auto& fields = schema_->root().fields;
    for (const std::string& name : key) {
      slots.push_back(static_cast<uint32_t>(std::ranges::find(fields, name, &avro::Field::name) -
                                            fields.begin()));
    }
    for (uint32_t row = 0; row < batch_.rows(); ++row) {
      std::string text;
      REQUIRE(flow::append_key(batch_, slots, row, text));
      by_key_.emplace(std::move(text), row);
    }
  }

  avro::SchemaPtr schema_;
  std::deque<std::string> datums_;
  std::vector<row::RawRecord> records_;
  Arena arena_;
  row::Batch batch_;
  std::map<std::string, uint32_t> by_key_;
};

// A batch on its way, and what became of it.
struct Trip {
  struct Copy {
    std::string topic;
    Texts records;
  };
  // The records that are left, as JSON under the shape at the end.
  const Texts& left() const { return left_; }
  // `row step reason` of each reject.
  Texts rejects() const {
    Texts texts;
    for (const row::Reject& one : batch.rejects)
      texts.push_back(fmt::format("{} {} {}", one.row, one.step, one.reason));
    return texts;
  }

  std::deque<std::string> datums;
  std::vector<row::RawRecord> records;
  std::unique_ptr<Arena> arena = std::make_unique<Arena>();
  row::Batch batch;
  std::vector<Copy> copies;
  Texts left_;
};

// The steps of one stage, one after the other, as a stage's chain has them.
class Line final : public flow::MakeContext {
 public:
  explicit Line(std::string_view schema) : shape_(schema_of(schema)) {}

  void add_table(const std::string& name, std::string_view schema, std::vector<std::string> key,
                 const std::vector<std::string>& rows) {
    auto version = std::make_shared<JsonTable>(schema, key, rows);
    shapes_[name] = {version->schema_ptr(), std::move(key), false};
    versions_[name] = std::move(version);
  }

  // One step as it stands in a pipeline file: `drop: {when: …}`.
  Result<void> make(const std::string& text) {
    auto parsed = yaml::parse(text, "pipeline.yaml");
    REQUIRE_MESSAGE(parsed.has_value(), text);
    documents_.push_back(std::move(*parsed));
    const auto& [name, value] = documents_.back().root().entries.front();
    const flow::Config config(&documents_.back(), &value);
    for (const flow::PartSpec& spec :
         {drop(), reject(), set(), unset(), join(), send(), unique(), pseudonym()}) {
      if (spec.name != name.text) continue;
      PENSTOCK_TRY(made, spec.make(config, shape_, *this));
      steps_.push_back(std::move(made));
      return {};
    }
    FAIL("no such step: ", text);
    return {};
  }
  void add(const std::string& text) {
    const auto made = make(text);
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
  }
  // The error of a step that can not be: `P305 1:14 "message"`.
  std::string error(const std::string& text) {
    const auto made = make(text);
    if (made) return "none";
    const Error& e = made.error();
    return fmt::format("{} {}:{} {}", catalogue_entry(e.code).name, e.place.line, e.place.column,
                       e.message);
  }

  Trip run(const std::vector<std::string>& rows) {
    Trip trip;
    for (const std::string& row : rows) trip.datums.push_back(datum_of(*shape_.input(), row));
    run(trip);
    return trip;
  }

  flow::Shape& shape() { return shape_; }
  // By all steps, so far.
  uint64_t absorbed() const { return absorbed_; }

  // ---- MakeContext
  const TableShape* table(std::string_view name) const override {
    const auto found = shapes_.find(std::string(name));
    return found == shapes_.end() ? nullptr : &found->second;
  }
  std::vector<std::string_view> table_names() const override {
    std::vector<std::string_view> names;
    for (const auto& [name, shape] : shapes_) names.push_back(name);
    return names;
  }
  uint32_t use_table(std::string_view name) override {
    used_.push_back(versions_.at(std::string(name)));
    return static_cast<uint32_t>(used_.size() - 1);
  }
  Result<uint32_t> use_side(std::string_view topic, const flow::Shape& shape,
                            const Place& place) override {
    if (topic == "undeclared") return fail("P301"_code, "no such topic").at(place);
    sides_.push_back({std::string(topic), shape});
    return static_cast<uint32_t>(sides_.size() - 1);
  }
  uint32_t step_index() const override { return static_cast<uint32_t>(steps_.size()); }

 private:
  struct Side {
    std::string topic;
    flow::Shape shape;
  };

  avro::EncodePlan encoder(const flow::Shape& shape) const {
    auto schema = shape.schema();
    REQUIRE(schema.has_value());
    auto origins = shape.origins(**schema);
    REQUIRE(origins.has_value());
    auto plan = avro::EncodePlan::compile(shape.input(), *schema, std::move(*origins));
    REQUIRE(plan.has_value());
    return std::move(*plan);
  }

  // Each encoder is handed the cuts of all, as a stage's chain does.
  std::vector<uint32_t> all_cuts() const {
    std::vector<uint32_t> cuts;
    for (uint32_t i = 0; i <= shape_.input()->root().fields.size(); ++i) cuts.push_back(i);
    return cuts;
  }

  std::string text(const flow::Shape& shape, const row::Batch& batch, uint32_t row) const {
    avro::EncodePlan plan = encoder(shape);
    const std::vector<uint32_t> cuts = all_cuts();
    plan.bind_cuts(cuts);
    std::string datum, why;
    REQUIRE_MESSAGE(plan.encode(batch, row, datum, &why), why);
    auto json = avro::to_json((*shape.schema())->root(), datum, avro::JsonStyle::plain);
    REQUIRE(json.has_value());
    return *json;
  }

  void decode(Trip& trip) {
    auto plan =
        avro::DecodePlan::compile(shape_.input(), shape_.input(), shape_.wants(), all_cuts());
    REQUIRE(plan.has_value());
    trip.records.resize(trip.datums.size());
    row::Batch& batch = trip.batch;
    batch.records = trip.records;
    batch.arena = trip.arena.get();
    batch.columns.resize(shape_.slot_count());
    std::vector<ByteView> payloads(trip.datums.begin(), trip.datums.end());
    for (uint32_t row = 0; row < batch.rows(); ++row) {
      batch.live.push_back(row);
      trip.records[row].offset = {row};
    }
    plan->decode(payloads, batch);
  }

  void run(Trip& trip) {
    decode(trip);
    std::vector<flow::SideOutput> outputs(sides_.size());
    flow::StepContext context{used_, outputs, absorbed_};
    for (const auto& step : steps_) {
      step->apply(trip.batch, context);
      for (size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i].rows.empty()) continue;
        trip.copies.push_back({sides_[i].topic, {}});
        for (const uint32_t row : outputs[i].rows)
          trip.copies.back().records.push_back(text(sides_[i].shape, trip.batch, row));
        outputs[i].rows.clear();
      }
    }
    absorbed_ = context.absorbed;
    for (const uint32_t row : trip.batch.live) trip.left_.push_back(text(shape_, trip.batch, row));
  }

  flow::Shape shape_;
  std::deque<yaml::Document> documents_;
  std::vector<std::unique_ptr<flow::Step>> steps_;
  std::map<std::string, TableShape> shapes_;
  std::map<std::string, std::shared_ptr<const flow::TableVersion>> versions_;
  std::vector<std::shared_ptr<const flow::TableVersion>> used_;
  std::vector<Side> sides_;
  uint64_t absorbed_ = 0;
};

inline constexpr std::string_view kReading =
    R"({"type":"record","name":"Reading","fields":[{"name":"meter_id","type":"string"},)"
    R"({"name":"kwh","type":"double"},{"name":"count","type":"long"},)"
    R"({"name":"note","type":["null","string"]}]})";

inline std::string reading(std::string_view meter, double kwh, int64_t count = 1,
                           std::string_view note = "null") {
  return fmt::format(R"({{"meter_id":"{}","kwh":{:#},"count":{},"note":{}}})", meter, kwh, count,
                     note);
}

}  // namespace penstock::step
