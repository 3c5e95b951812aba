// verdict_fixture.h — whether an evaluation failed for a value or for a type, and checked trees.
//
// Thread      one test.
//
//     CHECK(is_of_values("division by zero"));
//     const auto tree = tree_of("1 + x", types, names);     // root: nullptr when it is refused
#pragma once

#include "rule/checker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

namespace penstock::rule {

// What values, and not types, are to blame for.
inline bool is_of_values(std::string_view error) {
  static constexpr std::string_view kTexts[] = {"overflow",
                                                "division by zero",
                                                "modulus by zero",
                                                "is out of range",
                                                "the text is none",
                                                "not UTF-8",
                                                "outside the years",
                                                "too many steps",
                                                "index out of range",
                                                "no time zone",
                                                "is not known here",
                                                "invalid regular expression",
                                                "the depth is negative",
                                                "): at most ",
                                                "an empty list has no",
                                                "a shift by a negative",
                                                "the text is no base64",
                                                "the optional has no value",
                                                "no item ",
                                                "no slice from ",
                                                "no such key: '",
                                                "repeated key ",
                                                "a double and a double have no order"};
  return std::ranges::any_of(
      kTexts, [&](std::string_view text) { return error.find(text) != std::string_view::npos; });
}

struct Tree {
  Arena arena;
  std::vector<std::unique_ptr<Pattern>> patterns;
  Expr* root = nullptr;
};

inline std::unique_ptr<Tree> tree_of(std::string_view text, Types& types, Names& names) {
  auto tree = std::make_unique<Tree>();
  const std::string_view kept = tree->arena.copy(text);
  const auto parsed = parse(kept, tree->arena);
  REQUIRE(parsed.has_value());
  auto checked = Checker(kept, types, names, tree->arena, tree->patterns).check(*parsed);
  if (checked) tree->root = *checked;
  return tree;
}

}  // namespace penstock::rule
