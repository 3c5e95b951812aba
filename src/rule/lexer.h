// lexer.h — the text of an expression as tokens, literals decoded.
//
// Thread      free function, no state.
// Lifetime    token texts are views of the expression; decoded strings lie in the arena.
// Errors      R001 with the place: a stray character, an unclosed string, a bad escape, a number
//             out of range.
//
//     PENSTOCK_TRY(tokens, lex("kwh > 1.0", arena));     // the last one is TokenKind::end
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "rule/value.h"

#include <optional>
#include <vector>

namespace penstock::rule {

enum class TokenKind : uint8_t { end, name, quoted_name, literal, int_literal, sign };

struct Token {
  TokenKind kind = TokenKind::end;
  uint32_t start = 0;
  uint32_t end = 0;
  std::string_view
      text;     // name without backticks; sign: "&&", "(", "<=" …; int_literal: its digits
  Value value;  // literal
};

Result<std::vector<Token>> lex(std::string_view text, Arena& arena);

// The integer of an int_literal's digits ("12", "0x1F"), negated if `negative`; nullopt when out of
// range.
std::optional<int64_t> int_of(std::string_view digits, bool negative);

}  // namespace penstock::rule
