#include "rule/checker.h"

#include "base/suggest.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::rule {

namespace {

struct TypeName {
  std::string_view name;
  std::string_view value;
};
constexpr TypeName kTypeNames[] = {{"bool", "bool"},
                                   {"int", "int"},
                                   {"uint", "uint"},
                                   {"double", "double"},
                                   {"string", "string"},
                                   {"bytes", "bytes"},
                                   {"list", "list"},
                                   {"map", "map"},
                                   {"null_type", "null_type"},
                                   {"type", "type"},
                                   {"google.protobuf.Timestamp", "google.protobuf.Timestamp"},
                                   {"google.protobuf.Duration", "google.protobuf.Duration"}};

const TypeName* type_named(std::string_view name) {
  for (const TypeName& each : kTypeNames)
    if (each.name == name) return &each;
  return nullptr;
}

bool is_dyn(const Expr& expr) { return expr.type->kind == TypeKind::dyn; }

}  // namespace

Result<Expr*> Checker::check(Expr* parsed) { return visit(parsed); }

Result<Expr*> Checker::visit(Expr* expr) {
  switch (expr->kind) {
    case ExprKind::literal:
      expr->type = types_.of_value(expr->value);
      return expr;
    case ExprKind::name:
      return visit_name(expr);
    case ExprKind::select:
      return visit_select(expr);
    case ExprKind::has:
      return visit_has(expr);
    case ExprKind::call:
      return visit_call(expr);
    case ExprKind::all_of:
    case ExprKind::any_of:
      return visit_joined(expr);
    case ExprKind::conditional:
      return visit_conditional(expr);
    case ExprKind::list:
      return visit_list(expr);
    case ExprKind::map:
      return visit_map(expr);
    case ExprKind::macro:
      return visit_macro(expr);
  }
  return expr;
}

Result<Expr*> Checker::visit_args(Expr* expr) {
  for (Expr*& arg : expr->args) {
    const bool spread = arg->spread;
    PENSTOCK_TRY(checked, visit(arg));
    arg = checked;
    arg->spread = spread;
  }
  return expr;
}

// --- Names and fields

const Checker::Scope* Checker::find_scope(const Expr& expr, uint32_t* depth) const {
  if (expr.kind != ExprKind::name || expr.root) return nullptr;
  for (size_t i = scopes_.size(); i-- > 0;) {
    if (scopes_[i].name != expr.text) continue;
    *depth = static_cast<uint32_t>(i);
    return &scopes_[i];
  }
  return nullptr;
}

// The variable or type of that name; nullptr when there is none.
Result<Expr*> Checker::variable_or_nothing(Expr* expr, std::string_view name) {
  if (const auto found = names_.find(name)) {
    expr->kind = ExprKind::name;
    expr->ref = Ref::variable;
    expr->text = arena_.copy(name);
    expr->slot = found->slot;
    expr->type = found->type;
    expr->args = {};
    return narrowed(expr);
  }
  if (const TypeName* type = type_named(name)) {
    expr->kind = ExprKind::literal;
    expr->value = Value::of_type(type->value);
    expr->type = types_.of(TypeKind::type);
    expr->args = {};
    return expr;
  }
  return nullptr;
}

Result<Expr*> Checker::visit_name(Expr* expr) {
  uint32_t depth = 0;
  if (const Scope* scope = find_scope(*expr, &depth)) {
    expr->ref = Ref::macro_variable;
    expr->slot = depth;
    expr->type = scope->type;
    return narrowed(expr);
  }
  PENSTOCK_TRY(variable, variable_or_nothing(expr, expr->text));
  if (variable != nullptr) return variable;
  if (expr->text == "record") {
    if (const Type* type = names_.whole_record()) {
      expr->ref = Ref::whole_record;
      expr->type = type;
      return expr;
    }
  }
  return unknown_name(*expr);
}

// "a.b.c" of a chain of plain names that no macro variable starts; "" otherwise.
std::string Checker::dotted_name(const Expr& expr) const {
  uint32_t depth = 0;
  if (expr.kind == ExprKind::name)
    return find_scope(expr, &depth) == nullptr ? std::string(expr.text) : "";
  if (expr.kind != ExprKind::select) return "";
  const std::string target = dotted_name(*expr.args[0]);
  return target.empty() ? "" : target + "." + std::string(expr.text);
}

bool Checker::is_root_record(const Expr& expr) const {
  uint32_t depth = 0;
  return expr.kind == ExprKind::name && expr.text == "record" &&
         find_scope(expr, &depth) == nullptr && names_.record_type() != nullptr &&
         !names_.find("record");
}

