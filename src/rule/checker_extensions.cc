// The part of the checker that knows the optional libraries (extension.h).

#include "rule/checker.h"

#include <fmt/format.h>

#include <algorithm>

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
    std::string types;
    for (const Expr* each : expr->args)
      types += (types.empty() ? "" : ", ") + describe(*each->type);
    return trouble("R003"_code, fmt::format("no function {}({})", extension.name, types), *expr);
  }
  PENSTOCK_TRY_VOID(check_extension_items(*expr));
  PENSTOCK_TRY(type, extension_type(*expr));
  return call_typed(expr, type);
}

Result<void> Checker::check_extension_items(const Expr& expr) {
  const Kinds wanted = expr.extension->items;
  if (wanted == kAnyKind || expr.args.empty()) return {};
  const Type& list = *expr.args[0]->type;
  if (list.kind != TypeKind::list || list.item->kind == TypeKind::dyn) return {};
  if (!list.item->nullable && (wanted & kind_of(*list.item)) != 0) return {};
  return trouble("R003"_code,
                 fmt::format("{} does not take a {}", expr.extension->name, describe(list)), expr);
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
