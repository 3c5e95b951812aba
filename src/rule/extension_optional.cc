// optionals: a value that may not be there. Their fields and items, and the macros optMap and
// optFlatMap, are the evaluator's.

#include "rule/extension.h"

namespace penstock::rule {

namespace {

using Args = std::span<const Value>;

Value of(Args args, Context& context) {
  const std::span<Value> kept = context.arena.array<Value>(1);
  kept[0] = args[0];
  return Value::of_optional(kept.data());
}

bool is_zero(const Value& value) {
  switch (value.kind) {
    case ValueKind::null_:
      return true;
    case ValueKind::bool_:
      return !value.boolean;
    case ValueKind::int_:
    case ValueKind::uint_:
    case ValueKind::duration:
      return value.int64 == 0;
    case ValueKind::double_:
      return value.float64 == 0;
    case ValueKind::string:
    case ValueKind::bytes:
    case ValueKind::list:
    case ValueKind::optional:
      return value.size == 0;
    case ValueKind::map:
      return value.entries->entries.empty();
    default:
      return false;
  }
}

Value of_non_zero(Args args, Context& context) {
  return is_zero(args[0]) ? Value::of_none() : of(args, context);
}

Value of_nullable(Args args, Context& context) {
  return args[0].kind == ValueKind::null_ ? Value::of_none() : of(args, context);
}

Value none(Args, Context&) { return Value::of_none(); }

Value has_value(Args args, Context&) { return Value::of_bool(args[0].content() != nullptr); }

Value content(Args args, Context& context) {
  if (const Value* found = args[0].content()) return *found;
  return context.error("the optional has no value");
}

Value either(Args args, Context&) { return args[0].content() == nullptr ? args[1] : args[0]; }

Value content_or(Args args, Context&) {
  return args[0].content() == nullptr ? args[1] : *args[0].content();
}

}  // namespace

std::span<const Extension> optional_extensions() {
  static constexpr Extension kAll[] = {
      {.name = "optional.of", .takes = {kAnyKind}, .gives = Gives::optional_of, .apply = of},
      {.name = "optional.ofNonZeroValue",
       .takes = {kAnyKind},
       .gives = Gives::optional_of,
       .apply = of_non_zero},
      {.name = kOfNullable, .takes = {kAnyKind}, .gives = Gives::optional_of, .apply = of_nullable},
      {.name = "optional.none", .least = 0, .most = 0, .gives = Gives::none, .apply = none},
      {.name = "hasValue",
       .member = true,
       .takes = {kOptionalKind},
       .result = TypeKind::bool_,
       .apply = has_value},
      {.name = "value",
       .member = true,
       .takes = {kOptionalKind},
       .gives = Gives::content,
       .apply = content},
      {.name = "or",
       .member = true,
       .least = 2,
       .most = 2,
       .takes = {kOptionalKind, kOptionalKind},
       .gives = Gives::either_optional,
       .apply = either,
       .lazy = true},
      {.name = "orValue",
       .member = true,
       .least = 2,
       .most = 2,
       .takes = {kOptionalKind, kAnyKind},
       .gives = Gives::either,
       .apply = content_or,
       .lazy = true},
  };
  return kAll;
}

}  // namespace penstock::rule