Result<Expr*> Checker::visit_select(Expr* expr) {
  if (expr->optional) return visit_optional_select(expr);
  if (const std::string dotted = dotted_name(*expr); !dotted.empty()) {
    PENSTOCK_TRY(variable, variable_or_nothing(expr, dotted));
    if (variable != nullptr) return variable;
  }
  Expr* target = expr->args[0];
  if (is_root_record(*target)) {
    PENSTOCK_TRY(field, field_of(expr, *names_.record_type()));
    return variable_or_nothing(field, field->text);
  }
  PENSTOCK_TRY(checked, visit(target));
  expr->args[0] = checked;
  PENSTOCK_TRY_VOID(need_value(checked));
  switch (checked->type->kind) {
    case TypeKind::dyn:
      expr->type = types_.of(TypeKind::dyn);
      return expr;
    case TypeKind::map:
      expr->type = checked->type->item;
      return narrowed(expr);
    case TypeKind::optional: {
      PENSTOCK_TRY(content, field_of_optional(*expr, *checked->type));
      expr->optional = true;
      expr->type = types_.optional(content);
      return expr;
    }
    case TypeKind::record: {
      PENSTOCK_TRY(field, field_of(expr, *checked->type));
      return narrowed(field);
    }
    default:
      return no_field(*expr, *checked->type);
  }
}

// x.?y: of a record, what its field holds unless that is null; else the value under the key.
Result<Expr*> Checker::visit_optional_select(Expr* expr) {
  auto* plain = new (arena_.allocate(sizeof(Expr), alignof(Expr))) Expr(*expr);
  plain->optional = false;
  if (is_root_record(*expr->args[0])) {
    PENSTOCK_TRY(field, visit_select(plain));
    return lifted(*expr, field);
  }
  PENSTOCK_TRY(target, visit(expr->args[0]));
  PENSTOCK_TRY_VOID(need_value(target));
  const Type& type = *target->type;
  if (type.kind == TypeKind::record) {
    plain->args = arena_.array<Expr*>(1);
    plain->args[0] = target;
    PENSTOCK_TRY(field, field_of(plain, type));
    return lifted(*expr, field);
  }
  const Type* content = types_.of(TypeKind::dyn);
  if (type.kind == TypeKind::map) {
    content = type.item;
  } else if (type.kind == TypeKind::optional) {
    PENSTOCK_TRY(held, field_of_optional(*expr, type));
    content = held;
  } else if (type.kind != TypeKind::dyn) {
    return no_field(*expr, type);
  }
  expr->args[0] = target;
  expr->type = types_.optional(content);
  return expr;
}

Expr* Checker::lifted(const Expr& select, Expr* field) {
  auto* expr = new (arena_.allocate(sizeof(Expr), alignof(Expr))) Expr(select);
  expr->kind = ExprKind::call;
  expr->extension = find_extension(kOfNullable, false, 1);
  expr->optional = false;
  expr->args = arena_.array<Expr*>(1);
  expr->args[0] = field;
  expr->type = types_.optional(types_.without_null(field->type));
  return expr;
}

// What the field of an optional's content is: of a map its values; dyn where that cannot be said.
Result<const Type*> Checker::field_of_optional(const Expr& select, const Type& optional) {
  const Type& held = *optional.item;
  const bool open = held.kind == TypeKind::dyn || held.kind == TypeKind::record;
  if (held.nullable || (!open && held.kind != TypeKind::map)) return no_field(select, optional);
  return open ? types_.of(TypeKind::dyn) : held.item;
}

Failure Checker::no_field(const Expr& select, const Type& type) const {
  return trouble("R003"_code, fmt::format("a {} has no field \"{}\"", describe(type), select.text),
                 select);
}

// Gives the select the type of the record's field.
Result<Expr*> Checker::field_of(Expr* expr, const Type& record) {
  const avro::Field* field = record.node->field(expr->text);
  if (field != nullptr) {
    expr->type = types_.from_avro(*field->type);
    return expr;
  }
  std::vector<std::string_view> names;
  for (const avro::Field& each : record.node->fields) names.push_back(each.name);
  return trouble("R002"_code, fmt::format("unknown field \"{}\"", expr->text), *expr)
      .hint(did_you_mean(expr->text, names))
      .because(fmt::format("the {} has the fields {}", describe(record), fmt::join(names, ", ")));
}

Result<Expr*> Checker::visit_has(Expr* expr) {
  Expr* select = new (arena_.allocate(sizeof(Expr), alignof(Expr))) Expr(*expr);
  select->kind = ExprKind::select;
  select->args = arena_.array<Expr*>(1);
  select->args[0] = expr->args[0];
  PENSTOCK_TRY(checked, visit(select));
  expr->type = types_.of(TypeKind::bool_);
  if (checked->kind != ExprKind::select) {  // a field of the record itself: is it null?
    expr->args[0] = checked;
    expr->text = {};
    return expr;
  }
  expr->args[0] = checked->args[0];
  return expr;
}

