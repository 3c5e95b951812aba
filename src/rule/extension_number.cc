// math: the greatest and the least, rounding, signs, bits.

#include "rule/extension.h"

#include <fmt/format.h>

#include <cmath>

namespace penstock::rule {

namespace {

using Args = std::span<const Value>;

constexpr int64_t kBits = 64;

Value extreme(Args args, bool greatest, Context& context) {
  if (args.size() == 1 && args[0].kind == ValueKind::list) {
    args = args[0].list();
    if (args.empty()) return context.error("an empty list has no greatest and no least item");
  }
  if (!context.spend(args.size())) return context.error(kOverBudget);
  const Value* best = nullptr;
  for (const Value& each : args) {
    const bool number = each.kind == ValueKind::int_ || each.kind == ValueKind::uint_ ||
                        each.kind == ValueKind::double_;
    if (!number)
      return context.error(fmt::format("a {} is no number to compare", type_name(each.kind)));
    const int order = best == nullptr ? 0 : compare(each, *best);
    if (best == nullptr || order == (greatest ? 1 : -1)) best = &each;
  }
  return *best;
}

Value greatest(Args args, Context& context) { return extreme(args, true, context); }
Value least(Args args, Context& context) { return extreme(args, false, context); }

Value ceil(Args args, Context&) { return Value::of_double(std::ceil(args[0].float64)); }
Value floor(Args args, Context&) { return Value::of_double(std::floor(args[0].float64)); }
Value round(Args args, Context&) { return Value::of_double(std::round(args[0].float64)); }
Value trunc(Args args, Context&) { return Value::of_double(std::trunc(args[0].float64)); }
Value is_nan(Args args, Context&) { return Value::of_bool(std::isnan(args[0].float64)); }
Value is_inf(Args args, Context&) { return Value::of_bool(std::isinf(args[0].float64)); }
Value is_finite(Args args, Context&) { return Value::of_bool(std::isfinite(args[0].float64)); }

double as_double(const Value& value) {
  if (value.kind == ValueKind::int_) return static_cast<double>(value.int64);
  return value.kind == ValueKind::uint_ ? static_cast<double>(value.uint64) : value.float64;
}

Value sqrt(Args args, Context&) { return Value::of_double(std::sqrt(as_double(args[0]))); }

Value abs(Args args, Context& context) {
  const Value& value = args[0];
  if (value.kind == ValueKind::double_) return Value::of_double(std::fabs(value.float64));
  if (value.kind == ValueKind::uint_) return value;
  if (value.int64 == INT64_MIN) return context.error("int overflow");
  return Value::of_int(value.int64 < 0 ? -value.int64 : value.int64);
}

Value sign(Args args, Context&) {
  const Value& value = args[0];
  if (value.kind == ValueKind::uint_) return Value::of_uint(value.uint64 == 0 ? 0 : 1);
  if (value.kind == ValueKind::int_)
    return Value::of_int(value.int64 == 0 ? 0 : (value.int64 < 0 ? -1 : 1));
  if (std::isnan(value.float64) || value.float64 == 0) return value;
  return Value::of_double(value.float64 < 0 ? -1 : 1);
}

Value of_bits(const Value& like, uint64_t bits) {
  return like.kind == ValueKind::int_ ? Value::of_int(static_cast<int64_t>(bits))
                                      : Value::of_uint(bits);
}

template <class Combine>
Value combined(Args args, Context& context, Combine combine) {
  if (args[0].kind != args[1].kind)
    return context.error(fmt::format("bits of a {} with those of a {}", type_name(args[0].kind),
                                     type_name(args[1].kind)));
  return of_bits(args[0], combine(args[0].uint64, args[1].uint64));
}

Value bit_and(Args args, Context& context) {
  return combined(args, context, [](uint64_t a, uint64_t b) { return a & b; });
}
Value bit_or(Args args, Context& context) {
  return combined(args, context, [](uint64_t a, uint64_t b) { return a | b; });
}
Value bit_xor(Args args, Context& context) {
  return combined(args, context, [](uint64_t a, uint64_t b) { return a ^ b; });
}
Value bit_not(Args args, Context&) { return of_bits(args[0], ~args[0].uint64); }

// Also of negative ints zeros come in, as the specification of the library has it.
Value shifted(Args args, bool left, Context& context) {
  const int64_t by = args[1].int64;
  if (by < 0) return context.error(fmt::format("a shift by a negative offset: {}", by));
  const uint64_t bits = args[0].uint64;
  return of_bits(args[0], by >= kBits ? 0 : (left ? bits << by : bits >> by));
}
Value shift_left(Args args, Context& context) { return shifted(args, true, context); }
Value shift_right(Args args, Context& context) { return shifted(args, false, context); }

constexpr Extension rounding(std::string_view name, Value (*apply)(Args, Context&)) {
  return {.name = name, .takes = {kDoubleKind}, .result = TypeKind::double_, .apply = apply};
}
constexpr Extension question(std::string_view name, Value (*apply)(Args, Context&)) {
  return {.name = name, .takes = {kDoubleKind}, .result = TypeKind::bool_, .apply = apply};
}
constexpr Extension like_first(std::string_view name, uint8_t count, Kinds first, Kinds second,
                               Value (*apply)(Args, Context&)) {
  return {.name = name,
          .least = count,
          .most = count,
          .takes = {first, second},
          .gives = Gives::first,
          .apply = apply};
}
constexpr Extension of_two(std::string_view name, Value (*apply)(Args, Context&)) {
  Extension made = like_first(name, 2, kWholeKind, kWholeKind, apply);
  made.asks = Asks::alike;
  return made;
}
constexpr Extension extreme_of(std::string_view name, Value (*apply)(Args, Context&)) {
  return {.name = name,
          .least = 1,
          .most = kManyArguments,
          .takes = {kNumberKind | kListKind, kNumberKind},
          .gives = Gives::extreme,
          .items = kNumberKind,
          .apply = apply};
}

}  // namespace

std::span<const Extension> number_extensions() {
  static constexpr Extension kAll[] = {
      extreme_of("math.greatest", greatest),
      extreme_of("math.least", least),
      rounding("math.ceil", ceil),
      rounding("math.floor", floor),
      rounding("math.round", round),
      rounding("math.trunc", trunc),
      question("math.isNaN", is_nan),
      question("math.isInf", is_inf),
      question("math.isFinite", is_finite),
      {.name = "math.sqrt", .takes = {kNumberKind}, .result = TypeKind::double_, .apply = sqrt},
      like_first("math.abs", 1, kNumberKind, 0, abs),
      like_first("math.sign", 1, kNumberKind, 0, sign),
      of_two("math.bitAnd", bit_and),
      of_two("math.bitOr", bit_or),
      of_two("math.bitXor", bit_xor),
      like_first("math.bitNot", 1, kWholeKind, 0, bit_not),
      like_first("math.bitShiftLeft", 2, kWholeKind, kIntKind, shift_left),
      like_first("math.bitShiftRight", 2, kWholeKind, kIntKind, shift_right),
  };
  return kAll;
}

}  // namespace penstock::rule
