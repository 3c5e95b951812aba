#include "step/bound_rule.h"

#include "base/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::step {
namespace {

uint32_t slot_of(const rule::Use& use, flow::Shape& shape) {
  switch (use.what) {
    case rule::Use::What::field:
      return shape.slot(use.field);
    case rule::Use::What::key:
      return shape.special(flow::Special::key);
    case rule::Use::What::topic:
      return shape.special(flow::Special::topic);
    case rule::Use::What::partition:
      return shape.special(flow::Special::partition);
    case rule::Use::What::offset:
      return shape.special(flow::Special::offset);
    case rule::Use::What::timestamp:
      break;
  }
  return shape.special(flow::Special::timestamp);
}

}  // namespace

BoundRule::BoundRule(std::unique_ptr<rule::Program> program, std::vector<uint32_t> slots)
    : program_(std::move(program)), evaluation_(*program_, std::move(slots)) {}

Result<BoundRule> BoundRule::make(const flow::Config& config, const yaml::Node& text,
                                  flow::Shape& shape) {
  PENSTOCK_TRY(schema, shape.schema());
  auto compiled = rule::Program::compile(text.text, schema);
  if (!compiled) {
    Error error = std::move(compiled).error();
    error.place = error.place.line == 0
                      ? config.place(text)
                      : config.document().place_inside(text, error.place.line, error.place.column,
                                                       error.place.width);
    return std::unexpected(std::move(error));
  }
  auto program = std::make_unique<rule::Program>(std::move(*compiled));
  std::vector<uint32_t> slots;
  for (const rule::Use& use : program->uses()) slots.push_back(slot_of(use, shape));
  return BoundRule(std::move(program), std::move(slots));
}

const std::vector<uint32_t>& BoundRule::matches(row::Batch& batch, uint32_t step) {
  matches_.clear();
  failed_.clear();
  evaluation_.filter(batch, batch.live, matches_, failed_);
  reject_failed(batch, step);
  return matches_;
}

row::Column BoundRule::compute(row::Batch& batch, uint32_t step) {
  failed_.clear();
  const row::Column column = evaluation_.compute(batch, batch.live, failed_);
  reject_failed(batch, step);
  return column;
}

void BoundRule::reject_failed(row::Batch& batch, uint32_t step) {
  if (failed_.empty()) return;
  std::ranges::sort(failed_, {}, &rule::FailedRow::row);
  gone_.clear();
  for (rule::FailedRow& failed : failed_) {
    gone_.push_back(failed.row);
    batch.reject(failed.row, step, "rule.error", std::move(failed.text));
  }
  flow::remove_live(batch.live, gone_);
}

Result<BoundRule> make_condition(const flow::Config& config, std::string_view field,
                                 flow::Shape& shape) {
  const yaml::Node* found = config.find(field);
  const yaml::Node& text = found == nullptr ? config.node() : *found;
  PENSTOCK_TRY(bound, BoundRule::make(config, text, shape));
  if (!bound.program().is_condition()) {
    return fail("P305"_code,
                fmt::format("the rule gives {}, not true or false", bound.program().result_type()))
        .at(config.place(text));
  }
  return std::move(bound);
}

Error no_such_field(const flow::Config& config, const yaml::Node& node, const flow::Shape& shape) {
  std::vector<std::string_view> names;
  for (const auto& field : shape.fields()) names.push_back(field.name);
  return fail("P301"_code, fmt::format("the record has no field \"{}\" here", node.text))
      .at(config.place(node))
      .hint(did_you_mean(node.text, names))
      .take();
}

}  // namespace penstock::step