Expr* Checker::narrowed(Expr* expr) {
  if (!expr->type->nullable) return expr;
  const std::string path = path_of(*expr);
  if (path.empty() || std::ranges::find(facts_, path) == facts_.end()) return expr;
  expr->non_null = true;
  expr->type = types_.without_null(expr->type);
  return expr;
}

// --- Guards

std::string Checker::path_of(const Expr& expr) const {
  if (expr.kind == ExprKind::name) {
    if (expr.ref == Ref::macro_variable) return fmt::format("#{}", expr.slot);
    return expr.ref == Ref::variable ? std::string(expr.text) : "";
  }
  const bool indexed = expr.kind == ExprKind::call && expr.fn == Fn::index &&
                       expr.args[1]->kind == ExprKind::literal &&
                       expr.args[1]->value.kind == ValueKind::string;
  if (expr.kind != ExprKind::select && !indexed) return "";
  const std::string target = path_of(*expr.args[0]);
  if (target.empty()) return "";
  return target + "." + std::string(indexed ? expr.args[1]->value.text() : expr.text);
}

void Checker::add_equality_facts(const Expr& expr, bool when, Facts& facts) const {
  const bool equals = (expr.fn == Fn::eq) == when;
  for (size_t side = 0; side < 2; side++) {
    const Expr& other = *expr.args[1 - side];
    const bool null = other.type->kind == TypeKind::null_;
    const bool value = !null && !other.type->nullable && !is_dyn(other);
    if (!(null && !equals) && !(value && equals)) continue;
    if (const std::string path = path_of(*expr.args[side]); !path.empty()) facts.push_back(path);
  }
}

// Adds what is certainly not null when `expr` came out as `when`.
void Checker::add_facts(const Expr& expr, bool when, Facts& facts) const {
  switch (expr.kind) {
    case ExprKind::all_of:
    case ExprKind::any_of:
      if ((expr.kind == ExprKind::all_of) != when) return;
      for (const Expr* arg : expr.args) add_facts(*arg, when, facts);
      return;
    case ExprKind::has: {
      if (!when) return;
      std::string path = path_of(*expr.args[0]);
      if (!path.empty() && !expr.text.empty()) {
        // A map may hold a null under a key that it has: only a record's field is proven.
        if (expr.args[0]->type->kind != TypeKind::record) return;
        path += "." + std::string(expr.text);
      }
      if (!path.empty()) facts.push_back(path);
      return;
    }
    case ExprKind::call:
      if (expr.fn == Fn::not_) add_facts(*expr.args[0], !when, facts);
      if (expr.fn == Fn::eq || expr.fn == Fn::ne) add_equality_facts(expr, when, facts);
      return;
    default:
      return;
  }
}

Result<void> Checker::need_value(Expr* expr) {
  if (!expr->type->nullable) return {};
  const std::string what = text_of(*expr);
  return trouble("R004"_code, fmt::format("\"{}\" may be null here", what), *expr)
      .because(fmt::format("its type is {}, and nothing before it says that it is not null",
                           describe(*expr->type)))
      .cure(
          fmt::format("guard it: {0} != null && …, or give a value: {0} == null ? … : {0}", what));
}

Result<void> Checker::need_bool(Expr* expr, std::string_view where) {
  PENSTOCK_TRY_VOID(need_value(expr));
  if (is_dyn(*expr) || expr->type->kind == TypeKind::bool_) return {};
  return trouble("R003"_code,
                 fmt::format("{} takes a bool, not a {}", where, describe(*expr->type)), *expr)
      .cure("compare the value with something, as in kwh > 0.0");
}

// --- Logic

Result<Expr*> Checker::visit_joined(Expr* expr) {
  const bool all = expr->kind == ExprKind::all_of;
  const size_t before = facts_.size();
  for (Expr*& arg : expr->args) {
    PENSTOCK_TRY(checked, visit(arg));
    arg = checked;
    PENSTOCK_TRY_VOID(need_bool(arg, all ? "&&" : "||"));
    add_facts(*arg, all, facts_);
  }
  facts_.resize(before);
  expr->type = types_.of(TypeKind::bool_);
  return expr;
}

Result<Expr*> Checker::visit_conditional(Expr* expr) {
  PENSTOCK_TRY(condition, visit(expr->args[0]));
  expr->args[0] = condition;
  PENSTOCK_TRY_VOID(need_bool(condition, "? :"));
  const size_t before = facts_.size();
  for (const size_t branch : {1U, 2U}) {
    add_facts(*condition, branch == 1, facts_);
    PENSTOCK_TRY(checked, visit(expr->args[branch]));
    expr->args[branch] = checked;
    facts_.resize(before);
  }
  const Expr& yes = *expr->args[1];
  const Expr& no = *expr->args[2];
  expr->type = unify(yes.type, no.type);
  if (expr->type != nullptr) return expr;
  return trouble("R003"_code,
                 fmt::format("the branches of ? : are a {} and a {}", describe(*yes.type),
                             describe(*no.type)),
                 *expr)
      .cure("make both branches one type, by a conversion as string(x), or mark them by dyn(x)");
}

