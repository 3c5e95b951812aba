// What the functions do, for any values. Conversions are in conversion.cc.

#include "rule/function.h"

#include "rule/conversion.h"
#include "rule/literal.h"
#include "rule/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace penstock::rule {

namespace {

Value no_overload(Fn fn, std::span<const Value> args, Context& context) {
  if (args.size() == 2 && fn <= Fn::index)
    return context.error(fmt::format("no operator {} for {} and {}", name_of(fn),
                                     type_name(args[0].kind), type_name(args[1].kind)));
  std::string types;
  for (const Value& arg : args)
    types += fmt::format("{}{}", types.empty() ? "" : ", ", type_name(arg.kind));
  return context.error(fmt::format("no function {}({})", name_of(fn), types));
}

Value overflow(ValueKind kind, Context& context) {
  return context.error(fmt::format("{} overflow", type_name(kind)));
}

// Strings, bytes and lists
// -------------------------------------------------------------------------------------

Value join_texts(const Value& a, const Value& b, Context& context) {
  const uint64_t size = uint64_t{a.size} + b.size;
  if (size > UINT32_MAX || !context.spend(size / 16)) return context.error(kOverBudget);
  char* to = static_cast<char*>(context.arena.allocate(size, 1));
  if (a.size > 0) std::memcpy(to, a.chars, a.size);
  if (b.size > 0) std::memcpy(to + a.size, b.chars, b.size);
  const std::string_view both(to, size);
  return a.kind == ValueKind::string ? Value::of_string(both) : Value::of_bytes(both);
}

Value join_lists(const Value& a, const Value& b, Context& context) {
  const uint64_t size = uint64_t{a.size} + b.size;
  if (size > UINT32_MAX || !context.spend(size)) return context.error(kOverBudget);
  const std::span<Value> items = context.arena.array<Value>(size);
  std::ranges::copy(a.list(), items.begin());
  std::ranges::copy(b.list(), items.begin() + a.size);
  return Value::of_list(items);
}

Value size_of(const Value& value, Context& context) {
  switch (value.kind) {
    case ValueKind::string:
      if (!context.spend(value.size / 16)) return context.error(kOverBudget);
      return Value::of_int(count_code_points(value.text()));
    case ValueKind::bytes:
    case ValueKind::list:
      return Value::of_int(value.size);
    case ValueKind::map:
      return Value::of_int(static_cast<int64_t>(value.entries->entries.size()));
    default:
      return no_overload(Fn::size, {&value, 1}, context);
  }
}

Value search(Fn fn, std::span<const Value> args, Context& context) {
  if (args[0].kind != ValueKind::string || args[1].kind != ValueKind::string)
    return no_overload(fn, args, context);
  const std::string_view text = args[0].text();
  const std::string_view part = args[1].text();
  if (!context.spend(text.size() / 16)) return context.error(kOverBudget);
  if (fn == Fn::starts_with) return Value::of_bool(text.starts_with(part));
  if (fn == Fn::ends_with) return Value::of_bool(text.ends_with(part));
  if (fn == Fn::contains) return Value::of_bool(text.find(part) != std::string_view::npos);
  std::string why;
  const auto pattern = Pattern::make(part, &why);
  if (!context.spend(part.size() + 100)) return context.error(kOverBudget);
  if (pattern == nullptr) return context.error("invalid regular expression: " + why);
  return Value::of_bool(pattern->found_in(text));
}

// --- Arithmetic

template <class T>
bool arithmetic(Fn fn, T a, T b, T* result) {
  switch (fn) {
    case Fn::add:
      return !__builtin_add_overflow(a, b, result);
    case Fn::subtract:
      return !__builtin_sub_overflow(a, b, result);
    case Fn::multiply:
      return !__builtin_mul_overflow(a, b, result);
    default:
      break;
  }
  if constexpr (std::is_signed_v<T>)
    if (b == -1) {
      *result = 0;
      return fn == Fn::modulo ? a != INT64_MIN : !__builtin_sub_overflow(T{0}, a, result);
    }
  *result = fn == Fn::divide ? a / b : a % b;
  return true;
}

Value on_doubles(Fn fn, double a, double b) {
  switch (fn) {
    case Fn::add:
      return Value::of_double(a + b);
    case Fn::subtract:
      return Value::of_double(a - b);
    case Fn::multiply:
      return Value::of_double(a * b);
    default:
      return Value::of_double(a / b);
  }
}

Value on_numbers(Fn fn, std::span<const Value> args, Context& context) {
  const Value& a = args[0];
  const Value& b = args[1];
  if (a.kind == ValueKind::double_) {
    if (fn == Fn::modulo) return no_overload(fn, args, context);
    return on_doubles(fn, a.float64, b.float64);
  }
  if (b.uint64 == 0 && (fn == Fn::divide || fn == Fn::modulo))
    return Value::of_error(fn == Fn::divide ? "division by zero" : "modulus by zero");
  if (a.kind == ValueKind::int_) {
    int64_t result = 0;
    if (!arithmetic(fn, a.int64, b.int64, &result)) return overflow(a.kind, context);
    return Value::of_int(result);
  }
  uint64_t result = 0;
  if (!arithmetic(fn, a.uint64, b.uint64, &result)) return overflow(a.kind, context);
  return Value::of_uint(result);
}

Value moved(const Value& time, int64_t nanos, bool back, Context& context) {
  if (back && __builtin_sub_overflow(int64_t{0}, nanos, &nanos))
    return overflow(ValueKind::timestamp, context);
  const auto sum = add(time.time(), nanos);
  return sum ? Value::of_time(*sum) : overflow(ValueKind::timestamp, context);
}

Value on_times(Fn fn, std::span<const Value> args, Context& context) {
  using enum ValueKind;
  const Value& a = args[0];
  const Value& b = args[1];
  if (fn == Fn::add && a.kind == timestamp && b.kind == duration)
    return moved(a, b.int64, false, context);
  if (fn == Fn::add && a.kind == duration && b.kind == timestamp)
    return moved(b, a.int64, false, context);
  if (fn == Fn::subtract && a.kind == timestamp && b.kind == duration)
    return moved(a, b.int64, true, context);
  if (fn == Fn::subtract && a.kind == timestamp && b.kind == timestamp) {
    const auto nanos = subtract(a.time(), b.time());
    return nanos ? Value::of_duration(*nanos) : overflow(duration, context);
  }
  if ((fn == Fn::add || fn == Fn::subtract) && a.kind == duration && b.kind == duration) {
    int64_t nanos = 0;
    if (!arithmetic(fn, a.int64, b.int64, &nanos)) return overflow(duration, context);
    return Value::of_duration(nanos);
  }
  return no_overload(fn, args, context);
}

Value binary(Fn fn, std::span<const Value> args, Context& context) {
  using enum ValueKind;
  const ValueKind a = args[0].kind;
  const ValueKind b = args[1].kind;
  if (a == timestamp || b == timestamp || a == duration) return on_times(fn, args, context);
  if (a != b) return no_overload(fn, args, context);
  if (a == int_ || a == uint_ || a == double_) return on_numbers(fn, args, context);
  if (fn == Fn::add && (a == string || a == bytes)) return join_texts(args[0], args[1], context);
  if (fn == Fn::add && a == list) return join_lists(args[0], args[1], context);
  return no_overload(fn, args, context);
}

Value negated(const Value& value, Context& context) {
  if (value.kind == ValueKind::double_) return Value::of_double(-value.float64);
  if (value.kind != ValueKind::int_) return no_overload(Fn::negate, {&value, 1}, context);
  if (value.int64 == INT64_MIN) return overflow(ValueKind::int_, context);
  return Value::of_int(-value.int64);
}

// Comparison and containers
// ------------------------------------------------------------------------------------

Value equality(Fn fn, std::span<const Value> args, Context& context) {
  const bool same = equal(args[0], args[1], context);
  if (context.steps_left == 0) return context.error(kOverBudget);
  return Value::of_bool(same == (fn == Fn::eq));
}

Value ordered(Fn fn, std::span<const Value> args, Context& context) {
  const int order = compare(args[0], args[1]);
  if (order == kNoOrder) return no_overload(fn, args, context);
  if (order == kUnordered) return Value::of_bool(false);
  if (fn == Fn::lt) return Value::of_bool(order < 0);
  if (fn == Fn::le) return Value::of_bool(order <= 0);
  if (fn == Fn::gt) return Value::of_bool(order > 0);
  return Value::of_bool(order >= 0);
}

Value contained(std::span<const Value> args, Context& context) {
  bool found = false;
  if (args[1].kind == ValueKind::map) {
    found = find(*args[1].entries, args[0], context) != nullptr;
  } else if (args[1].kind == ValueKind::list) {
    for (const Value& item : args[1].list()) {
      if (!context.spend(1)) return context.error(kOverBudget);
      if ((found = equal(item, args[0], context))) break;
    }
  } else {
    return no_overload(Fn::in, args, context);
  }
  if (context.steps_left == 0) return context.error(kOverBudget);
  return Value::of_bool(found);
}

Value item_at(const Value& list, const Value& at, Context& context) {
  int64_t index = at.int64;
  if (at.kind == ValueKind::double_) {
    const auto whole = int_of_double(at.float64);
    if (!whole || static_cast<double>(*whole) != at.float64)
      return context.error(fmt::format("no item {} in a list", show(at)));
    index = *whole;
  } else if (at.kind != ValueKind::int_ && at.kind != ValueKind::uint_) {
    return context.error(fmt::format("a list's index is an int, not {}", show(at)));
  }
  if (index < 0 || index >= list.size)
    return context.error(fmt::format("no item {} in a list of {}", show(at), list.size));
  return list.items[index];
}

Value indexed(std::span<const Value> args, Context& context) {
  if (args[0].kind == ValueKind::list) return item_at(args[0], args[1], context);
  if (args[0].kind != ValueKind::map) return no_overload(Fn::index, args, context);
  const Value* value = find(*args[0].entries, args[1], context);
  if (value == nullptr) return context.error("no such key: " + show(args[1]));
  return *value;
}

// Parts of times

int64_t part_of(Fn fn, const Calendar& c) {
  switch (fn) {
    case Fn::get_full_year:
      return c.year;
    case Fn::get_month:
      return c.month;
    case Fn::get_date:
      return c.day;
    case Fn::get_day_of_month:
      return c.day - 1;
    case Fn::get_day_of_week:
      return c.day_of_week;
    case Fn::get_day_of_year:
      return c.day_of_year;
    case Fn::get_hours:
      return c.hour;
    case Fn::get_minutes:
      return c.minute;
    case Fn::get_seconds:
      return c.second;
    default:
      return c.milli;
  }
}

Value part_of_duration(Fn fn, std::span<const Value> args, Context& context) {
  const int64_t nanos = args[0].int64;
  switch (fn) {
    case Fn::get_hours:
      return Value::of_int(nanos / (3600 * kNanosPerSecond));
    case Fn::get_minutes:
      return Value::of_int(nanos / (60 * kNanosPerSecond));
    case Fn::get_seconds:
      return Value::of_int(nanos / kNanosPerSecond);
    case Fn::get_milliseconds:
      return Value::of_int(nanos / 1'000'000 % 1'000);
    default:
      return no_overload(fn, args, context);
  }
}

Value part(Fn fn, std::span<const Value> args, Context& context) {
  if (args[0].kind == ValueKind::duration && args.size() == 1)
    return part_of_duration(fn, args, context);
  if (args[0].kind != ValueKind::timestamp) return no_overload(fn, args, context);
  int64_t offset = 0;
  if (args.size() == 2) {
    if (args[1].kind != ValueKind::string) return no_overload(fn, args, context);
    const auto found = zone_offset(args[1].text(), args[0].time());
    if (!found)
      return context.error(
          fmt::format("the zone {} is not known here for this time; an offset "
                      "as '+01:00' always is",
                      show(args[1])));
    offset = *found;
  }
  return Value::of_int(part_of(fn, calendar(args[0].time(), offset)));
}

Value type_of(const Value& value) { return Value::of_type(type_name(value.kind)); }

}  // namespace

Value apply(Fn fn, std::span<const Value> args, Context& context) {
  if (fn >= Fn::get_full_year) return part(fn, args, context);
  switch (fn) {
    case Fn::add:
    case Fn::subtract:
    case Fn::multiply:
    case Fn::divide:
    case Fn::modulo:
      return binary(fn, args, context);
    case Fn::negate:
      return negated(args[0], context);
    case Fn::not_:
      if (args[0].kind != ValueKind::bool_) return no_overload(fn, args, context);
      return Value::of_bool(!args[0].boolean);
    case Fn::eq:
    case Fn::ne:
      return equality(fn, args, context);
    case Fn::lt:
    case Fn::le:
    case Fn::gt:
    case Fn::ge:
      return ordered(fn, args, context);
    case Fn::in:
      return contained(args, context);
    case Fn::index:
      return indexed(args, context);
    case Fn::size:
      return size_of(args[0], context);
    case Fn::contains:
    case Fn::starts_with:
    case Fn::ends_with:
    case Fn::matches:
      return search(fn, args, context);
    case Fn::to_dyn:
      return args[0];
    case Fn::to_type:
      return type_of(args[0]);
    default:
      return convert(fn, args[0], context);
  }
}

Value apply_pattern(const Pattern& pattern, const Value& text, Context& context) {
  if (text.kind != ValueKind::string) {
    const Value args[] = {text, Value::of_string("")};
    return no_overload(Fn::matches, args, context);
  }
  if (!context.spend(text.size / 16)) return context.error(kOverBudget);
  return Value::of_bool(pattern.found_in(text.text()));
}

}  // namespace penstock::rule
