// ast.h — a parsed expression: a tree in an arena, with places, later with types.
//
// The parser makes the tree; the checker fills type, ref, slot and fn, and may replace a node by a
// simpler one (the select `record.x` becomes the name `x`).
//
// Thread      one owner until checked, then immutable.
// Lifetime    nodes live in the arena given to parse(); names point into the text or the arena.
// Limits      text ≤ 32 KiB; nesting of brackets, ternaries and macros ≤ 64; height of the tree ≤
//             256.
//
//     PENSTOCK_TRY(root, parse("kwh > 1.0", arena));
#pragma once

#include "base/error.h"
#include "rule/type.h"
#include "rule/value.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace penstock::rule {

inline constexpr size_t kTextBytesMax = 32 * 1024;
inline constexpr uint32_t kNestingMax = 64;
inline constexpr uint32_t kHeightMax = 256;

enum class ExprKind : uint8_t {
  literal,      // value
  name,         // text; root: written with a leading dot
  select,       // args[0].text
  has,          // has(args[0].text)
  call,         // text(args), or args[0].text(args[1…]) when `member`
  all_of,       // args joined by &&
  any_of,       // args joined by ||
  conditional,  // args[0] ? args[1] : args[2]
  list,         // args
  map,          // args: key, value, key, value …
  macro,        // args[0].macro(text[, second], args[1][, args[2]])
};

enum class Macro : uint8_t {
  all,
  exists,
  exists_one,
  map,
  filter,
  sort_by,              // args[1] is the key
  transform_list,       // as map, of two variables
  transform_map,        // the same keys with other values
  transform_map_entry,  // args.back() is a map of what becomes of an entry
  bind,                 // args[0] is a name's value, args[1] where it holds
  opt_map,              // of what an optional holds
  opt_flat_map,
};

// What a name stands for, once checked.
enum class Ref : uint8_t { variable, whole_record, macro_variable };

enum class Fn : uint8_t;
class Pattern;
struct Extension;

struct Expr {
  ExprKind kind = ExprKind::literal;
  Macro macro = Macro::all;
  bool member = false;
  bool root = false;
  bool optional = false;  // select, []: .?x, [?x]
  bool spread = false;    // an item of a list, a value of a map: there only if the optional has one
  bool non_null = false;  // checked: proven not null here, although its type was nullable
  Ref ref = Ref::variable;
  Fn fn{};
  uint32_t start = 0;  // bytes of the text: [start, end)
  uint32_t end = 0;
  uint32_t at = 0;      // where an error about this very node points (an operator, a name)
  uint32_t height = 1;  // of the tree below, itself counted
  uint32_t slot = 0;    // variable: its number; macro_variable and macro: depth of the scope
  std::string_view text;
  std::string_view second;  // macro: the second variable, or ""
  std::span<Expr*> args;
  Value value;
  const Type* type = nullptr;
  const Pattern* pattern = nullptr;      // matches() with a literal pattern
  const Extension* extension = nullptr;  // call: instead of fn
};

// The whole text as one expression. Errors R001, R005 with a place inside the text.
Result<Expr*> parse(std::string_view text, Arena& arena);

// The place of bytes [start, end) of `text`: line and column from 1, the caret's width, the line
// itself.
Place place_in(std::string_view text, uint32_t start, uint32_t end);

}  // namespace penstock::rule
