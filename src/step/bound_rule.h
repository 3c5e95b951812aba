// bound_rule.h — a rule of the pipeline file, compiled and bound to the columns that it reads.
//
// Thread      one worker.
// Lifetime    movable; the evaluation points at the program, which stays where it is.
// Errors      R… and P305, at the place in the pipeline file that is to blame.
#pragma once

#include "flow/part_spec.h"
#include "flow/shape.h"
#include "row/batch.h"
#include "rule/program.h"

#include <memory>
#include <string_view>
#include <vector>

namespace penstock::step {

class BoundRule {
 public:
  // `text` is the scalar that holds the rule. Its columns are asked for from `shape`, as it is now.
  static Result<BoundRule> make(const flow::Config& config, const yaml::Node& text,
                                flow::Shape& shape);

  const rule::Program& program() const { return *program_; }

  // The rows of batch.live for which the condition holds, ascending. Rows whose evaluation failed
  // are rejected as "rule.error" and leave `live`. The result is valid until the next call.
  const std::vector<uint32_t>& matches(row::Batch& batch, uint32_t step);
  // The rule's value for every live row; failed rows are rejected and leave `live`.
  row::Column compute(row::Batch& batch, uint32_t step);

 private:
  BoundRule(std::unique_ptr<rule::Program> program, std::vector<uint32_t> slots);
  void reject_failed(row::Batch& batch, uint32_t step);

  std::unique_ptr<rule::Program> program_;
  rule::Evaluation evaluation_;
  std::vector<uint32_t> matches_;
  std::vector<rule::FailedRow> failed_;
  std::vector<uint32_t> gone_;
};

// The same with the demand that the rule is true or false (P305). Without that field the part is
// written as the bare rule itself.
Result<BoundRule> make_condition(const flow::Config& config, std::string_view field,
                                 flow::Shape& shape);

// P301 for a field that the shape does not have, at `node`, with what was probably meant.
Error no_such_field(const flow::Config& config, const yaml::Node& node, const flow::Shape& shape);

}  // namespace penstock::step
