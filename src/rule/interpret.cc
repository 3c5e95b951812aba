#include "rule/interpret.h"

#include "rule/extension.h"
#include "rule/function.h"

#include <fmt/format.h>

namespace penstock::rule {

Value Interpreter::run(const Expr& expr) {
  if (!context_.spend(1)) return Value::of_error(kOverBudget);
  Value value;
  switch (expr.kind) {
    case ExprKind::literal:
      return expr.value;
    case ExprKind::name:
      value = name(expr);
      break;
    case ExprKind::select:
      value = select(expr);
      break;
    case ExprKind::has:
      return has(expr);
    case ExprKind::call:
      value = call(expr);
      break;
    case ExprKind::all_of:
    case ExprKind::any_of:
      return joined(expr);
    case ExprKind::conditional:
      return conditional(expr);
    case ExprKind::list:
      return list(expr);
    case ExprKind::map:
      return map(expr);
    case ExprKind::macro:
      return macro(expr);
  }
  // Reached only when the guard itself was an error that && or || may still absorb.
  if (expr.non_null && value.kind == ValueKind::null_)
    return context_.error(fmt::format("\"{}\" is null", expr.text));
  return value;
}

Value Interpreter::name(const Expr& expr) {
  if (expr.ref == Ref::macro_variable) return scope_[expr.slot];
  if (expr.ref == Ref::whole_record) return variables_.whole_record(context_);
  return variables_.load(expr.slot, context_);
}

Value Interpreter::select(const Expr& expr) {
  const Value target = run(*expr.args[0]);
  if (target.is_error()) return target;
  if (expr.optional || target.kind == ValueKind::optional) return optional_field(expr, target);
  if (target.kind != ValueKind::map)
    return context_.error(
        fmt::format("a {} has no field \"{}\"", type_name(target.kind), expr.text));
  const Value* found = find(*target.entries, expr.text);
  if (found == nullptr) return context_.error(fmt::format("no such key: '{}'", expr.text));
  return *found;
}

Value Interpreter::optional_field(const Expr& expr, Value target) {
  if (target.kind == ValueKind::optional) {
    if (target.content() == nullptr) return target;
    target = *target.content();
  }
  if (target.kind != ValueKind::map)
    return context_.error(
        fmt::format("no such key: a {} has no field \"{}\"", type_name(target.kind), expr.text));
  const Value* found = find(*target.entries, expr.text);
  return found == nullptr ? Value::of_none() : Value::of_optional(found);
}

Value Interpreter::optional_index(const Value& given, const Value& key) {
  if (given.kind == ValueKind::optional && given.content() == nullptr) return given;
  const Value& target = given.kind == ValueKind::optional ? *given.content() : given;
  if (target.kind == ValueKind::map) {
    const Value* found = find(*target.entries, key, context_);
    return found == nullptr ? Value::of_none() : Value::of_optional(found);
  }
  const bool whole = key.kind == ValueKind::int_ || key.kind == ValueKind::uint_;
  if (target.kind == ValueKind::list && whole) {
    const bool inside = key.uint64 < target.size;  // a negative int is a large one
    return inside ? Value::of_optional(target.items + key.uint64) : Value::of_none();
  }
  return context_.error(
      fmt::format("no operator [] for {} and {}", type_name(target.kind), type_name(key.kind)));
}

Value Interpreter::has(const Expr& expr) {
  Value target = run(*expr.args[0]);
  if (target.is_error()) return target;
  if (target.kind == ValueKind::optional) {
    if (target.content() == nullptr) return Value::of_bool(false);
    if (expr.text.empty()) return Value::of_bool(true);
    target = *target.content();
  }
  if (expr.text.empty()) return Value::of_bool(target.kind != ValueKind::null_);
  if (target.kind != ValueKind::map)
    return context_.error(
        fmt::format("a {} has no field \"{}\"", type_name(target.kind), expr.text));
  const Value* found = find(*target.entries, expr.text);
  const bool record = expr.args[0]->type->kind == TypeKind::record;
  return Value::of_bool(found != nullptr && !(record && found->kind == ValueKind::null_));
}

// What is lazy does not look at its second argument when the first has a value.
Value Interpreter::extension(const Expr& expr) {
  const std::span<Value> args = context_.arena.array<Value>(expr.args.size());
  for (size_t i = 0; i < args.size(); i++) {
    const bool decided = i == 1 && expr.extension->lazy && args[0].kind == ValueKind::optional &&
                         args[0].content() != nullptr;
    args[i] = decided ? args[0] : run(*expr.args[i]);
    if (args[i].is_error()) return args[i];
  }
  return apply(*expr.extension, args, context_);
}

Value Interpreter::call(const Expr& expr) {
  if (expr.extension != nullptr) return extension(expr);
  Value args[2];
  for (size_t i = 0; i < expr.args.size(); i++) {
    args[i] = run(*expr.args[i]);
    if (args[i].is_error()) return args[i];
  }
  if (expr.fn == Fn::index && (expr.optional || args[0].kind == ValueKind::optional))
    return optional_index(args[0], args[1]);
  if (expr.pattern != nullptr) return apply_pattern(*expr.pattern, args[0], context_);
  return apply(expr.fn, {args, expr.args.size()}, context_);
}

Value Interpreter::not_bool(const Value& value, std::string_view where) {
  return context_.error(fmt::format("{} takes a bool, not a {}", where, type_name(value.kind)));
}

Value Interpreter::joined(const Expr& expr) {
  const bool all = expr.kind == ExprKind::all_of;
  Value trouble;
  for (const Expr* arg : expr.args) {
    const Value value = run(*arg);
    if (all ? value.is_false() : value.is_true()) return value;
    if (value.kind == ValueKind::bool_ || trouble.is_error()) continue;
    trouble = value.is_error() ? value : not_bool(value, all ? "&&" : "||");
  }
  return trouble.is_error() ? trouble : Value::of_bool(all);
}

Value Interpreter::conditional(const Expr& expr) {
  const Value condition = run(*expr.args[0]);
  if (condition.is_error()) return condition;
  if (condition.kind != ValueKind::bool_) return not_bool(condition, "? :");
  return run(*expr.args[condition.boolean ? 1 : 2]);
}

// An item that is spread is what its optional holds; false: there is none, or `value` is an error.
bool Interpreter::take(const Expr& item, Value& value) {
  value = run(item);
  if (value.is_error() || !item.spread) return !value.is_error();
  if (value.kind != ValueKind::optional) {
    value =
        context_.error(fmt::format("behind ? stands an optional, not a {}", type_name(value.kind)));
    return false;
  }
  if (value.content() == nullptr) return false;
  value = *value.content();
  return true;
}

Value Interpreter::list(const Expr& expr) {
  const std::span<Value> items = context_.arena.array<Value>(expr.args.size());
  size_t kept = 0;
  for (const Expr* arg : expr.args) {
    const bool there = take(*arg, items[kept]);
    if (items[kept].is_error()) return items[kept];
    kept += there ? 1 : 0;
  }
  return Value::of_list(items.first(kept));
}

Value Interpreter::map(const Expr& expr) {
  const std::span<Entry> entries = context_.arena.array<Entry>(expr.args.size() / 2);
  size_t kept = 0;
  for (size_t i = 0; i < expr.args.size(); i += 2) {
    entries[kept].key = run(*expr.args[i]);
    if (entries[kept].key.is_error()) return entries[kept].key;
    const bool there = take(*expr.args[i + 1], entries[kept].value);
    if (entries[kept].value.is_error()) return entries[kept].value;
    kept += there ? 1 : 0;
  }
  return make_map(entries.first(kept), context_);
}

}  // namespace penstock::rule
