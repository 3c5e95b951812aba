#include "wire/partitioner.h"

namespace penstock::wire {
namespace {

constexpr uint32_t kMultiplier = 0x5bd1e995;
constexpr uint32_t kSeed = 0x9747b28c;

uint32_t byte_at(ByteView key, size_t i) { return static_cast<unsigned char>(key[i]); }

}  // namespace

int32_t murmur2(ByteView key) {
  uint32_t h = kSeed ^ static_cast<uint32_t>(key.size());
  size_t i = 0;
  for (; i + 4 <= key.size(); i += 4) {
    uint32_t k = byte_at(key, i) | byte_at(key, i + 1) << 8 | byte_at(key, i + 2) << 16 |
                 byte_at(key, i + 3) << 24;
    k *= kMultiplier;
    k ^= k >> 24;
    k *= kMultiplier;
    h = h * kMultiplier ^ k;
  }
  const size_t tail = key.size() - i;
  if (tail == 3) h ^= byte_at(key, i + 2) << 16;
  if (tail >= 2) h ^= byte_at(key, i + 1) << 8;
  if (tail >= 1) h = (h ^ byte_at(key, i)) * kMultiplier;
  h ^= h >> 13;
  h *= kMultiplier;
  h ^= h >> 15;
  return static_cast<int32_t>(h);
}

}  // namespace penstock::wire
