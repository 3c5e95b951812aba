// interpret.h — evaluates a checked expression for one row, node by node, over values of any type.
//
// This is CEL as it is written down; the batch kernels (lanes.h) must agree with it.
//
// Thread      one owner.
// Lifetime    results point into the context's arena, the expression's arena or the row.
// Errors      an error value; && and || and their macros absorb errors as CEL has it.
//
//     Context context{arena, kStepsPerEvaluation};
//     Value value = Interpreter(variables, context).run(*root);
#pragma once

#include "rule/ast.h"
#include "rule/value.h"

namespace penstock::rule {

// The values of the names, for one row.
class Variables {
 public:
  virtual ~Variables() = default;
  virtual Value load(uint32_t slot, Context& context) = 0;
  // The whole record as a map.
  virtual Value whole_record(Context& context) = 0;
};

class Interpreter {
 public:
  Interpreter(Variables& variables, Context& context) : variables_(variables), context_(context) {}

  Value run(const Expr& expr);

 private:
  Value name(const Expr& expr);
  Value select(const Expr& expr);
  Value has(const Expr& expr);
  Value call(const Expr& expr);
  Value joined(const Expr& expr);
  Value conditional(const Expr& expr);
  Value list(const Expr& expr);
  Value map(const Expr& expr);
  Value macro(const Expr& expr);
  Value quantified(const Expr& expr, const Value& range);
  Value exactly_one(const Expr& expr, const Value& range);
  Value collected(const Expr& expr, const Value& range);
  Value not_bool(const Value& value, std::string_view where);

  Variables& variables_;
  Context& context_;
  Value scope_[kNestingMax];
};

}  // namespace penstock::rule
