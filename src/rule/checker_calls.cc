// The part of the checker that knows calls: operators, functions, overloads.

#include "base/suggest.h"
#include "rule/checker.h"
#include "rule/time.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::rule {

namespace {

bool is_number(TypeKind kind) {
  return kind == TypeKind::int_ || kind == TypeKind::uint_ || kind == TypeKind::double_;
}

bool fits(TypeKind wanted, const Expr& arg) {
  return arg.type->kind == TypeKind::dyn || arg.type->kind == wanted;
}

bool fits(const Overload& overload, const Expr& expr) {
  if (overload.fn != expr.fn || overload.count != expr.args.size()) return false;
  for (size_t i = 0; i < expr.args.size(); i++)
    if (!fits(overload.args[i], *expr.args[i])) return false;
  return true;
}

}  // namespace

Result<Expr*> Checker::visit_call(Expr* expr) {
  if (expr->fn == Fn::unknown) PENSTOCK_TRY_VOID(resolve_call(expr));
  PENSTOCK_TRY_VOID(visit_args(expr));
  if (expr->extension != nullptr) return check_extension(expr);
  switch (expr->fn) {
    case Fn::eq:
    case Fn::ne:
      return check_equality(expr);
    case Fn::to_dyn:
    case Fn::to_type:
      if (expr->args.size() != 1) return no_overload(*expr);
      return call_typed(expr, types_.of(expr->fn == Fn::to_dyn ? TypeKind::dyn : TypeKind::type));
    default:
      break;
  }
  for (Expr* arg : expr->args) {
    const bool sought = expr->fn == Fn::in && arg == expr->args[0];
    if (!sought) PENSTOCK_TRY_VOID(need_value(arg));
  }
  if (expr->fn == Fn::in) return check_in(expr);
  if (expr->fn == Fn::index) return check_index(expr);
  if (expr->fn == Fn::matches) return check_matches(expr);
  return check_overloads(expr);
}

// math.abs(x) is parsed as a method of "math".
Result<void> Checker::resolve_call(Expr* expr) {
  const Expr* receiver = expr->member ? expr->args[0] : nullptr;
  uint32_t depth = 0;
  if (receiver != nullptr && receiver->kind == ExprKind::name && is_library(receiver->text) &&
      find_scope(*receiver, &depth) == nullptr) {
    const std::string whole = fmt::format("{}.{}", receiver->text, expr->text);
    if (is_extension(whole, false) || !names_.find(receiver->text)) {
      expr->text = arena_.copy(whole);
      expr->start = expr->at = receiver->start;
      expr->member = false;
      expr->args = expr->args.subspan(1);
    }
  }
  if (const FunctionName* function = find_function(expr->text, expr->member)) {
    expr->fn = function->fn;
    return {};
  }
  expr->extension = find_extension(expr->text, expr->member, expr->args.size());
  if (expr->extension != nullptr) return {};
  if (!is_extension(expr->text, expr->member)) return unknown_function(*expr);
  return trouble("R003"_code,
                 fmt::format("{} does not take {} argument{}", expr->text,
                             expr->args.size() - (expr->member ? 1 : 0),
                             expr->args.size() - (expr->member ? 1 : 0) == 1 ? "" : "s"),
                 *expr);
}

Result<Expr*> Checker::call_typed(Expr* expr, const Type* result) {
  expr->type = result;
  return fold(expr);
}

// A call of constants only becomes a constant, unless it is an error: && and || may absorb that.
Expr* Checker::fold(Expr* expr) {
  for (const Expr* arg : expr->args)
    if (arg->kind != ExprKind::literal) return expr;
  if (expr->fn == Fn::matches || expr->optional) return expr;
  const std::span<Value> args = arena_.array<Value>(expr->args.size());
  for (size_t i = 0; i < args.size(); i++) args[i] = expr->args[i]->value;
  Context context{arena_, kStepsPerEvaluation};
  const Value value = expr->extension != nullptr ? apply(*expr->extension, args, context)
                                                 : apply(expr->fn, args, context);
  // What is made of parts is made where it is used: a range may be long.
  if (value.is_error() || value.kind == ValueKind::list || value.kind == ValueKind::optional)
    return expr;
  expr->kind = ExprKind::literal;
  expr->value = value;
  expr->args = {};
  return expr;
}

Result<Expr*> Checker::check_equality(Expr* expr) {
  const Expr& a = *expr->args[0];
  const Expr& b = *expr->args[1];
  const auto null_side = [](const Expr& null, const Expr& other) {
    return null.type->kind == TypeKind::null_ && other.non_null;
  };
  if (comparable(*a.type, *b.type) || null_side(a, b) || null_side(b, a))
    return call_typed(expr, types_.of(TypeKind::bool_));
  if (a.type->kind == TypeKind::null_ || b.type->kind == TypeKind::null_) {
    const Expr& never = a.type->kind == TypeKind::null_ ? b : a;
    return trouble("R003"_code,
                   fmt::format("\"{}\" is never null: it is a {}", text_of(never),
                               describe(*never.type)),
                   *expr)
        .cure("leave the comparison with null out");
  }
  return no_overload(*expr);
}

