#include "rule/ast.h"
#include "rule/function.h"
#include "rule/lexer.h"
#include "rule/literal.h"

#include <algorithm>
#include <array>
#include <optional>

namespace penstock::rule {

namespace {

constexpr std::array<std::string_view, 18> kReserved = {
    "as",  "break", "const",   "continue",  "else",   "for", "function", "if",    "import",
    "let", "loop",  "package", "namespace", "return", "var", "void",     "while", "in"};

struct Operator {
  std::string_view sign;
  Fn fn;
};
constexpr Operator kRelations[] = {{"<", Fn::lt},  {"<=", Fn::le}, {">", Fn::gt}, {">=", Fn::ge},
                                   {"==", Fn::eq}, {"!=", Fn::ne}, {"in", Fn::in}};
constexpr Operator kSums[] = {{"+", Fn::add}, {"-", Fn::subtract}};
constexpr Operator kProducts[] = {{"*", Fn::multiply}, {"/", Fn::divide}, {"%", Fn::modulo}};

using Parsed = Result<Expr*>;

// One function per level of precedence, lowest first. Chains are loops; only brackets, ternaries
// and macros recurse, and they count against kNestingMax.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens, Arena& arena)
      : text_(text), tokens_(std::move(tokens)), arena_(arena) {}

  Parsed whole() {
    PENSTOCK_TRY(root, expression());
    if (here().kind != TokenKind::end) return unexpected("the expression should end here");
    return root;
  }

 private:
  const Token& here() const { return tokens_[next_]; }
  bool at_sign(std::string_view sign) const {
    return here().kind == TokenKind::sign && here().text == sign;
  }
  bool accept(std::string_view sign) {
    if (!at_sign(sign)) return false;
    next_++;
    return true;
  }
  uint32_t last_end() const { return next_ == 0 ? 0 : tokens_[next_ - 1].end; }

  Failure trouble(Code code, std::string message, uint32_t start, uint32_t end) const {
    return fail(code, std::move(message)).at(place_in(text_, start, end));
  }

  Failure unexpected(std::string what) const {
    const Token& token = here();
    if (token.kind == TokenKind::end)
      return trouble("R001"_code, "the expression ends too early: " + what, token.start,
                     token.start + 1);
    std::string found(text_.substr(token.start, token.end - token.start));
    return trouble("R001"_code, "unexpected " + found + ": " + what, token.start, token.end);
  }

  Result<void> expect(std::string_view sign) {
    if (accept(sign)) return {};
    return unexpected("expected " + std::string(sign));
  }

  // --- Nodes

  Expr* make(ExprKind kind, uint32_t start, uint32_t at) {
    auto* expr = new (arena_.allocate(sizeof(Expr), alignof(Expr))) Expr;
    expr->kind = kind;
    expr->start = start;
    expr->at = at;
    expr->end = last_end();
    return expr;
  }

  // Gives the node its children and its height.
  Parsed with(Expr* expr, std::span<Expr* const> children) {
    expr->args = arena_.array<Expr*>(children.size());
    std::ranges::copy(children, expr->args.begin());
    for (const Expr* child : children) expr->height = std::max(expr->height, child->height + 1);
    expr->end = std::max(expr->end, last_end());
    if (expr->height > kHeightMax)
      return trouble("R005"_code, "the expression is too deeply nested", expr->at, expr->at + 1);
    return expr;
  }

  Parsed call(std::string_view name, Fn fn, uint32_t start, uint32_t at,
              std::span<Expr* const> args) {
    Expr* expr = make(ExprKind::call, start, at);
    expr->text = name;
    expr->fn = fn;
    return with(expr, args);
  }

  // Counts the nesting while it lives.
  struct Deeper {
    explicit Deeper(uint32_t& level) : level_(level) { level_++; }
    ~Deeper() { level_--; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    uint32_t& level_;
  };

  // --- Levels

  Parsed expression() {
    const Deeper deeper(nesting_);
    if (nesting_ > kNestingMax)
      return trouble("R005"_code, "the expression is too deeply nested", here().start, here().end);
    PENSTOCK_TRY(condition, joined("||", ExprKind::any_of));
    if (!at_sign("?")) return condition;
    const uint32_t at = here().start;
    next_++;
    PENSTOCK_TRY(yes, joined("||", ExprKind::any_of));
    PENSTOCK_TRY_VOID(expect(":"));
    PENSTOCK_TRY(no, expression());
    return with(make(ExprKind::conditional, condition->start, at), std::array{condition, yes, no});
  }

