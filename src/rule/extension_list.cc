// lists: parts, order, what occurs once; ranges.

#include "rule/extension.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <vector>

namespace penstock::rule {

namespace {

using Args = std::span<const Value>;

constexpr int64_t kLongestRange = 1'000'000;

Value new_list(std::span<const Value> items, Context& context) {
  if (!context.spend(items.size())) return context.error(kOverBudget);
  const std::span<Value> kept = context.arena.array<Value>(items.size());
  std::ranges::copy(items, kept.begin());
  return Value::of_list(kept);
}

Value slice(Args args, Context& context) {
  const int64_t begin = args[1].int64, end = args[2].int64;
  if (begin < 0 || end < begin || end > args[0].size)
    return context.error(
        fmt::format("no slice from {} to {} of a list of {}", begin, end, args[0].size));
  return Value::of_list(
      args[0].list().subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
}

bool flatten_into(std::span<const Value> items, int64_t depth, std::vector<Value>& out,
                  Context& context) {
  for (const Value& item : items) {
    if (!context.spend(1)) return false;
    if (depth > 0 && item.kind == ValueKind::list) {
      if (!flatten_into(item.list(), depth - 1, out, context)) return false;
    } else {
      out.push_back(item);
    }
  }
  return true;
}

Value flatten(Args args, Context& context) {
  const int64_t depth = args.size() == 2 ? args[1].int64 : 1;
  if (depth < 0) return context.error(fmt::format("flatten({}): the depth is negative", depth));
  std::vector<Value> out;
  if (!flatten_into(args[0].list(), depth, out, context)) return context.error(kOverBudget);
  return new_list(out, context);
}

Value distinct(Args args, Context& context) {
  std::vector<Value> kept;
  for (const Value& item : args[0].list()) {
    const bool known = std::ranges::any_of(
        kept, [&](const Value& other) { return context.spend(1) && equal(item, other, context); });
    if (context.steps_left == 0) return context.error(kOverBudget);
    if (!known) kept.push_back(item);
  }
  return new_list(kept, context);
}

// Of a string its code points.
Value reversed_text(std::string_view text, Context& context) {
  std::string out;
  while (!text.empty()) {
    size_t start = text.size() - 1;
    while (start > 0 && (text[start] & 0xC0) == 0x80) start--;
    out.append(text.substr(start));
    text = text.substr(0, start);
  }
  return new_text(out, context);
}

Value reversed(Args args, Context& context) {
  if (args[0].kind == ValueKind::string) return reversed_text(args[0].text(), context);
  std::vector<Value> items(args[0].list().begin(), args[0].list().end());
  std::ranges::reverse(items);
  return new_list(items, context);
}

Value sort(Args args, Context& context) { return sorted(args[0].list(), args[0].list(), context); }

Value range(Args args, Context& context) {
  const int64_t count = args[0].int64;
  if (count > kLongestRange)
    return context.error(fmt::format("lists.range({}): at most {}", count, kLongestRange));
  const auto size = static_cast<size_t>(std::max<int64_t>(count, 0));
  if (!context.spend(size)) return context.error(kOverBudget);
  const std::span<Value> items = context.arena.array<Value>(size);
  for (size_t i = 0; i < size; i++) items[i] = Value::of_int(static_cast<int64_t>(i));
  return Value::of_list(items);
}

Value first(Args args, Context&) {
  return args[0].size == 0 ? Value::of_none() : Value::of_optional(args[0].items);
}

Value last(Args args, Context&) {
  return args[0].size == 0 ? Value::of_none()
                           : Value::of_optional(args[0].items + args[0].size - 1);
}

constexpr Extension of_list(std::string_view name, Gives gives, Value (*apply)(Args, Context&)) {
  return {.name = name, .member = true, .takes = {kListKind}, .gives = gives, .apply = apply};
}

}  // namespace

Value sorted(std::span<const Value> items, std::span<const Value> keys, Context& context) {
  for (const Value& key : keys) {
    if (key.kind != keys[0].kind || compare(key, key) != 0)  // NaN has none either
      return context.error(
          fmt::format("a {} and a {} have no order", type_name(keys[0].kind), type_name(key.kind)));
  }
  // n log n comparisons, at most.
  if (!context.spend(items.size() * (1 + std::bit_width(items.size()))))
    return context.error(kOverBudget);
  std::vector<uint32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order,
                           [&](uint32_t a, uint32_t b) { return compare(keys[a], keys[b]) == -1; });
  const std::span<Value> kept = context.arena.array<Value>(items.size());
  for (size_t i = 0; i < order.size(); i++) kept[i] = items[order[i]];
  return Value::of_list(kept);
}

std::span<const Extension> list_extensions() {
  static constexpr Extension kAll[] = {
      {.name = "slice",
       .member = true,
       .least = 3,
       .most = 3,
       .takes = {kListKind, kIntKind},
       .gives = Gives::first,
       .apply = slice},
      {.name = "flatten",
       .member = true,
       .least = 1,
       .most = 2,
       .takes = {kListKind, kIntKind},
       .gives = Gives::flattened,
       .apply = flatten},
      of_list("distinct", Gives::first, distinct),
      {.name = "sort",
       .member = true,
       .takes = {kListKind},
       .gives = Gives::first,
       .items = kOrderedKinds,
       .apply = sort},
      {.name = "reverse",
       .member = true,
       .takes = {kListKind | kStringKind},
       .gives = Gives::first,
       .apply = reversed},
      of_list("first", Gives::item, first),
      of_list("last", Gives::item, last),
      {.name = "lists.range", .takes = {kIntKind}, .gives = Gives::ints, .apply = range},

  };
  return kAll;
}

}  // namespace penstock::rule
