#include "log/kafka/token.h"

#include <array>
#include <charconv>
#include <optional>

namespace penstock::log::kafka {
namespace {

constexpr int64_t kUnknownLifeMillis = 300'000;

std::optional<uint32_t> base64url_value(char letter) {
  if (letter >= 'A' && letter <= 'Z') return letter - 'A';
  if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26;
  if (letter >= '0' && letter <= '9') return letter - '0' + 52;
  if (letter == '-') return 62;
  if (letter == '_') return 63;
  return std::nullopt;
}

// "" when it is none.
std::string decode_base64url(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char letter : text) {
    const auto value = base64url_value(letter);
    if (!value) return {};
    bits = (bits << 6 | *value) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>(bits >> count & 0xff));
    }
  }
  return bytes;
}

// What stands behind "name": in a flat JSON object, blanks skipped; "" when it is not there.
std::string_view after_member(std::string_view json, std::string_view name) {
  const std::string quoted = "\"" + std::string(name) + "\"";
  size_t at = json.find(quoted);
  if (at == std::string_view::npos) return {};
  at = json.find_first_not_of(" \t\n\r:", at + quoted.size());
  return at == std::string_view::npos ? std::string_view() : json.substr(at);
}

}  // namespace

Token token_of(std::string text, int64_t now_millis, std::string_view user) {
  Token token{.value = std::move(text),
              .principal = std::string(user),
              .expires_millis = now_millis + kUnknownLifeMillis};
  const std::string_view value = token.value;
  const size_t first = value.find('.');
  const size_t second = first == std::string_view::npos ? first : value.find('.', first + 1);
  if (second == std::string_view::npos) return token;
  const std::string payload = decode_base64url(value.substr(first + 1, second - first - 1));
  double seconds = 0;
  const std::string_view expires = after_member(payload, "exp");
  const auto read = std::from_chars(expires.data(), expires.data() + expires.size(), seconds);
  if (read.ec == std::errc() && seconds > 0 && seconds < 1e11) {
    token.expires_millis = static_cast<int64_t>(seconds * 1000);
  }
  const std::string_view subject = after_member(payload, "sub");
  const size_t end = subject.starts_with('"') ? subject.find('"', 1) : std::string_view::npos;
  if (user.empty() && end != std::string_view::npos) token.principal = subject.substr(1, end - 1);
  return token;
}

}  // namespace penstock::log::kafka