  // A chain of && or ||, as one node of many arguments.
  Parsed joined(std::string_view sign, ExprKind kind) {
    const auto operand = [&] {
      return kind == ExprKind::any_of ? joined("&&", ExprKind::all_of) : relation();
    };
    PENSTOCK_TRY(first, operand());
    if (!at_sign(sign)) return first;
    const uint32_t at = here().start;
    std::vector<Expr*> all{first};
    while (accept(sign)) {
      PENSTOCK_TRY(more, operand());
      all.push_back(more);
    }
    return with(make(kind, first->start, at), all);
  }

  template <class Operand>
  Parsed chain(std::span<const Operator> operators, Operand operand) {
    PENSTOCK_TRY(first, operand());
    Expr* left = first;
    while (const Operator* found = operator_here(operators)) {
      const uint32_t at = here().start;
      next_++;
      PENSTOCK_TRY(right, operand());
      PENSTOCK_TRY(both, call(found->sign, found->fn, left->start, at, std::array{left, right}));
      left = both;
    }
    return left;
  }

  const Operator* operator_here(std::span<const Operator> operators) const {
    if (here().kind != TokenKind::sign && here().kind != TokenKind::name) return nullptr;
    for (const Operator& each : operators)
      if (each.sign == here().text) return &each;
    return nullptr;
  }

  Parsed relation() {
    return chain(kRelations, [this] { return sum(); });
  }
  Parsed sum() {
    return chain(kSums, [this] { return product(); });
  }
  Parsed product() {
    return chain(kProducts, [this] { return unary(); });
  }

  // !!! and --- are folded: an even number of them is none.
  Parsed unary() {
    const uint32_t start = here().start;
    for (const std::string_view sign : {"!", "-"}) {
      if (!at_sign(sign)) continue;
      bool odd = false;
      while (accept(sign)) odd = !odd;
      if (sign == "-" && odd && here().kind == TokenKind::int_literal) return member(true);
      PENSTOCK_TRY(operand, member(false));
      if (!odd) return operand;
      return call(sign, sign == "!" ? Fn::not_ : Fn::negate, start, start, std::array{operand});
    }
    return member(false);
  }

  Parsed member(bool negative) {
    PENSTOCK_TRY(first, primary(negative));
    Expr* target = first;
    while (true) {
      if (at_sign(".")) {
        PENSTOCK_TRY(next, selected(target));
        target = next;
      } else if (at_sign("[")) {
        PENSTOCK_TRY(next, indexed(target));
        target = next;
      } else if (at_sign("{")) {
        return trouble("R001"_code, "messages cannot be made in a rule", here().start, here().end)
            .cure("a map is written {'key': value}");
      } else {
        return target;
      }
    }
  }

  Parsed selected(Expr* target) {
    next_++;
    const bool optional = accept("?");
    const Token name = here();
    if (name.kind != TokenKind::name && name.kind != TokenKind::quoted_name)
      return unexpected("expected a field's or function's name");
    if (name.text == "in" || name.text == "true" || name.text == "false" || name.text == "null")
      return unexpected("a keyword cannot be a field's name");
    next_++;
    if (name.kind == TokenKind::name && at_sign("(") && !optional) return method(target, name);
    Expr* expr = make(ExprKind::select, target->start, name.start);
    expr->text = name.text;
    expr->optional = optional;
    return with(expr, std::array{target});
  }

  Parsed indexed(Expr* target) {
    const uint32_t at = here().start;
    next_++;
    const bool optional = accept("?");
    PENSTOCK_TRY(index, expression());
    PENSTOCK_TRY_VOID(expect("]"));
    PENSTOCK_TRY(expr, call("[]", Fn::index, target->start, at, std::array{target, index}));
    expr->optional = optional;
    return expr;
  }

  // The arguments behind an opening bracket that is next, up to its end.
  Result<std::vector<Expr*>> arguments() {
    next_++;
    std::vector<Expr*> args;
    while (!accept(")")) {
      if (!args.empty()) PENSTOCK_TRY_VOID(expect(","));
      PENSTOCK_TRY(arg, expression());
      args.push_back(arg);
    }
    return args;
  }

