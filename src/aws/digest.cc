#include "aws/digest.h"

#include "base/check.h"

#include <openssl/evp.h>

#include <memory>

namespace penstock::aws {
namespace {

constexpr size_t kBlock = 64;

struct Free {
  void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Found once: OpenSSL's look-up by name costs more than hashing a short text.
const EVP_MD* algorithm() {
  static const std::unique_ptr<EVP_MD, Free> found(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  PENSTOCK_CHECK(found != nullptr);
  return found.get();
}

Digest digest_of(std::string_view first, std::string_view second) {
  static thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  Digest digest{};
  const bool done = EVP_DigestInit_ex2(context.get(), algorithm(), nullptr) == 1 &&
                    EVP_DigestUpdate(context.get(), first.data(), first.size()) == 1 &&
                    EVP_DigestUpdate(context.get(), second.data(), second.size()) == 1 &&
                    EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
  PENSTOCK_CHECK(done);
  return digest;
}

}  // namespace

Digest sha256(std::string_view bytes) { return digest_of(bytes, {}); }

// RFC 2104.
Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  Digest short_key{};
  if (key.size() > kBlock) {
    short_key = sha256(key);
    key = view_of(short_key);
  }
  std::array<char, kBlock> inner{};
  std::array<char, kBlock> outer{};
  for (size_t i = 0; i < kBlock; ++i) {
    const int byte = i < key.size() ? key[i] : 0;
    inner[i] = static_cast<char>(byte ^ 0x36);
    outer[i] = static_cast<char>(byte ^ 0x5c);
  }
  const Digest within = digest_of({inner.data(), kBlock}, bytes);
  return digest_of({outer.data(), kBlock}, view_of(within));
}

std::string hex(const Digest& digest) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

namespace {

std::string in_letters(std::string_view bytes, std::string_view last_two) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const auto letter = [&](uint32_t six) {
    return six < kLetters.size() ? kLetters[six] : last_two[six - kLetters.size()];
  };
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char each : bytes) {
    bits = (bits << 8 | static_cast<unsigned char>(each)) & 0xffff;
    count += 8;
    while (count >= 6) {
      count -= 6;
      out += letter(bits >> count & 63);
    }
  }
  if (count > 0) out += letter(bits << (6 - count) & 63);
  return out;
}

}  // namespace

std::string base64url(std::string_view bytes) { return in_letters(bytes, "-_"); }

std::string base64(std::string_view bytes) {
  std::string out = in_letters(bytes, "+/");
  out.resize((out.size() + 3) / 4 * 4, '=');
  return out;
}

}  // namespace penstock::aws
