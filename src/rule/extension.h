// extension.h — CEL's optional libraries: strings, math, lists, encoders, optionals; and energy,
// which is ours.
//
// A function has a name, as "charAt" behind a value or "math.abs" before its arguments, the kinds
// of values that it takes, and what it gives. The checker knows functions by this table only; the
// evaluator checks the kinds again, for dyn values. Macros (sortBy, transformList, cel.bind,
// optMap) are the parser's and the evaluator's own affair.
//
// The libraries are those of cel-go's package ext, in the versions that the conformance suite of
// cel-spec has; differences stand in docs/rules.md.
//
// Thread      static tables and free functions.
// Limits      what a call makes is spent from the evaluation's steps, 16 bytes or an item each.
// Errors      error values: "index out of range: 30", "no function math.ceil(int)".
//
//     const Extension* found = find_extension("math.abs", false);
//     Value value = apply(*found, args, context);
#pragma once

#include "rule/type.h"
#include "rule/value.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::rule {

// A set of TypeKinds.
using Kinds = uint16_t;
constexpr Kinds of_kind(TypeKind kind) {
  return static_cast<Kinds>(1U << static_cast<uint32_t>(kind));
}
inline constexpr Kinds kAnyKind = 0xffff;
inline constexpr Kinds kIntKind = of_kind(TypeKind::int_);
inline constexpr Kinds kUintKind = of_kind(TypeKind::uint_);
inline constexpr Kinds kDoubleKind = of_kind(TypeKind::double_);
inline constexpr Kinds kWholeKind = kIntKind | kUintKind;
inline constexpr Kinds kNumberKind = kWholeKind | kDoubleKind;
inline constexpr Kinds kStringKind = of_kind(TypeKind::string);
inline constexpr Kinds kListKind = of_kind(TypeKind::list);
// What has an order of its own.
inline constexpr Kinds kOrderedKinds = kNumberKind | kStringKind | of_kind(TypeKind::bool_) |
                                       of_kind(TypeKind::bytes) | of_kind(TypeKind::timestamp) |
                                       of_kind(TypeKind::duration);
inline constexpr Kinds kOptionalKind = of_kind(TypeKind::optional);

// How the type of a result is found.
enum class Gives : uint8_t {
  fixed,            // Extension::result
  first,            // the first argument's type
  extreme,          // that of all arguments, or of a list's items
  flattened,        // a list of what the lists in the first argument hold
  texts,            // a list of strings
  ints,             // a list of ints
  item,             // an optional of the first argument's items
  optional_of,      // an optional of the first argument
  none,             // an optional of anything
  content,          // what the optional in the first argument holds
  either,           // that, or the second argument
  either_optional,  // an optional of what either of two optionals holds
};

// What the checker asks for besides the kinds.
enum class Asks : uint8_t {
  nothing,
  alike,    // two arguments of one kind
  clauses,  // values that the clauses of the first argument take
  units,    // two units of one kind, behind the first argument
  periods,  // a text of periods as the last argument
};

inline constexpr uint8_t kManyArguments = 255;

struct Extension {
  std::string_view name;
  bool member = false;  // x.f(…): the receiver is the first argument
  uint8_t least = 1, most = 1;
  std::array<Kinds, 4> takes = {};  // the last one that is not 0 holds for all that follow
  Gives gives = Gives::fixed;
  TypeKind result = TypeKind::dyn;  // Gives::fixed
  Kinds items = kAnyKind;           // of the first argument, where that is a list
  Value (*apply)(std::span<const Value> args, Context& context) = nullptr;
  Asks asks = Asks::nothing;
  bool lazy = false;  // the second argument only when the first is an optional without content
};

// By what they are called with; a name may stand for several, of different counts or kinds.
const Extension* find_extension(std::string_view name, bool member, size_t arguments);
bool is_extension(std::string_view name, bool member);
// "math" of "math.abs": behind such a name a dot is part of a function's name.
bool is_library(std::string_view name);
std::vector<std::string_view> extension_names(bool member);
// The kinds that argument `index` may have.
Kinds takes(const Extension& extension, size_t index);

// None of the arguments is an error.
Value apply(const Extension& extension, std::span<const Value> args, Context& context);

// The tables by library.
std::span<const Extension> text_extensions();
std::span<const Extension> number_extensions();
std::span<const Extension> list_extensions();
std::span<const Extension> optional_extensions();
std::span<const Extension> energy_extensions();

// record.?field: null is none. No text can name it.
inline constexpr std::string_view kOfNullable = "optional.?";

// A string of its own in the context's arena, or the error that it is over budget.
Value new_text(std::string_view text, Context& context);
Value out_of_range(int64_t index, Context& context);
// A list in order; an error where its items have none.
Value sorted(std::span<const Value> items, std::span<const Value> keys, Context& context);

}  // namespace penstock::rule