  Parsed method(Expr* target, const Token& name) {
    PENSTOCK_TRY(args, arguments());
    if (target->kind == ExprKind::name && target->text == "cel" && name.text == "bind")
      return bound(target, name, args);
    if (const auto macro = macro_of(name.text, args.size()))
      return expand(*macro, target, name, args);
    args.insert(args.begin(), target);
    PENSTOCK_TRY(expr, call(name.text, Fn::unknown, target->start, name.start, args));
    expr->member = true;
    return expr;
  }

  static std::optional<Macro> macro_of(std::string_view name, size_t arguments) {
    struct Known {
      std::string_view name;
      Macro macro;
      size_t least, most;  // arguments
    };
    static constexpr Known kKnown[] = {{"all", Macro::all, 2, 3},
                                       {"exists", Macro::exists, 2, 3},
                                       {"exists_one", Macro::exists_one, 2, 3},
                                       {"existsOne", Macro::exists_one, 2, 3},
                                       {"map", Macro::map, 2, 3},
                                       {"filter", Macro::filter, 2, 2},
                                       {"sortBy", Macro::sort_by, 2, 2},
                                       {"transformList", Macro::transform_list, 3, 4},
                                       {"transformMap", Macro::transform_map, 3, 4},
                                       {"transformMapEntry", Macro::transform_map_entry, 3, 4},
                                       {"optMap", Macro::opt_map, 2, 2},
                                       {"optFlatMap", Macro::opt_flat_map, 2, 2}};
    for (const Known& each : kKnown)
      if (each.name == name && arguments >= each.least && arguments <= each.most) return each.macro;
    return std::nullopt;
  }

  // How many of a macro's arguments name variables.
  static size_t variables_of(Macro macro, size_t arguments) {
    const bool question =
        macro == Macro::all || macro == Macro::exists || macro == Macro::exists_one;
    const bool transforms = macro == Macro::transform_list || macro == Macro::transform_map ||
                            macro == Macro::transform_map_entry;
    return transforms || (question && arguments == 3) ? 2 : 1;
  }

  Result<void> need_variable(const Expr& expr, std::string_view macro) {
    if (expr.kind == ExprKind::name && !expr.root) return {};
    return trouble("R001"_code, "this argument names a variable: a plain name", expr.start,
                   expr.end)
        .cure("write it like readings." + std::string(macro) + "(r, r > 0.0)");
  }

  Parsed expand(Macro macro, Expr* target, const Token& name, std::span<Expr* const> args) {
    const size_t variables = variables_of(macro, args.size());
    for (const Expr* variable : args.first(variables))
      PENSTOCK_TRY_VOID(need_variable(*variable, name.text));
    if (variables == 2 && args[0]->text == args[1]->text)
      return trouble("R001"_code, "the two variables have one name", args[1]->start, args[1]->end);
    Expr* expr = make(ExprKind::macro, target->start, name.start);
    expr->macro = macro;
    expr->text = args[0]->text;
    if (variables == 2) expr->second = args[1]->text;
    std::vector<Expr*> children = {target};
    children.insert(children.end(), args.begin() + static_cast<ptrdiff_t>(variables), args.end());
    return with(expr, children);
  }

  // cel.bind(name, value, expression)
  Parsed bound(Expr* target, const Token& name, std::span<Expr* const> args) {
    if (args.size() != 3)
      return trouble("R001"_code, "cel.bind takes a name, its value, and where it holds",
                     name.start, last_end());
    PENSTOCK_TRY_VOID(need_variable(*args[0], "map"));
    Expr* expr = make(ExprKind::macro, target->start, name.start);
    expr->macro = Macro::bind;
    expr->text = args[0]->text;
    return with(expr, args.subspan(1));
  }

  Parsed primary(bool negative) {
    const Token token = here();
    switch (token.kind) {
      case TokenKind::int_literal:
      case TokenKind::literal:
        return literal(token, negative);
      case TokenKind::name:
        return named(token, false);
      case TokenKind::quoted_name:
        return unexpected("a name in backticks stands behind a dot, as in record.`a-b`");
      case TokenKind::end:
        return unexpected("a value is missing");
      case TokenKind::sign:
        break;
    }
    if (token.text == "(") return bracketed();
    if (token.text == "[") return list();
    if (token.text == "{") return map();
    if (token.text == ".") {
      next_++;
      if (here().kind != TokenKind::name) return unexpected("expected a name behind the dot");
      return named(here(), true);
    }
    return unexpected("expected a value");
  }

