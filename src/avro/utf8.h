// utf8.h — is this text UTF-8? As Unicode has it: no overlong forms, no surrogates, nothing above
// U+10FFFF.
//
// Thread      free functions, no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace penstock::avro {

bool valid_utf8_slow(const char* text, size_t size_bytes);

// ASCII is decided eight bytes at a time; anything else by the slow half.
[[gnu::always_inline]] inline bool valid_utf8(const char* text, size_t size_bytes) {
  constexpr uint64_t kHigh = 0x8080808080808080;
  uint64_t word = 0;
  uint64_t seen = 0;
  if (size_bytes >= 8) [[likely]] {
    std::memcpy(&seen, text + size_bytes - 8, 8);
    for (size_t at = 0; at + 8 < size_bytes; at += 8) {
      std::memcpy(&word, text + at, 8);
      seen |= word;
    }
  } else if (size_bytes >= 4) {
    uint32_t head = 0;
    uint32_t tail = 0;
    std::memcpy(&head, text, 4);
    std::memcpy(&tail, text + size_bytes - 4, 4);
    seen = head | tail;
  } else {
    for (size_t at = 0; at < size_bytes; ++at) seen |= static_cast<uint8_t>(text[at]);
  }
  if ((seen & kHigh) == 0) [[likely]]
    return true;
  return valid_utf8_slow(text, size_bytes);
}

}  // namespace penstock::avro
