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
  Value extension(const Expr& expr);
  Value optional_index(const Value& target, const Value& key);
  // What a field of an optional's content, or of a map, holds.
  Value optional_field(const Expr& expr, Value target);
  Value joined(const Expr& expr);
  Value conditional(const Expr& expr);
  bool take(const Expr& item, Value& value);
  Value list(const Expr& expr);
  Value map(const Expr& expr);
  Value macro(const Expr& expr);
  Value quantified(const Expr& expr, const Value& range);
  Value exactly_one(const Expr& expr, const Value& range);
  Value collected(const Expr& expr, const Value& range);
  Value remapped(const Expr& expr, const Value& range);
  Value sorted_by(const Expr& expr, const Value& range);
  Value of_optional(const Expr& expr, const Value& optional);
  // The variables of a macro for item i.
  void enter(const Expr& expr, const Value& range, uint32_t i);
  // Whether the macro's condition, if it has one, lets an item through; else its error.
  Value passes(const Expr& expr);
  Value not_bool(const Value& value, std::string_view where);

  Variables& variables_;
  Context& context_;
  Value scope_[2 * kNestingMax];  // a macro has one variable or two
};

}  // namespace penstock::rule
