#include "rule/interpret.h"

#include "rule/function.h"

#include <fmt/format.h>

namespace penstock::rule {

namespace {

uint32_t count_items(const Value& range) {
  return range.kind == ValueKind::list ? range.size
                                       : static_cast<uint32_t>(range.entries->entries.size());
}

const Value& item_of(const Value& range, uint32_t i) {
  return range.kind == ValueKind::list ? range.items[i] : range.entries->entries[i].key;
}

}  // namespace

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
  if (target.kind != ValueKind::map)
    return context_.error(
        fmt::format("a {} has no field \"{}\"", type_name(target.kind), expr.text));
  const Value* found = find(*target.entries, expr.text);
  if (found == nullptr) return context_.error(fmt::format("no such key: '{}'", expr.text));
  return *found;
}

Value Interpreter::has(const Expr& expr) {
  const Value target = run(*expr.args[0]);
  if (target.is_error()) return target;
  if (expr.text.empty()) return Value::of_bool(target.kind != ValueKind::null_);
  if (target.kind != ValueKind::map)
    return context_.error(
        fmt::format("a {} has no field \"{}\"", type_name(target.kind), expr.text));
  const Value* found = find(*target.entries, expr.text);
  const bool record = expr.args[0]->type->kind == TypeKind::record;
  return Value::of_bool(found != nullptr && !(record && found->kind == ValueKind::null_));
}

Value Interpreter::call(const Expr& expr) {
  Value args[2];
  for (size_t i = 0; i < expr.args.size(); i++) {
    args[i] = run(*expr.args[i]);
    if (args[i].is_error()) return args[i];
  }
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

Value Interpreter::list(const Expr& expr) {
  const std::span<Value> items = context_.arena.array<Value>(expr.args.size());
  for (size_t i = 0; i < items.size(); i++) {
    items[i] = run(*expr.args[i]);
    if (items[i].is_error()) return items[i];
  }
  return Value::of_list(items);
}

Value Interpreter::map(const Expr& expr) {
  const std::span<Entry> entries = context_.arena.array<Entry>(expr.args.size() / 2);
  for (size_t i = 0; i < entries.size(); i++) {
    entries[i].key = run(*expr.args[2 * i]);
    if (entries[i].key.is_error()) return entries[i].key;
    entries[i].value = run(*expr.args[2 * i + 1]);
    if (entries[i].value.is_error()) return entries[i].value;
  }
  return make_map(entries, context_);
}

Value Interpreter::macro(const Expr& expr) {
  const Value range = run(*expr.args[0]);
  if (range.is_error()) return range;
  if (range.kind != ValueKind::list && range.kind != ValueKind::map)
    return context_.error(fmt::format("a {} has no items to go through", type_name(range.kind)));
  switch (expr.macro) {
    case Macro::all:
    case Macro::exists:
      return quantified(expr, range);
    case Macro::exists_one:
      return exactly_one(expr, range);
    case Macro::map:
    case Macro::filter:
      break;
  }
  return collected(expr, range);
}

// all and exists are && and || over the items: an error counts only when no item decides.
Value Interpreter::quantified(const Expr& expr, const Value& range) {
  const bool all = expr.macro == Macro::all;
  Value trouble;
  for (uint32_t i = 0; i < count_items(range); i++) {
    scope_[expr.slot] = item_of(range, i);
    const Value value = run(*expr.args[1]);
    if (all ? value.is_false() : value.is_true()) return value;
    if (context_.steps_left == 0) return Value::of_error(kOverBudget);
    if (value.kind == ValueKind::bool_ || trouble.is_error()) continue;
    trouble = value.is_error() ? value : not_bool(value, "the condition");
  }
  return trouble.is_error() ? trouble : Value::of_bool(all);
}

Value Interpreter::exactly_one(const Expr& expr, const Value& range) {
  uint32_t found = 0;
  for (uint32_t i = 0; i < count_items(range); i++) {
    scope_[expr.slot] = item_of(range, i);
    const Value value = run(*expr.args[1]);
    if (value.is_error()) return value;
    if (value.kind != ValueKind::bool_) return not_bool(value, "the condition");
    found += value.boolean ? 1 : 0;
  }
  return Value::of_bool(found == 1);
}

// map and filter; map with a condition as well.
Value Interpreter::collected(const Expr& expr, const Value& range) {
  const bool transforms = expr.macro == Macro::map;
  const bool filters = !transforms || expr.args.size() == 3;
  const uint32_t count = count_items(range);
  if (!context_.spend(count)) return Value::of_error(kOverBudget);
  const std::span<Value> items = context_.arena.array<Value>(count);
  size_t kept = 0;
  for (uint32_t i = 0; i < count; i++) {
    const Value item = item_of(range, i);
    scope_[expr.slot] = item;
    if (filters) {
      const Value value = run(*expr.args[1]);
      if (value.is_error()) return value;
      if (value.kind != ValueKind::bool_) return not_bool(value, "the condition");
      if (!value.boolean) continue;
    }
    items[kept] = transforms ? run(*expr.args.back()) : item;
    if (items[kept].is_error()) return items[kept];
    kept++;
  }
  return Value::of_list(items.first(kept));
}

}  // namespace penstock::rule
