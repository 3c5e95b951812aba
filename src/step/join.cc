#include "base/json_write.h"
#include "base/suggest.h"
#include "flow/key_text.h"
#include "step/bound_rule.h"
#include "step/steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace penstock::step {
namespace {

struct Taken {
  uint32_t table_field;
  uint32_t slot;
};

template <class T>
void gather(const T* from, T* to, std::span<const uint32_t> rows,
            std::span<const uint32_t> table_rows) {
  for (size_t i = 0; i < rows.size(); ++i) to[rows[i]] = from[table_rows[i]];
}

class Join final : public flow::Step {
 public:
  Join(uint32_t table, std::vector<uint32_t> by, std::vector<Taken> taken, std::string name,
       uint32_t index)
      : table_(table),
        by_(std::move(by)),
        taken_(std::move(taken)),
        name_(std::move(name)),
        index_(index) {}

  void apply(row::Batch& batch, flow::StepContext& context) override {
    const flow::TableVersion& table = *context.tables[table_];
    look_up(batch, table);
    for (const Taken& taken : taken_) {
      batch.columns[taken.slot] = copy(batch, table.column(taken.table_field));
    }
  }

 private:
  void look_up(row::Batch& batch, const flow::TableVersion& table) {
    found_.clear();
    gone_.clear();
    for (const uint32_t row : batch.live) {
      key_.clear();
      const bool has_key = flow::append_key(batch, by_, row, key_);
      const auto match = has_key ? table.find(key_) : std::nullopt;
      if (match) {
        found_.push_back(*match);
        continue;
      }
      gone_.push_back(row);
      batch.reject(row, index_, "join.no_match",
                   has_key ? fmt::format("table \"{}\" has no row for {}", name_, shown(batch, row))
                           : fmt::format("the key of table \"{}\" is null in this record", name_));
    }
    flow::remove_live(batch.live, gone_);
  }

  // The key for people: the fields' texts.
  std::string shown(const row::Batch& batch, uint32_t row) const {
    std::string text;
    for (const uint32_t& slot : by_) {
      if (&slot != by_.data()) text += ", ";
      flow::append_key(batch, {&slot, 1}, row, text);
    }
    return quoted(text);
  }

  row::Column copy(row::Batch& batch, const row::Column& from) {
    row::Column to = batch.make_column(from.kind, from.nulls != nullptr);
    switch (row::slot_bytes(from.kind)) {
      case 1:
        gather(from.booleans, to.booleans, batch.live, found_);
        break;
      case 8:
        gather(from.int64s, to.int64s, batch.live, found_);
        break;
      default:
        gather(from.views, to.views, batch.live, found_);
    }
    if (from.nulls != nullptr) gather(from.nulls, to.nulls, batch.live, found_);
    return to;
  }

  uint32_t table_;
  std::vector<uint32_t> by_;
  std::vector<Taken> taken_;
  std::string name_;
  uint32_t index_;
  std::string key_;
  std::vector<uint32_t> found_;  // row of the table, per live row
  std::vector<uint32_t> gone_;
};

Result<std::vector<uint32_t>> key_slots(const flow::Config& config, flow::Shape& shape,
                                        const flow::MakeContext::TableShape& table) {
  const auto by = config.list("by");
  if (by.size() != table.key.size()) {
    return fail("P304"_code, fmt::format("the table's key has {} field(s), the join names {}",
                                         table.key.size(), by.size()))
        .at(config.place("by"));
  }
  std::vector<uint32_t> slots;
  for (const yaml::Node* name : by) {
    const auto* field = shape.field(name->text);
    if (field == nullptr) return std::unexpected(no_such_field(config, *name, shape));
    if (!flow::can_be_key(avro::slot_shape(*field->type).kind)) {
      return fail("P302"_code,
                  fmt::format("\"{}\" is {}", name->text, avro::describe(*field->type)))
          .at(config.place(*name));
    }
    slots.push_back(shape.slot(name->text));
  }
  return slots;
}

Result<Taken> take(const flow::Config& config, const yaml::Node& name, flow::Shape& shape,
                   const flow::MakeContext::TableShape& table) {
  const auto& columns = table.schema->root().fields;
  const auto column = std::ranges::find(columns, name.text, &avro::Field::name);
  if (column == columns.end()) {
    std::vector<std::string_view> names;
    for (const auto& field : columns) names.push_back(field.name);
    return fail("P307"_code, fmt::format("the table has no column \"{}\"", name.text))
        .at(config.place(name))
        .hint(did_you_mean(name.text, names));
  }
  if (shape.field(name.text) != nullptr) {
    return fail("P303"_code, fmt::format("the record has a field \"{}\" already", name.text))
        .at(config.place(name));
  }
  const uint32_t slot = shape.new_slot();
  shape.set(name.text, table.schema, column->type, slot);
  return Taken{static_cast<uint32_t>(column - columns.begin()), slot};
}

Result<std::unique_ptr<flow::Step>> make(const flow::Config& config, flow::Shape& shape,
                                         flow::MakeContext& context) {
  const std::string name = config.text("table");
  const auto* table = context.table(name);
  if (table == nullptr) {
    const auto names = context.table_names();
    return fail("P308"_code, fmt::format("no table \"{}\" is declared", name))
        .at(config.place("table"))
        .hint(did_you_mean(name, names));
  }
  PENSTOCK_TRY(by, key_slots(config, shape, *table));
  std::vector<Taken> taken;
  for (const yaml::Node* column : config.list("take")) {
    PENSTOCK_TRY(one, take(config, *column, shape, *table));
    taken.push_back(one);
  }
  return std::make_unique<Join>(context.use_table(name), std::move(by), std::move(taken), name,
                                context.step_index());
}

}  // namespace

flow::PartSpec join() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::step;
  spec.name = "join";
  spec.doc = "Adds fields from the row of a table that has the record's key.";
  spec.guarantee =
      "A record without a row becomes a dead letter join.no_match. All records of an epoch see one "
      "version of the table.";
  spec.fields = {{.name = "table",
                  .type = flow::FieldType::table,
                  .required = true,
                  .doc = "The table to look in.",
                  .example = "meters"},
                 {.name = "by",
                  .type = flow::FieldType::fields,
                  .required = true,
                  .doc = "The record's fields that hold the table's key, in the key's order.",
                  .example = "meter_id"},
                 {.name = "take",
                  .type = flow::FieldType::names,
                  .required = true,
                  .doc = "The table's columns to add as fields.",
                  .example = "[tenant, site, tariff]"}};
  spec.make = make;
  return spec;
}

}  // namespace penstock::step
