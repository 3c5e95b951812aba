// The part of the checker that knows the optional libraries (extension.h).

#include "rule/checker.h"
#include "rule/energy.h"
#include "rule/text_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace penstock::rule {

namespace {

Kinds kind_of(const Type& type) {
  // A record is a map when it runs.
  return of_kind(type.kind == TypeKind::record ? TypeKind::map : type.kind);
}

}  // namespace

Result<Expr*> Checker::check_extension(Expr* expr) {
  const Extension& extension = *expr->extension;
  for (size_t i = 0; i < expr->args.size(); i++) {
    Expr* arg = expr->args[i];
    const Kinds taken = takes(extension, i);
    if ((taken & of_kind(TypeKind::null_)) == 0) PENSTOCK_TRY_VOID(need_value(arg));
    if (arg->type->kind == TypeKind::dyn || (taken & kind_of(*arg->type)) != 0) continue;
    return no_function(*expr);
  }
  PENSTOCK_TRY_VOID(check_extension_items(*expr));
  PENSTOCK_TRY_VOID(check_asked(*expr));
  PENSTOCK_TRY(type, extension_type(*expr));
  return call_typed(expr, type);
}

Result<void> Checker::check_extension_items(const Expr& expr) {
  const Kinds wanted = expr.extension->items;
  if (wanted == kAnyKind || expr.args.empty()) return {};
  // A list stands for all arguments, and alone.
  if (expr.args[0]->type->kind == TypeKind::list && expr.args.size() > 1 &&
      expr.extension->gives == Gives::extreme)
    return no_function(expr);
  const Type& list = *expr.args[0]->type;
  if (list.kind != TypeKind::list || list.item->kind == TypeKind::dyn) return {};
  if (!list.item->nullable && (wanted & kind_of(*list.item)) != 0) return {};
  return trouble("R003"_code,
                 fmt::format("{} does not take a {}", expr.extension->name, describe(list)), expr);
}

Failure Checker::no_function(const Expr& expr) const {
  std::string types;
  for (const Expr* each : expr.args) types += (types.empty() ? "" : ", ") + describe(*each->type);
  return trouble("R003"_code, fmt::format("no function {}({})", expr.extension->name, types), expr);
}

Result<void> Checker::check_asked(const Expr& expr) {
  switch (expr.extension->asks) {
    case Asks::nothing:
      return {};
    case Asks::alike:
      return check_alike(expr);
    case Asks::clauses:
      return check_clauses(expr);
    case Asks::units:
      return check_units(expr);
    case Asks::periods:
      return check_periods(expr);
  }
  return {};
}

Result<void> Checker::check_alike(const Expr& expr) {
  const TypeKind first = expr.args[0]->type->kind, second = expr.args[1]->type->kind;
  if (first == second || first == TypeKind::dyn || second == TypeKind::dyn) return {};
  return no_function(expr).cure("make both one type: int(x) or uint(x)");
}

// Only of a format that stands in the rule.
Result<void> Checker::check_clauses(const Expr& expr) {
  const Expr& format = *expr.args[0];
  const Expr& values = *expr.args[1];
  if (format.kind != ExprKind::literal) return {};
  const auto clauses = clauses_of(format.value.text());
  if (!clauses) return trouble("R003"_code, clauses.error(), format);
  if (values.kind != ExprKind::list) {
    if (values.type->kind != TypeKind::list) return {};
    for (const char clause : *clauses)
      PENSTOCK_TRY_VOID(check_clause(clause, *values.type->item, values));
    return {};
  }
  if (std::ranges::any_of(values.args, &Expr::spread)) return {};
  if (values.args.size() < clauses->size()) {
    return trouble(
        "R003"_code,
        fmt::format("{} clauses, and {} values for them", clauses->size(), values.args.size()),
        values);
  }
  for (size_t i = 0; i < clauses->size(); ++i)
    PENSTOCK_TRY_VOID(check_clause((*clauses)[i], *values.args[i]->type, *values.args[i]));
  return {};
}

