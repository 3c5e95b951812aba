// The part of the checker that knows macros: variables, bodies, what comes out.

#include "rule/checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::rule {

namespace {

bool asks(Macro macro) {
  return macro == Macro::all || macro == Macro::exists || macro == Macro::exists_one ||
         macro == Macro::filter;
}

bool of_optional(Macro macro) { return macro == Macro::opt_map || macro == Macro::opt_flat_map; }

}  // namespace

Result<Checker::Variables> Checker::macro_variables(const Expr& macro) {
  const Expr& range = *macro.args[0];
  const Type* dyn = types_.of(TypeKind::dyn);
  const Type& type = *range.type;
  if (macro.macro == Macro::bind) return Variables{&type, nullptr};
  if (of_optional(macro.macro)) {
    if (type.kind == TypeKind::optional) return Variables{type.item, nullptr};
    if (type.kind == TypeKind::dyn) return Variables{dyn, nullptr};
    return trouble("R003"_code, fmt::format("a {} is no optional", describe(type)), range)
        .cure("optMap and optFlatMap take an optional, as record.?field is one");
  }
  const bool two = !macro.second.empty();
  switch (type.kind) {
    case TypeKind::dyn:
      return Variables{dyn, dyn};
    case TypeKind::list:
      return two ? Variables{types_.of(TypeKind::int_), type.item} : Variables{type.item, nullptr};
    case TypeKind::map:
      return Variables{type.key, type.item};
    case TypeKind::record:
      return Variables{types_.of(TypeKind::string), dyn};
    default:
      return trouble("R003"_code, fmt::format("a {} has no items to go through", describe(type)),
                     range)
          .cure("all, exists, exists_one, map and filter take a list or a map");
  }
}

Result<Expr*> Checker::visit_macro(Expr* expr) {
  PENSTOCK_TRY(range, visit(expr->args[0]));
  expr->args[0] = range;
  if (expr->macro != Macro::bind) PENSTOCK_TRY_VOID(need_value(range));
  PENSTOCK_TRY(variables, macro_variables(*expr));
  expr->slot = static_cast<uint32_t>(scopes_.size());
  const Facts outside = facts_;
  scopes_.push_back({expr->text, variables.first});
  if (!expr->second.empty()) scopes_.push_back({expr->second, variables.second});
  for (size_t slot = expr->slot; slot < scopes_.size(); slot++) {
    const std::string own = fmt::format("#{}", slot);
    std::erase_if(facts_, [&](const std::string& fact) {
      return fact == own || fact.starts_with(own + ".");
    });
  }
  for (size_t i = 1; i < expr->args.size(); i++) {
    PENSTOCK_TRY(checked, visit(expr->args[i]));
    expr->args[i] = checked;
    PENSTOCK_TRY_VOID(check_macro_body(*expr, checked, i + 1 == expr->args.size()));
  }
  scopes_.resize(expr->slot);
  facts_ = outside;
  PENSTOCK_TRY(type, macro_type(*expr, variables.first));
  expr->type = type;
  return expr;
}

Result<void> Checker::check_macro_body(const Expr& macro, Expr* body, bool last) {
  if (!last || asks(macro.macro)) {
    PENSTOCK_TRY_VOID(need_bool(body, "the condition"));
    add_facts(*body, true, facts_);
    return {};
  }
  if (macro.macro != Macro::sort_by) return {};
  PENSTOCK_TRY_VOID(need_value(body));
  const Kinds allowed = kOrderedKinds | of_kind(TypeKind::dyn);
  if ((allowed & of_kind(body->type->kind)) != 0) return {};
  return trouble("R003"_code, fmt::format("a {} has no order", describe(*body->type)), *body)
      .cure("sort by a number, a text, a time or a bool");
}

// The map that comes of other values under the keys of a range.
const Type* Checker::mapped_type(const Type& range, const Type* item) {
  if (range.kind == TypeKind::list) return types_.map(types_.of(TypeKind::int_), item);
  if (range.kind == TypeKind::map) return types_.map(range.key, item);
  return types_.map(types_.of(range.kind == TypeKind::record ? TypeKind::string : TypeKind::dyn),
                    item);
}

Result<const Type*> Checker::macro_type(const Expr& macro, const Type* item) {
  const Type& range = *macro.args[0]->type;
  const Type* body = macro.args.back()->type;
  switch (macro.macro) {
    case Macro::map:
    case Macro::transform_list:
      return types_.list(body);
    case Macro::filter:
      return types_.list(item);
    case Macro::sort_by:
      return range.kind == TypeKind::list ? &range : types_.list(item);
    case Macro::transform_map:
      return mapped_type(range, body);
    case Macro::transform_map_entry:
      if (body->kind == TypeKind::map || body->kind == TypeKind::dyn) return body;
      return trouble("R003"_code, fmt::format("an entry is a map, not a {}", describe(*body)),
                     *macro.args.back())
          .cure("write it as {key: value}");
    case Macro::bind:
      return body;
    case Macro::opt_map:
      return types_.optional(body);
    case Macro::opt_flat_map:
      if (body->kind == TypeKind::optional || body->kind == TypeKind::dyn) return body;
      return trouble("R003"_code,
                     fmt::format("optFlatMap gives an optional, not a {}", describe(*body)),
                     *macro.args.back())
          .cure("use optMap");
    default:
      return types_.of(TypeKind::bool_);
  }
}

}  // namespace penstock::rule
