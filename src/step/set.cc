#include "step/bound_rule.h"
#include "step/steps.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace penstock::step {
namespace {

struct Assignment {
  BoundRule rule;
  uint32_t slot;
};

class Set final : public flow::Step {
 public:
  Set(std::vector<Assignment> assignments, uint32_t index)
      : assignments_(std::move(assignments)), index_(index) {}

  void apply(row::Batch& batch, flow::StepContext&) override {
    for (Assignment& assignment : assignments_) {
      batch.columns[assignment.slot] = assignment.rule.compute(batch, index_);
    }
  }

 private:
  std::vector<Assignment> assignments_;
  uint32_t index_;
};

bool is_name(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (text.empty() || !letter(text[0])) return false;
  for (const char c : text) {
    if (!letter(c) && (c < '0' || c > '9')) return false;
  }
  return true;
}

// All rules of one `set` see the record as it was before the step: the order of a mapping must not
// matter.
Result<std::unique_ptr<flow::Step>> make(const flow::Config& config, flow::Shape& shape,
                                         flow::MakeContext& context) {
  struct Made {
    std::string name;
    avro::SchemaPtr type;
  };
  std::vector<Assignment> assignments;
  std::vector<Made> made;
  for (const auto& [key, value] : config.node().entries) {
    if (!is_name(key.text)) {
      return fail("P306"_code, fmt::format("\"{}\" cannot be a field's name", key.text))
          .at(config.place(key));
    }
    PENSTOCK_TRY(rule, BoundRule::make(config, value, shape));
    auto type = rule.program().result_schema();
    if (!type) {
      Error error = std::move(type).error();
      error.place = config.place(value);
      return std::unexpected(std::move(error));
    }
    made.push_back({key.text, std::move(*type)});
    assignments.push_back({std::move(rule), shape.new_slot()});
  }
  for (size_t i = 0; i < made.size(); ++i) {
    shape.set(made[i].name, made[i].type, &made[i].type->root(), assignments[i].slot);
  }
  return std::make_unique<Set>(std::move(assignments), context.step_index());
}

}  // namespace

flow::PartSpec set() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::step;
  spec.name = "set";
  spec.doc =
      "Adds fields to the record, or replaces them, by rules. All rules of one step see the record "
      "as it was before.";
  spec.guarantee =
      "A rule that fails on a record makes that record a dead letter with the reason rule.error.";
  spec.fields = {
      {.name = "FIELD",
       .type = flow::FieldType::rule,
       .required = true,
       .doc = "The field's new value. A string constant is written 'text' inside YAML quotes.",
       .example = "kwh * 4.0"}};
  spec.open = true;
  spec.make = make;
  return spec;
}

}  // namespace penstock::step