Result<void> Checker::check_clause(char clause, const Type& type, const Expr& expr) {
  const Kinds taken = taken_by(clause);
  const bool null_fits = !type.nullable || expr.non_null || (taken & of_kind(TypeKind::null_)) != 0;
  const bool no_number = expr.kind == ExprKind::literal && expr.value.kind == ValueKind::double_ &&
                         !std::isfinite(expr.value.float64);
  if (type.kind == TypeKind::dyn || (null_fits && (taken & kind_of(type)) != 0)) return {};
  if (clause == 'd' && no_number) return {};
  return trouble("R003"_code, fmt::format("%{} does not take a {}", clause, describe(type)), expr)
      .cure("%s takes any value; int(x) and double(x) convert");
}

Result<void> Checker::check_units(const Expr& expr) {
  const Expr& from = *expr.args[1];
  const Expr& to = *expr.args[2];
  if (from.kind != ExprKind::literal || to.kind != ExprKind::literal) return {};
  const auto made = convert(0, from.value.text(), to.value.text());
  return made ? Result<void>() : trouble("R003"_code, made.error(), from);
}

Result<void> Checker::check_periods(const Expr& expr) {
  const Expr& text = *expr.args.back();
  if (text.kind != ExprKind::literal) return {};
  const auto periods = Periods::parse(text.value.text());
  return periods ? Result<void>() : trouble("R003"_code, periods.error(), text);
}

// One type for all, or dyn.
const Type* Checker::extreme_type(const Expr& expr) {
  const Type* type = nullptr;
  for (const Expr* arg : expr.args) {
    const Type* each = arg->type->kind == TypeKind::list ? arg->type->item : arg->type;
    type = type == nullptr ? each : types_.join(type, each);
  }
  return type;
}

const Type* Checker::flattened_type(const Type& list) {
  const bool known = list.kind == TypeKind::list && list.item->kind == TypeKind::list;
  return known ? list.item : types_.list(types_.of(TypeKind::dyn));
}

// The optional that x.or(y) is: of both contents, where an optional.none() has none.
const Type* Checker::either_optional(const Expr& expr) {
  const auto is_none = [](const Expr& arg) {
    return arg.extension != nullptr && arg.extension->gives == Gives::none;
  };
  const Type* first = expr.args[0]->type;
  const Type* second = expr.args[1]->type;
  if (is_none(*expr.args[1]) || first->kind != TypeKind::optional) return first;
  if (is_none(*expr.args[0]) || second->kind != TypeKind::optional) return second;
  const Type* both = unify(first->item, second->item);
  return types_.optional(both != nullptr ? both : types_.of(TypeKind::dyn));
}

Result<const Type*> Checker::extension_type(const Expr& expr) {
  const Type* dyn = types_.of(TypeKind::dyn);
  const Type* first = expr.args.empty() ? dyn : expr.args[0]->type;
  const Type* held = first->kind == TypeKind::optional ? first->item : dyn;
  switch (expr.extension->gives) {
    case Gives::fixed:
      return types_.of(expr.extension->result);
    case Gives::first:
      return first;
    case Gives::extreme:
      return extreme_type(expr);
    case Gives::flattened:
      // One level, as it is without a depth.
      return expr.args.size() == 1 ? flattened_type(*first) : types_.list(dyn);
    case Gives::texts:
      return types_.list(types_.of(TypeKind::string));
    case Gives::ints:
      return types_.list(types_.of(TypeKind::int_));
    case Gives::item:
      return types_.optional(first->kind == TypeKind::list ? first->item : dyn);
    case Gives::optional_of:
      return types_.optional(first);
    case Gives::either_optional:
      return either_optional(expr);
    case Gives::none:
      return types_.optional(dyn);
    case Gives::content:
      return held;
    case Gives::either: {
      const Type* both = unify(held, expr.args[1]->type);
      if (both != nullptr) return both;
      return trouble("R003"_code,
                     fmt::format("the optional holds a {}, and the other value is a {}",
                                 describe(*held), describe(*expr.args[1]->type)),
                     expr)
          .cure("make both one type, or mark one by dyn(x)");
    }
  }
  return dyn;
}

}  // namespace penstock::rule
