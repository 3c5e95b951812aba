// digest.h — SHA-256 and its HMAC, as signatures need them.
//
// Thread      free functions.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace penstock::aws {

using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view bytes);
Digest hmac_sha256(std::string_view key, std::string_view bytes);

inline std::string_view view_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};  // NOLINT: bytes as bytes
}
std::string hex(const Digest& digest);
// RFC 4648's own, with padding.
std::string base64(std::string_view bytes);
// With - and _, without padding.
std::string base64url(std::string_view bytes);

}  // namespace penstock::aws