  Parsed literal(const Token& token, bool negative) {
    next_++;
    Expr* expr = make(ExprKind::literal, token.start, token.start);
    expr->value = token.value;
    if (token.kind == TokenKind::int_literal) {
      const auto number = int_of(token.text, negative);
      if (!number)
        return trouble("R001"_code, "the number is too large for an int", token.start, token.end)
            .cure("an int goes up to 9223372036854775807; write 1e30 for a double");
      expr->value = Value::of_int(*number);
    } else if (token.value.kind == ValueKind::string && !is_utf8(token.value.text())) {
      return trouble("R001"_code, "the string is not UTF-8", token.start, token.end);
    }
    return expr;
  }

  Parsed bracketed() {
    next_++;
    PENSTOCK_TRY(inner, expression());
    PENSTOCK_TRY_VOID(expect(")"));
    return inner;
  }

  Parsed list() {
    const uint32_t start = here().start;
    next_++;
    std::vector<Expr*> items;
    while (!accept("]")) {
      if (!items.empty()) {
        PENSTOCK_TRY_VOID(expect(","));
        if (accept("]")) break;
      }
      const bool spread = accept("?");
      PENSTOCK_TRY(item, expression());
      item->spread = spread;
      items.push_back(item);
    }
    return with(make(ExprKind::list, start, start), items);
  }

  Parsed map() {
    const uint32_t start = here().start;
    next_++;
    std::vector<Expr*> children;
    while (!accept("}")) {
      if (!children.empty()) {
        PENSTOCK_TRY_VOID(expect(","));
        if (accept("}")) break;
      }
      const bool spread = accept("?");
      PENSTOCK_TRY(key, expression());
      PENSTOCK_TRY_VOID(expect(":"));
      PENSTOCK_TRY(value, expression());
      value->spread = spread;
      children.insert(children.end(), {key, value});
    }
    return with(make(ExprKind::map, start, start), children);
  }

  Parsed named(const Token& token, bool root) {
    const uint32_t start = root ? token.start - 1 : token.start;
    const std::string_view name = token.text;
    if (!root && (name == "true" || name == "false" || name == "null")) {
      next_++;
      Expr* expr = make(ExprKind::literal, start, start);
      expr->value = name == "null" ? Value::of_null() : Value::of_bool(name == "true");
      return expr;
    }
    if (std::ranges::find(kReserved, name) != kReserved.end())
      return trouble("R001"_code, "\"" + std::string(name) + "\" is a reserved word", token.start,
                     token.end)
          .cure("for a field of this name write record." + std::string(name));
    next_++;
    if (at_sign("(")) return function(token, start);
    Expr* expr = make(ExprKind::name, start, token.start);
    expr->text = name;
    expr->root = root;
    return expr;
  }

  Parsed function(const Token& name, uint32_t start) {
    PENSTOCK_TRY(args, arguments());
    if (name.text != "has") return call(name.text, Fn::unknown, start, name.start, args);
    if (args.size() != 1 || args[0]->kind != ExprKind::select)
      return trouble("R001"_code, "has() takes one field, as in has(record.x)", name.start,
                     last_end());
    Expr* expr = make(ExprKind::has, start, name.start);
    expr->text = args[0]->text;
    return with(expr, std::array{args[0]->args[0]});
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  Arena& arena_;
  size_t next_ = 0;
  uint32_t nesting_ = 0;
};

}  // namespace

Result<Expr*> parse(std::string_view text, Arena& arena) {
  if (text.size() > kTextBytesMax)
    return fail("R005"_code, "the expression is longer than 32 KiB").at(place_in(text, 0, 1));
  PENSTOCK_TRY(tokens, lex(text, arena));
  return Parser(text, std::move(tokens), arena).whole();
}

Place place_in(std::string_view text, uint32_t start, uint32_t end) {
  const size_t at = std::min<size_t>(start, text.size());
  const size_t line_start = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  size_t line_end = text.find('\n', at);
  if (line_end == std::string_view::npos) line_end = text.size();
  Place place;
  place.line = static_cast<uint32_t>(1 + std::ranges::count(text.substr(0, at), '\n'));
  place.column = static_cast<uint32_t>(at - line_start + 1);
  const size_t stop = std::min<size_t>(end, line_end);
  place.width = stop > at ? static_cast<uint32_t>(stop - at) : 1;
  place.source_line = text.substr(line_start, std::min<size_t>(line_end - line_start, 400));
  return place;
}

}  // namespace penstock::rule
