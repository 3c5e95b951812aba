#include "rule/literal.h"

namespace penstock::rule {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A number of exactly `digits` digits to the base at `at`, or -1.
int64_t read_digits(std::string_view body, size_t at, size_t digits, int base) {
  if (at + digits > body.size()) return -1;
  int64_t value = 0;
  for (size_t i = at; i < at + digits; i++) {
    const int digit = hex_digit(body[i]);
    if (digit < 0 || digit >= base) return -1;
    value = value * base + digit;
  }
  return value;
}

// What a one-letter escape stands for, or -1.
int simple_escape(char c) {
  switch (c) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case '\\':
    case '?':
    case '"':
    case '\'':
    case '`':
      return c;
    default:
      return -1;
  }
}

// The escape whose backslash is at `at`: appends what it stands for; returns its width, 0 on
// trouble.
size_t append_escape(std::string_view body, size_t at, bool bytes, Unescaped& result) {
  const char c = at + 1 < body.size() ? body[at + 1] : '\0';
  if (const int simple = simple_escape(c); simple >= 0) {
    result.text += static_cast<char>(simple);
    return 2;
  }
  int64_t value = -1;
  size_t width = 0;
  if (c == 'x' || c == 'X') {
    width = 4;
    value = read_digits(body, at + 2, 2, 16);
  } else if (c == 'u' || c == 'U') {
    width = c == 'u' ? 6 : 10;
    if (!bytes) value = read_digits(body, at + 2, width - 2, 16);
  } else if (c >= '0' && c <= '3') {
    width = 4;
    value = read_digits(body, at + 1, 3, 8);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < 0 || value > 0x10FFFF || surrogate) {
    result.at = at;
    result.width = 2;
    result.trouble = surrogate || value > 0x10FFFF     ? "the escape is not a Unicode character"
                     : bytes && (c == 'u' || c == 'U') ? "\\u and \\U have no meaning in bytes"
                                                       : "this escape is unknown or incomplete";
    return 0;
  }
  if (bytes)
    result.text += static_cast<char>(value);
  else
    append_utf8(static_cast<uint32_t>(value), result.text);
  return width;
}

}  // namespace

Unescaped unescape(std::string_view body, bool bytes) {
  Unescaped result;
  for (size_t at = 0; at < body.size();) {
    if (body[at] != '\\') {
      result.text += body[at++];
      continue;
    }
    const size_t width = append_escape(body, at, bytes, result);
    if (width == 0) return result;
    at += width;
  }
  return result;
}

bool is_utf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  for (size_t i = 0; i < text.size();) {
    const uint32_t lead = byte(i);
    if (lead < 0x80) {
      i++;
      continue;
    }
    const size_t width = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || i + width > text.size()) return false;
    uint32_t point = lead & (0xFFU >> (width + 1));
    for (size_t j = 1; j < width; j++) {
      if ((byte(i + j) & 0xC0U) != 0x80) return false;
      point = point << 6 | (byte(i + j) & 0x3FU);
    }
    if ((width == 3 && point < 0x800) || (width == 4 && point < 0x10000)) return false;
    if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    i += width;
  }
  return true;
}

void append_utf8(uint32_t point, std::string& out) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0U | point >> 6);
    out += static_cast<char>(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0U | point >> 12);
    out += static_cast<char>(0x80U | (point >> 6 & 0x3FU));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | point >> 18);
    out += static_cast<char>(0x80U | (point >> 12 & 0x3FU));
    out += static_cast<char>(0x80U | (point >> 6 & 0x3FU));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  }
}

int64_t count_code_points(std::string_view text) {
  int64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80 ? 1 : 0;
  return count;
}

}  // namespace penstock::rule
