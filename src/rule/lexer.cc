#include "rule/lexer.h"

#include "rule/ast.h"
#include "rule/literal.h"

#include <charconv>
#include <cmath>
#include <optional>

namespace penstock::rule {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

class Lexer {
 public:
  Lexer(std::string_view text, Arena& arena) : text_(text), arena_(arena) {}

  Result<std::vector<Token>> run() {
    while (true) {
      skip_space();
      start_ = at_;
      if (at_ >= text_.size()) break;
      PENSTOCK_TRY_VOID(one());
    }
    push(TokenKind::end, {});
    return std::move(tokens_);
  }

 private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void skip_space() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '/' && peek(1) == '/') {
        while (at_ < text_.size() && text_[at_] != '\n') at_++;
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
        at_++;
      } else {
        return;
      }
    }
  }

  Token& push(TokenKind kind, std::string_view text) {
    Token token;
    token.kind = kind;
    token.start = static_cast<uint32_t>(start_);
    token.end = static_cast<uint32_t>(at_);
    token.text = text;
    return tokens_.emplace_back(token);
  }

  void push_literal(Value value) {
    push(TokenKind::literal, text_.substr(start_, at_ - start_)).value = value;
  }

  Failure trouble(std::string message, size_t from, size_t to) const {
    return fail("R001"_code, std::move(message))
        .at(place_in(text_, static_cast<uint32_t>(from), static_cast<uint32_t>(to)));
  }

  Result<void> one() {
    const char c = peek();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (c == '"' || c == '\'') return string(false, false);
    if (starts_name(c)) return name_or_prefixed_string();
    if (c == '`') return quoted_name();
    return sign();
  }

  Result<void> name_or_prefixed_string() {
    bool raw = false;
    bool bytes = false;
    size_t ahead = 0;
    for (; ahead < 2; ahead++) {
      const char c = peek(ahead);
      if ((c == 'r' || c == 'R') && !raw)
        raw = true;
      else if ((c == 'b' || c == 'B') && !bytes)
        bytes = true;
      else
        break;
    }
    if (ahead > 0 && (peek(ahead) == '"' || peek(ahead) == '\'')) {
      at_ += ahead;
      return string(raw, bytes);
    }
    while (starts_name(peek()) || is_digit(peek())) at_++;
    push(TokenKind::name, text_.substr(start_, at_ - start_));
    return {};
  }

  Result<void> quoted_name() {
    at_++;
    const size_t body = at_;
    while (at_ < text_.size() && text_[at_] != '`' && text_[at_] != '\n') at_++;
    if (peek() != '`') return trouble("this ` is never closed", start_, start_ + 1);
    if (at_ == body) return trouble("an empty name", start_, at_ + 1);
    for (size_t i = body; i < at_; i++) {
      const char c = text_[i];
      if (!starts_name(c) && !is_digit(c) && c != '.' && c != '-' && c != '/' && c != ' ')
        return trouble("a name in backticks has letters, digits and _ . - / only", i, i + 1);
    }
    at_++;
    push(TokenKind::quoted_name, text_.substr(body, at_ - body - 1));
    return {};
  }

  Result<void> sign() {
    static constexpr std::string_view kTwo[] = {"&&", "||", "==", "!=", "<=", ">="};
    static constexpr std::string_view kOne = "<>!+-*/%?:.,()[]{}";
    const std::string_view two = text_.substr(at_, 2);
    for (const std::string_view known : kTwo) {
      if (two != known) continue;
      at_ += 2;
      push(TokenKind::sign, two);
      return {};
    }
    if (kOne.find(peek()) != std::string_view::npos && peek() != '\0') {
      push(TokenKind::sign, text_.substr(at_++, 1)).end++;
      return {};
    }
    return stray();
  }

  Failure stray() const {
    const char c = text_[at_];
    auto failure = trouble("this character has no meaning here", at_, at_ + 1);
    if (c == '=') return std::move(failure).hint("to compare, write ==");
    if (c == '&') return std::move(failure).hint("\"and\" is &&");
    if (c == '|') return std::move(failure).hint("\"or\" is ||");
    return failure;
  }

  Result<void> number() {
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X') && is_hex(peek(2))) {
      at_ += 2;
      while (is_hex(peek())) at_++;
      return integer();
    }
    while (is_digit(peek())) at_++;
    bool real = false;
    if (peek() == '.' && is_digit(peek(1))) {
      real = true;
      at_++;
      while (is_digit(peek())) at_++;
    }
    const size_t sign_width = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((peek() == 'e' || peek() == 'E') && is_digit(peek(1 + sign_width))) {
      real = true;
      at_ += 1 + sign_width;
      while (is_digit(peek())) at_++;
    }
    return real ? real_number() : integer();
  }

  Result<void> real_number() {
    const std::string_view digits = text_.substr(start_, at_ - start_);
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc::result_out_of_range) {
      const bool tiny = digits.find("e-") != std::string_view::npos ||
                        digits.find("E-") != std::string_view::npos || digits.starts_with("0.");
      if (!tiny) return trouble("the number is too large for a double", start_, at_);
      value = 0;
    }
    if (starts_name(peek())) return trouble("a letter in a number", at_, at_ + 1);
    push_literal(Value::of_double(value));
    return {};
  }

  Result<void> integer() {
    const std::string_view digits = text_.substr(start_, at_ - start_);
    if (peek() == 'u' || peek() == 'U') {
      at_++;
      const bool hex = digits.size() > 1 && (digits[1] == 'x' || digits[1] == 'X');
      const std::string_view body = hex ? digits.substr(2) : digits;
      uint64_t value = 0;
      const auto [end, error] =
          std::from_chars(body.data(), body.data() + body.size(), value, hex ? 16 : 10);
      if (error != std::errc()) return trouble("the number is too large for a uint", start_, at_);
      if (starts_name(peek())) return trouble("a letter in a number", at_, at_ + 1);
      push_literal(Value::of_uint(value));
      return {};
    }
    if (starts_name(peek())) return trouble("a letter in a number", at_, at_ + 1);
    push(TokenKind::int_literal, digits);
    return {};
  }

  // The index of the closing quote's first character, or npos.
  size_t find_close(std::string_view quote, bool raw) const {
    for (size_t i = at_; i < text_.size(); i++) {
      if (text_.substr(i).starts_with(quote)) return i;
      if (!raw && text_[i] == '\\') i++;
      if (quote.size() == 1 && i < text_.size() && (text_[i] == '\n' || text_[i] == '\r'))
        return std::string_view::npos;
    }
    return std::string_view::npos;
  }

  Result<void> string(bool raw, bool bytes) {
    const size_t open = at_;
    const std::string_view three = text_.substr(at_, 3);
    const std::string_view quote =
        three == "'''" || three == "\"\"\"" ? three : text_.substr(at_, 1);
    at_ += quote.size();
    const size_t close = find_close(quote, raw);
    if (close == std::string_view::npos)
      return trouble("this string is never closed", open, open + quote.size());
    const std::string_view body = text_.substr(at_, close - at_);
    const size_t body_at = at_;
    at_ = close + quote.size();
    if (raw) {
      push_literal(bytes ? Value::of_bytes(body) : Value::of_string(body));
      return {};
    }
    const Unescaped unescaped = unescape(body, bytes);
    if (!unescaped.trouble.empty())
      return trouble(unescaped.trouble, body_at + unescaped.at,
                     body_at + unescaped.at + unescaped.width);
    const std::string_view kept = arena_.copy(unescaped.text);
    push_literal(bytes ? Value::of_bytes(kept) : Value::of_string(kept));
    return {};
  }

  std::string_view text_;
  Arena& arena_;
  size_t at_ = 0;
  size_t start_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> lex(std::string_view text, Arena& arena) {
  return Lexer(text, arena).run();
}

std::optional<int64_t> int_of(std::string_view digits, bool negative) {
  const bool hex = digits.size() > 1 && (digits[1] == 'x' || digits[1] == 'X');
  const std::string_view body = hex ? digits.substr(2) : digits;
  uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(body.data(), body.data() + body.size(), value, hex ? 16 : 10);
  if (error != std::errc()) return std::nullopt;
  const uint64_t limit = negative ? uint64_t{1} << 63 : INT64_MAX;
  if (value > limit) return std::nullopt;
  return static_cast<int64_t>(negative ? uint64_t{0} - value : value);
}

}  // namespace penstock::rule