// The type that holds both, or nullptr.
const Type* Checker::unify(const Type* a, const Type* b) {
  if (same(*a, *b)) return a;
  if (a->kind == TypeKind::dyn || b->kind == TypeKind::dyn) return types_.of(TypeKind::dyn);
  if (a->kind == TypeKind::null_) return types_.nullable(b);
  if (b->kind == TypeKind::null_) return types_.nullable(a);
  if (a->nullable || b->nullable) {
    const Type* both = unify(types_.without_null(a), types_.without_null(b));
    return both == nullptr ? nullptr : types_.nullable(both);
  }
  if (a->kind != b->kind) return nullptr;
  if (a->kind == TypeKind::record) return types_.of(TypeKind::dyn);
  if (a->kind != TypeKind::list && a->kind != TypeKind::map) return nullptr;
  const Type* item = unify(a->item, b->item);
  if (item == nullptr) return nullptr;
  if (a->kind == TypeKind::list) return types_.list(item);
  const Type* key = unify(a->key, b->key);
  return key == nullptr ? nullptr : types_.map(key, item);
}

// Lists, maps, macros

// The type of an item as it stands in its list, or of a value in its map.
Result<const Type*> Checker::spread_type(const Expr& item) {
  if (!item.spread) return item.type;
  if (item.type->kind == TypeKind::optional) return item.type->item;
  if (is_dyn(item)) return item.type;
  return trouble("R003"_code,
                 fmt::format("behind ? stands an optional, not a {}", describe(*item.type)), item)
      .cure("leave the ? out, or make it one by optional.of(…)");
}

Result<Expr*> Checker::visit_list(Expr* expr) {
  PENSTOCK_TRY_VOID(visit_args(expr));
  const Type* item = nullptr;
  for (Expr* arg : expr->args) {
    PENSTOCK_TRY(type, spread_type(*arg));
    item = item == nullptr ? type : types_.join(item, type);
  }
  expr->type = types_.list(item == nullptr ? types_.of(TypeKind::dyn) : item);
  return expr;
}

Result<Expr*> Checker::visit_map(Expr* expr) {
  PENSTOCK_TRY_VOID(visit_args(expr));
  const Type* key = nullptr;
  const Type* item = nullptr;
  for (size_t i = 0; i < expr->args.size(); i += 2) {
    const Expr& arg = *expr->args[i];
    PENSTOCK_TRY_VOID(need_value(expr->args[i]));
    const TypeKind kind = arg.type->kind;
    if (kind != TypeKind::dyn && kind != TypeKind::bool_ && kind != TypeKind::int_ &&
        kind != TypeKind::uint_ && kind != TypeKind::string)
      return trouble("R003"_code, fmt::format("a {} cannot be a map's key", describe(*arg.type)),
                     arg)
          .cure("keys are string, int, uint or bool");
    key = key == nullptr ? arg.type : types_.join(key, arg.type);
    PENSTOCK_TRY(value, spread_type(*expr->args[i + 1]));
    item = item == nullptr ? value : types_.join(item, value);
  }
  const Type* dyn = types_.of(TypeKind::dyn);
  expr->type = types_.map(key == nullptr ? dyn : key, item == nullptr ? dyn : item);
  return expr;
}

// --- Errors

Failure Checker::trouble(Code code, std::string message, const Expr& expr) const {
  const bool whole = expr.at == expr.start && expr.kind != ExprKind::macro;
  uint32_t end = expr.end;
  if (!whole) end = expr.at + std::max<uint32_t>(1, static_cast<uint32_t>(expr.text.size()));
  if (expr.kind == ExprKind::name) end = expr.at + static_cast<uint32_t>(expr.text.size());
  return fail(code, std::move(message)).at(place_in(text_, expr.at, end));
}

Failure Checker::unknown_name(const Expr& expr) const {
  const std::vector<std::string_view> names = names_.all();
  const std::string hint = did_you_mean(expr.text, names);
  auto failure = trouble("R002"_code, fmt::format("unknown name \"{}\"", expr.text), expr);
  const std::string quoted =
      fmt::format("a string constant is written '{}', in quotes of its own", expr.text);
  if (names.empty()) return std::move(failure).hint(hint).cure(quoted);
  return std::move(failure)
      .hint(hint)
      .because(fmt::format("the names known here are {}", fmt::join(names, ", ")))
      .cure(hint.empty() ? quoted : "use the name of a field; " + quoted);
}

}  // namespace penstock::rule
