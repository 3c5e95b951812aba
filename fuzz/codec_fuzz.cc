// The first byte says which codec; the rest is packed and unpacked again, to no byte more than
// allowed, and taken as packed bytes. Its checksums are those that are computed bit by bit, and as
// a key it goes to the same partition each time.
#include "wire/codec.h"
#include "wire/crc32c.h"
#include "wire/partitioner.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace penstock;        // NOLINT: a program of one page
using namespace penstock::wire;  // NOLINT

namespace {

constexpr size_t kMaxBytes = 64 << 10;

struct Way {
  bool (*pack)(ByteView, std::string&);
  bool (*unpack)(ByteView, size_t, std::string&);
};

template <Codec codec>
constexpr Way way_of() {
  return {[](ByteView bytes, std::string& out) { return compress(codec, bytes, out); },
          [](ByteView bytes, size_t max_bytes, std::string& out) {
            return decompress(codec, bytes, max_bytes, out);
          }};
}

constexpr std::array kWays = {way_of<Codec::none>(),
                              way_of<Codec::gzip>(),
                              way_of<Codec::snappy>(),
                              way_of<Codec::lz4>(),
                              way_of<Codec::zstd>(),
                              Way{deflate_compress, deflate_decompress},
                              Way{zlib_compress, zlib_decompress},
                              Way{snappy_block_compress, snappy_block_decompress}};

void demand(bool held) {
  if (!held) std::abort();
}

void check_packing(const Way& way, ByteView bytes) {
  std::string packed, back;
  demand(way.pack(bytes, packed));
  demand(way.unpack(packed, bytes.size(), back) && back == bytes);
  if (!bytes.empty()) demand(!way.unpack(packed, bytes.size() - 1, back));
}

uint32_t bit_by_bit(ByteView bytes, uint32_t polynomial) {
  uint32_t crc = ~0u;
  for (const char each : bytes) {
    crc ^= static_cast<unsigned char>(each);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? polynomial : 0);
  }
  return ~crc;
}

void check_sums(ByteView bytes) {
  const uint32_t sum = bit_by_bit(bytes, 0x82f63b78);
  demand(crc32c(bytes) == sum && crc32c_portable(bytes) == sum);
  const size_t cut = sum % (bytes.size() + 1);
  demand(crc32c(bytes.substr(cut), crc32c_portable(bytes.substr(0, cut))) == sum);
  demand(crc32c_portable(bytes.substr(cut), crc32c(bytes.substr(0, cut))) == sum);
  demand(crc32_of(bytes) == bit_by_bit(bytes, 0xedb88320));
}

void check_partition(ByteView key) {
  const std::string copy(key);
  for (const int32_t partitions : {1, 2, 7, 1000, INT32_MAX}) {
    const int32_t chosen = partition_of(key, partitions);
    demand(chosen >= 0 && chosen < partitions && chosen == partition_of(copy, partitions));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Way& way = kWays[data[0] % kWays.size()];
  const ByteView bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_sums(bytes);
  check_partition(bytes);
  check_packing(way, bytes);
  std::string unpacked;
  if (!way.unpack(bytes, kMaxBytes, unpacked)) return 0;
  demand(unpacked.size() <= kMaxBytes);
  if (unpacked.size() <= kMaxBytes / 8) check_packing(way, unpacked);
  return 0;
}