Result<Expr*> Checker::check_in(Expr* expr) {
  const Type& sought = *expr->args[0]->type;
  const Type& range = *expr->args[1]->type;
  const Type* bool_type = types_.of(TypeKind::bool_);
  if (range.kind == TypeKind::dyn) return call_typed(expr, bool_type);
  if (range.kind == TypeKind::list && comparable(sought, *range.item))
    return call_typed(expr, bool_type);
  if (range.kind == TypeKind::map && comparable(sought, *range.key))
    return call_typed(expr, bool_type);
  if (range.kind == TypeKind::record &&
      (sought.kind == TypeKind::string || sought.kind == TypeKind::dyn))
    return call_typed(expr, bool_type);
  return no_overload(*expr);
}

Result<Expr*> Checker::check_index(Expr* expr) {
  const Type& target = *expr->args[0]->type;
  const Expr& key = *expr->args[1];
  const TypeKind kind = key.type->kind;
  if (expr->optional || target.kind == TypeKind::optional) return check_optional_index(expr);
  if (target.kind == TypeKind::dyn) return call_typed(expr, types_.of(TypeKind::dyn));
  if (target.kind == TypeKind::list && (kind == TypeKind::int_ || kind == TypeKind::dyn)) {
    expr->type = target.item;
    return narrowed(fold(expr));
  }
  if (target.kind == TypeKind::map && comparable(*key.type, *target.key)) {
    expr->type = target.item;
    return narrowed(fold(expr));
  }
  if (target.kind == TypeKind::record && (kind == TypeKind::string || kind == TypeKind::dyn)) {
    const avro::Field* field = nullptr;
    if (key.kind == ExprKind::literal && kind == TypeKind::string)
      field = target.node->field(key.value.text());
    expr->type = field == nullptr ? types_.of(TypeKind::dyn) : types_.from_avro(*field->type);
    return narrowed(expr);
  }
  return no_overload(*expr);
}

// x[?y], and x[y] of an optional x.
Result<Expr*> Checker::check_optional_index(Expr* expr) {
  const Type& given = *expr->args[0]->type;
  const Type& target = given.kind == TypeKind::optional ? *given.item : given;
  const Type& key = *expr->args[1]->type;
  const Type* content = types_.of(TypeKind::dyn);
  bool fits = target.kind == TypeKind::dyn;
  if (target.kind == TypeKind::list) {
    fits = key.kind == TypeKind::int_ || key.kind == TypeKind::uint_ || key.kind == TypeKind::dyn;
    content = target.item;
  } else if (target.kind == TypeKind::map) {
    fits = comparable(key, *target.key);
    content = target.item;
  } else if (target.kind == TypeKind::record) {
    fits = key.kind == TypeKind::string || key.kind == TypeKind::dyn;
  }
  if (!fits || target.nullable) return no_overload(*expr);
  expr->optional = true;
  return call_typed(expr, types_.optional(content));
}

Result<Expr*> Checker::check_matches(Expr* expr) {
  PENSTOCK_TRY_VOID(check_overloads(expr));
  const Expr& pattern = *expr->args[1];
  if (pattern.kind != ExprKind::literal || pattern.value.kind != ValueKind::string) return expr;
  std::string why;
  auto compiled = Pattern::make(pattern.value.text(), &why);
  if (compiled == nullptr)
    return trouble("R007"_code, "the regular expression is invalid: " + why, pattern)
        .cure("the syntax is RE2's: no look-ahead, no back references; r'…' keeps backslashes");
  expr->pattern = patterns_.emplace_back(std::move(compiled)).get();
  return expr;
}

