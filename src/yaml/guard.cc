#include "yaml/guard.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::yaml {
namespace {

struct Spot {
  uint32_t line = 1;
  size_t line_start = 0;
};

Error at(Code code, std::string message, std::string_view text, const std::string& file, Spot spot,
         size_t offset) {
  std::string line(line_of(text, spot.line).substr(0, 200));
  // The line is shown to people: bytes that are no text become question marks.
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      c = c == '\t' ? ' ' : '?';
    }
  }
  const auto column = static_cast<uint32_t>(offset - spot.line_start + 1);
  return fail(code, std::move(message)).at({file, spot.line, column, 1, line}).take();
}

// Bytes of the UTF-8 character at `offset`, or 0.
size_t character_bytes(std::string_view text, size_t offset) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(offset);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(offset + 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned second = byte(offset + 1);
    if (!tail(offset + 1) || !tail(offset + 2)) return 0;
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned second = byte(offset + 1);
    if (!tail(offset + 1) || !tail(offset + 2) || !tail(offset + 3)) return 0;
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
    return 4;
  }
  return 0;
}

bool is_control(std::string_view text, size_t offset, size_t bytes) {
  const auto c = static_cast<unsigned char>(text[offset]);
  // By itself it would end a line for the parser, and for no editor.
  if (c == '\r') return !text.substr(offset + 1).starts_with('\n');
  if (bytes == 1) return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
  // U+0080…U+009F, U+2028/9, U+FEFF, U+FFFE/F: line ends and marks that only confuse.
  const auto d = static_cast<unsigned char>(text[offset + 1]);
  if (bytes == 2) return c == 0xC2 && d < 0xA0;
  if (bytes != 3) return false;
  const auto e = static_cast<unsigned char>(text[offset + 2]);
  return (c == 0xE2 && d == 0x80 && (e == 0xA8 || e == 0xA9)) ||
         (c == 0xEF && d == 0xBB && e == 0xBF) || (c == 0xEF && d == 0xBF && e >= 0xBE);
}

// Counts brackets outside of comments only; quotes do not matter for a bound so far above need.
std::optional<Error> guard_brackets(std::string_view text, const std::string& file) {
  Spot spot;
  int64_t depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      spot = {spot.line + 1, i + 1};
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) {
        return at("P007"_code, "brackets nest too deep", text, file, spot, i);
      }
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return {};
}

}  // namespace

std::string_view line_of(std::string_view text, uint32_t line) {
  size_t start = 0;
  for (uint32_t i = 1; i < line; ++i) {
    const size_t end = text.find('\n', start);
    if (end == std::string_view::npos) return {};
    start = end + 1;
  }
  std::string_view found = text.substr(start, text.find('\n', start) - start);
  if (found.ends_with('\r')) found.remove_suffix(1);
  return found;
}

std::optional<Error> guard(std::string_view text, const std::string& file) {
  if (text.size() > kMaxTextBytes) {
    return fail("P003"_code, fmt::format("the file has {} bytes", text.size()))
        .at({file, 1, 1, 1, {}})
        .take();
  }
  Spot spot;
  bool indentation = true;
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = character_bytes(text, i);
    if (bytes == 0) return at("P004"_code, "bytes that are not text", text, file, spot, i);
    if (is_control(text, i, bytes)) {
      return at("P005"_code,
                fmt::format("a control character (byte {:02x})",
                            static_cast<unsigned>(static_cast<unsigned char>(text[i]))),
                text, file, spot, i);
    }
    const char c = text[i];
    if (c == '\t' && indentation) {
      const size_t word = text.find_first_not_of(" \t", i);
      if (word != std::string_view::npos && text[word] != '\n' && text[word] != '\r') {
        return at("P006"_code, "a tab in the indentation", text, file, spot, i);
      }
    }
    if (c != ' ' && c != '\t') indentation = false;
    if (c == '\n') {
      spot = {spot.line + 1, i + 1};
      indentation = true;
    }
    i += bytes;
  }
  return guard_brackets(text, file);
}

}  // namespace penstock::yaml
