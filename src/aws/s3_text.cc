#include "aws/s3_text.h"

#include <array>
#include <charconv>

namespace penstock::aws {

std::string crc32c_text(std::string_view bytes) {
  const uint32_t crc = wire::crc32c(bytes);
  const std::array<char, 4> big = {static_cast<char>(crc >> 24), static_cast<char>(crc >> 16),
                                   static_cast<char>(crc >> 8), static_cast<char>(crc)};
  return base64({big.data(), big.size()});
}

std::optional<std::string> decoded_key(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+') {
      out += ' ';
    } else if (text[at] != '%') {
      out += text[at];
    } else {
      unsigned byte = 0;
      if (at + 3 > text.size()) return std::nullopt;
      const char* from = text.data() + at + 1;
      if (std::from_chars(from, from + 2, byte, 16).ptr != from + 2) return std::nullopt;
      out += static_cast<char>(byte);
      at += 2;
    }
  }
  return out;
}

std::optional<uint64_t> number_of(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace penstock::aws
