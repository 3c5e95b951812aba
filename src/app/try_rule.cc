#include "app/try_rule.h"

#include "app/column_json.h"
#include "avro/json.h"
#include "avro/plan.h"
#include "flow/shape.h"
#include "rule/program.h"

#include <vector>

namespace penstock::app {
namespace {

// The rule's columns: fields by projection; a record that is tried has no position, so these read
// as zero.
std::vector<uint32_t> slots_of(const rule::Program& program, flow::Shape& shape) {
  std::vector<uint32_t> slots;
  for (const rule::Use& use : program.uses()) {
    slots.push_back(use.what == rule::Use::What::field ? shape.slot(use.field) : shape.new_slot());
  }
  return slots;
}

void fill_positions(const rule::Program& program, const std::vector<uint32_t>& slots,
                    row::Batch& batch) {
  for (size_t i = 0; i < slots.size(); ++i) {
    const rule::Use::What what = program.uses()[i].what;
    if (what == rule::Use::What::field) continue;
    row::Column column = batch.make_column(rule::kind_of(what), what == rule::Use::What::key);
    if (what == rule::Use::What::key) {
      column.views[0] = {};
      column.nulls[0] = 1;
    } else if (what == rule::Use::What::topic) {
      column.views[0] = "";
    } else {
      column.int64s[0] = 0;
    }
    batch.columns[slots[i]] = column;
  }
}

}  // namespace

Result<std::string> try_rule(std::string_view rule, std::string_view schema_json,
                             std::string_view record_json) {
  PENSTOCK_TRY(schema, avro::parse(schema_json));
  PENSTOCK_TRY(program, rule::Program::compile(rule, schema));
  std::string datum;
  PENSTOCK_TRY_VOID(avro::from_json(schema->root(), record_json, avro::JsonStyle::plain, datum));
  flow::Shape shape(schema);
  const std::vector<uint32_t> slots = slots_of(program, shape);
  PENSTOCK_TRY(plan, avro::DecodePlan::compile(schema, schema, shape.wants(), {}));
  Arena arena;
  const row::RawRecord record{
      .key = {}, .value = datum, .offset = {}, .timestamp = {}, .has_value = true};
  row::Batch batch;
  batch.records = {&record, 1};
  batch.arena = &arena;
  batch.columns.resize(shape.slot_count());
  batch.live = {0};
  const ByteView payload = datum;
  plan.decode({&payload, 1}, batch);
  fill_positions(program, slots, batch);
  PENSTOCK_TRY(type, program.result_schema());
  rule::Evaluation evaluation(program, slots);
  std::vector<rule::FailedRow> failed;
  const row::Column column = evaluation.compute(batch, batch.live, failed);
  if (!failed.empty()) return fail("V003"_code, failed.front().text);
  return slot_json(column, 0, type->root());
}

}  // namespace penstock::app
