// checker.h — proves that a parsed expression fits the types of its names.
//
// What the check refuses: unknown names and functions, arguments of the wrong type, a value that
// may be null used as if it could not. A guard proves that a name or field is not null in the part
// that it guards: `x != null && …`, `x == null || …`, `x != null ? … : …`, `has(record.x) && …`,
// also negated and nested. What passed never fails for a type when it runs; only dyn values may.
//
// Thread      one owner.
// Lifetime    new nodes lie in the arena, types in `types`, patterns in `patterns`: all must
//             outlive the tree.
// Errors      R002 unknown name, R003 wrong types, R004 may be null, R006 unknown function, R007
//             constant.
//
//     Checker checker(text, types, names, arena, patterns);
//     PENSTOCK_TRY(root, checker.check(parsed));
#pragma once

#include "rule/ast.h"
#include "rule/extension.h"
#include "rule/function.h"
#include "rule/type.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penstock::rule {

// The names that an expression may use.
class Names {
 public:
  struct Found {
    const Type* type;
    uint32_t slot;
  };
  virtual ~Names() = default;
  // Also notes that the name is used.
  virtual std::optional<Found> find(std::string_view name) = 0;
  virtual std::vector<std::string_view> all() const = 0;
  // The type of `record`, or nullptr where there is none; notes that it is used as a whole.
  virtual const Type* whole_record() = 0;
  // The record's type without noting a use.
  virtual const Type* record_type() const = 0;
};

class Checker {
 public:
  Checker(std::string_view text, Types& types, Names& names, Arena& arena,
          std::vector<std::unique_ptr<Pattern>>& patterns)
      : text_(text), types_(types), names_(names), arena_(arena), patterns_(patterns) {}

  // The checked tree; its root may be another node than `parsed`.
  Result<Expr*> check(Expr* parsed);

 private:
  struct Scope {
    std::string_view name;
    const Type* type;
  };
  using Facts = std::vector<std::string>;  // paths that are not null

  Result<Expr*> visit(Expr* expr);
  Result<Expr*> visit_name(Expr* expr);
  Result<Expr*> visit_select(Expr* expr);
  Result<Expr*> visit_optional_select(Expr* expr);
  bool is_root_record(const Expr& expr) const;
  // `field` (of a record: null or not) as an optional.
  Expr* lifted(const Expr& select, Expr* field);
  Result<const Type*> field_of_optional(const Expr& select, const Type& optional);
  Result<Expr*> visit_has(Expr* expr);
  Result<Expr*> visit_call(Expr* expr);
  Result<Expr*> visit_joined(Expr* expr);
  Result<Expr*> visit_conditional(Expr* expr);
  Result<Expr*> visit_list(Expr* expr);
  Result<Expr*> visit_map(Expr* expr);
  Result<Expr*> visit_macro(Expr* expr);
  Result<Expr*> visit_args(Expr* expr);
  Result<const Type*> spread_type(const Expr& item);
  Result<Expr*> variable_or_nothing(Expr* expr, std::string_view name);
  Result<Expr*> field_of(Expr* expr, const Type& record);
  Result<Expr*> call_typed(Expr* expr, const Type* result);
  Result<Expr*> check_equality(Expr* expr);
  Result<Expr*> check_in(Expr* expr);
  Result<Expr*> check_index(Expr* expr);
  Result<Expr*> check_optional_index(Expr* expr);
  Result<Expr*> check_overloads(Expr* expr);
  Result<Expr*> check_matches(Expr* expr);
  // Finds what a call stands for: fn or extension.
  Result<void> resolve_call(Expr* expr);
  Result<Expr*> check_extension(Expr* expr);
  Result<void> check_extension_items(const Expr& expr);
  Result<void> check_alike(const Expr& expr);
  Result<void> check_clauses(const Expr& expr);
  Result<void> check_units(const Expr& expr);
  Result<void> check_periods(const Expr& expr);
  Result<void> check_asked(const Expr& expr);
  Result<void> check_clause(char clause, const Type& type, const Expr& expr);
  Result<const Type*> extension_type(const Expr& expr);
  const Type* extreme_type(const Expr& expr);
  const Type* either_optional(const Expr& expr);
  const Type* flattened_type(const Type& list);
  // The types of a macro's one or two variables, and of the macro itself.
  struct Variables {
    const Type* first;
    const Type* second;
  };
  Result<Variables> macro_variables(const Expr& macro);
  Result<void> check_macro_body(const Expr& macro, Expr* body, bool last);
  Result<const Type*> macro_type(const Expr& macro, const Type* item);
  const Type* mapped_type(const Type& range, const Type* item);

  Result<void> need_value(Expr* expr);
  Result<void> need_bool(Expr* expr, std::string_view where);
  Expr* narrowed(Expr* expr);
  void add_facts(const Expr& expr, bool when, Facts& facts) const;
  void add_equality_facts(const Expr& expr, bool when, Facts& facts) const;
  // The path by which facts know this value: "x", "a.b", "m['k']"; "" for anything else.
  std::string path_of(const Expr& expr) const;
  std::string dotted_name(const Expr& expr) const;
  const Scope* find_scope(const Expr& expr, uint32_t* depth) const;
  const Type* unify(const Type* a, const Type* b);
  Expr* fold(Expr* expr);

  Failure trouble(Code code, std::string message, const Expr& expr) const;
  Failure unknown_name(const Expr& expr) const;
  Failure unknown_function(const Expr& expr) const;
  Failure no_overload(const Expr& expr) const;
  Failure no_field(const Expr& select, const Type& type) const;
  Failure no_function(const Expr& expr) const;
  std::string overload_cure(const Expr& expr) const;
  std::string text_of(const Expr& expr) const {
    return std::string(text_.substr(expr.start, expr.end - expr.start));
  }

  std::string_view text_;
  Types& types_;
  Names& names_;
  Arena& arena_;
  std::vector<std::unique_ptr<Pattern>>& patterns_;
  std::vector<Scope> scopes_;
  Facts facts_;
};

}  // namespace penstock::rule