Result<Expr*> Checker::check_overloads(Expr* expr) {
  const auto& args = expr->args;
  if (expr->fn == Fn::size && args.size() == 1) {
    const TypeKind kind = args[0]->type->kind;
    if (kind == TypeKind::list || kind == TypeKind::map || kind == TypeKind::record ||
        kind == TypeKind::dyn)
      return call_typed(expr, types_.of(TypeKind::int_));
  }
  const Type* result = nullptr;
  if (expr->fn == Fn::add && args[0]->type->kind == TypeKind::list &&
      fits(TypeKind::list, *args[1])) {
    const Type* both = unify(args[0]->type, args[1]->type);
    if (both != nullptr && both->kind == TypeKind::list) return call_typed(expr, both);
    return call_typed(expr, types_.list(types_.of(TypeKind::dyn)));
  }
  if (expr->fn == Fn::add && args[1]->type->kind == TypeKind::list &&
      args[0]->type->kind == TypeKind::dyn)
    return call_typed(expr, types_.list(types_.of(TypeKind::dyn)));
  for (const Overload& overload : overloads()) {
    if (!fits(overload, *expr)) continue;
    const Type* type = types_.of(overload.result);
    result = result == nullptr || result == type ? type : types_.of(TypeKind::dyn);
  }
  if (result == nullptr) return no_overload(*expr);
  // Two dyn arguments of + may be lists.
  if (expr->fn == Fn::add && args[0]->type->kind == TypeKind::dyn &&
      args[1]->type->kind == TypeKind::dyn)
    result = types_.of(TypeKind::dyn);
  PENSTOCK_TRY(folded, call_typed(expr, result));
  const bool constant = expr->fn == Fn::to_timestamp || expr->fn == Fn::to_duration;
  if (constant && folded->kind == ExprKind::call && args[0]->kind == ExprKind::literal &&
      args[0]->value.kind == ValueKind::string)
    return trouble("R007"_code,
                   fmt::format("{} is not a {}", show(args[0]->value), name_of(expr->fn)), *args[0])
        .cure(expr->fn == Fn::to_timestamp ? "write it like '2026-01-31T12:00:00Z', year 0001–9999"
                                           : "write it like '1h30m', '15s' or '250ms'");
  return folded;
}

Failure Checker::unknown_function(const Expr& expr) const {
  std::vector<std::string_view> names;
  for (const FunctionName& each : function_names())
    if (expr.member ? each.as_method : each.as_function) names.push_back(each.name);
  for (const std::string_view name : extension_names(expr.member)) names.push_back(name);
  for (const std::string_view macro : {"all", "exists", "exists_one", "map", "filter", "sortBy",
                                       "transformList", "transformMap", "optMap"})
    if (expr.member) names.push_back(macro);
  if (!expr.member) names.push_back("has");
  auto failure = trouble("R006"_code, fmt::format("unknown function \"{}\"", expr.text), expr);
  if (find_function(expr.text, !expr.member) != nullptr || is_extension(expr.text, !expr.member))
    return std::move(failure).cure(
        expr.member ? fmt::format("write it as {}(x)", expr.text)
                    : fmt::format("write it behind its value, as in x.{}(…)", expr.text));
  return std::move(failure)
      .hint(did_you_mean(expr.text, names))
      .because(fmt::format("known here are {}", fmt::join(names, ", ")));
}

Failure Checker::no_overload(const Expr& expr) const {
  std::string message;
  if (expr.fn <= Fn::index && expr.args.size() == 2) {
    message = fmt::format("no operator \"{}\" for {} and {}", expr.text,
                          describe(*expr.args[0]->type), describe(*expr.args[1]->type));
  } else if (expr.fn <= Fn::index) {
    message = fmt::format("no operator \"{}\" for {}", expr.text, describe(*expr.args[0]->type));
  } else {
    std::string types;
    for (const Expr* arg : expr.args) types += (types.empty() ? "" : ", ") + describe(*arg->type);
    message = fmt::format("no function {}({})", expr.text, types);
  }
  auto failure = trouble("R003"_code, std::move(message), expr);
  if (const std::string cure = overload_cure(expr); !cure.empty())
    return std::move(failure).cure(cure);
  return failure;
}

std::string Checker::overload_cure(const Expr& expr) const {
  if (expr.args.size() != 2) return "";
  const Expr& a = *expr.args[0];
  const Expr& b = *expr.args[1];
  if (is_number(a.type->kind) && is_number(b.type->kind)) {
    for (const Expr* side : {&a, &b})
      if (side->kind == ExprKind::literal && side->value.kind == ValueKind::int_)
        return fmt::format("write {0} as {0}{1}", side->value.int64,
                           (side == &a ? b : a).type->kind == TypeKind::double_ ? ".0" : "u");
    return "convert one side, by double(…), int(…) or uint(…)";
  }
  const auto is_text = [](const Expr& e) { return e.type->kind == TypeKind::string; };
  const auto& other = is_text(a) ? b : a;
  if (expr.fn == Fn::add && (is_text(a) || is_text(b)))
    return fmt::format("make it text first: string({})", text_of(other));
  if ((is_text(a) || is_text(b)) && is_number(other.type->kind))
    return "compare a number with a number; a number in text is read by double('1.5')";
  if ((is_text(a) || is_text(b)) && other.type->kind == TypeKind::timestamp)
    return "write the constant as timestamp('2026-01-31T12:00:00Z')";
  if ((is_text(a) || is_text(b)) && other.type->kind == TypeKind::duration)
    return "write the constant as duration('15m')";
  return "";
}

}  // namespace penstock::rule
