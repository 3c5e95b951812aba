// Macros, item by item.

#include "rule/extension.h"
#include "rule/interpret.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

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

// One variable: an item, or a map's key. Two: its index, or key, and the value.
void Interpreter::enter(const Expr& expr, const Value& range, uint32_t i) {
  const bool list = range.kind == ValueKind::list;
  if (expr.second.empty()) {
    scope_[expr.slot] = item_of(range, i);
    return;
  }
  scope_[expr.slot] = list ? Value::of_int(i) : range.entries->entries[i].key;
  scope_[expr.slot + 1] = list ? range.items[i] : range.entries->entries[i].value;
}

Value Interpreter::macro(const Expr& expr) {
  const Value range = run(*expr.args[0]);
  if (range.is_error()) return range;
  switch (expr.macro) {
    case Macro::bind:
      scope_[expr.slot] = range;
      return run(*expr.args[1]);
    case Macro::opt_map:
    case Macro::opt_flat_map:
      return of_optional(expr, range);
    default:
      break;
  }
  if (range.kind != ValueKind::list && range.kind != ValueKind::map)
    return context_.error(fmt::format("a {} has no items to go through", type_name(range.kind)));
  switch (expr.macro) {
    case Macro::all:
    case Macro::exists:
      return quantified(expr, range);
    case Macro::exists_one:
      return exactly_one(expr, range);
    case Macro::transform_map:
    case Macro::transform_map_entry:
      return remapped(expr, range);
    case Macro::sort_by:
      return sorted_by(expr, range);
    default:
      return collected(expr, range);
  }
}

// all and exists are && and || over the items: an error counts only when no item decides.
Value Interpreter::quantified(const Expr& expr, const Value& range) {
  const bool all = expr.macro == Macro::all;
  Value trouble;
  for (uint32_t i = 0; i < count_items(range); i++) {
    enter(expr, range, i);
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
    enter(expr, range, i);
    const Value value = run(*expr.args[1]);
    if (value.is_error()) return value;
    if (value.kind != ValueKind::bool_) return not_bool(value, "the condition");
    found += value.boolean ? 1 : 0;
  }
  return Value::of_bool(found == 1);
}

Value Interpreter::passes(const Expr& expr) {
  const bool asks = expr.macro == Macro::filter || expr.args.size() == 3;
  if (!asks) return Value::of_bool(true);
  const Value value = run(*expr.args[1]);
  if (value.is_error() || value.kind == ValueKind::bool_) return value;
  return not_bool(value, "the condition");
}

// map, filter, transformList; map and transformList with a condition as well.
Value Interpreter::collected(const Expr& expr, const Value& range) {
  const uint32_t count = count_items(range);
  if (!context_.spend(count)) return Value::of_error(kOverBudget);
  const std::span<Value> items = context_.arena.array<Value>(count);
  size_t kept = 0;
  for (uint32_t i = 0; i < count; i++) {
    enter(expr, range, i);
    const Value passed = passes(expr);
    if (passed.is_error()) return passed;
    if (!passed.boolean) continue;
    items[kept] = expr.macro == Macro::filter ? item_of(range, i) : run(*expr.args.back());
    if (items[kept].is_error()) return items[kept];
    kept++;
  }
  return Value::of_list(items.first(kept));
}

// transformMap: other values under the same keys; transformMapEntry: the entries that a map has.
Value Interpreter::remapped(const Expr& expr, const Value& range) {
  std::vector<Entry> entries;
  for (uint32_t i = 0; i < count_items(range); i++) {
    enter(expr, range, i);
    const Value passed = passes(expr);
    if (passed.is_error()) return passed;
    if (!passed.boolean) continue;
    const Value key = scope_[expr.slot];
    const Value value = run(*expr.args.back());
    if (value.is_error()) return value;
    if (expr.macro == Macro::transform_map) {
      entries.push_back({key, value});
      continue;
    }
    if (value.kind != ValueKind::map)
      return context_.error(fmt::format("an entry is a map, not a {}", type_name(value.kind)));
    entries.insert(entries.end(), value.entries->entries.begin(), value.entries->entries.end());
  }
  const std::span<Entry> kept = context_.arena.array<Entry>(entries.size());
  std::ranges::copy(entries, kept.begin());
  return make_map(kept, context_);
}

Value Interpreter::sorted_by(const Expr& expr, const Value& range) {
  const uint32_t count = count_items(range);
  if (!context_.spend(2 * uint64_t{count})) return Value::of_error(kOverBudget);
  const std::span<Value> items = context_.arena.array<Value>(count);
  const std::span<Value> keys = context_.arena.array<Value>(count);
  for (uint32_t i = 0; i < count; i++) {
    enter(expr, range, i);
    items[i] = item_of(range, i);
    keys[i] = run(*expr.args[1]);
    if (keys[i].is_error()) return keys[i];
  }
  return sorted(items, keys, context_);
}

Value Interpreter::of_optional(const Expr& expr, const Value& optional) {
  if (optional.kind != ValueKind::optional)
    return context_.error(fmt::format("a {} is no optional", type_name(optional.kind)));
  if (optional.content() == nullptr) return optional;
  scope_[expr.slot] = *optional.content();
  const Value value = run(*expr.args[1]);
  if (value.is_error()) return value;
  if (expr.macro == Macro::opt_flat_map) {
    if (value.kind == ValueKind::optional) return value;
    return context_.error(fmt::format("a {} is no optional", type_name(value.kind)));
  }
  const std::span<Value> kept = context_.arena.array<Value>(1);
  kept[0] = value;
  return Value::of_optional(kept.data());
}

}  // namespace penstock::rule
