#include "log/embedded/rocksdb_checksum.h"

#include "wire/crc32c.h"

#include <doctest/doctest.h>

#include <string>

namespace rocksdb::crc32c {
std::string IsFastCrc32Supported();
uint32_t Crc32cCombine(uint32_t first, uint32_t second, size_t second_bytes);
}  // namespace rocksdb::crc32c

namespace penstock::log {

TEST_CASE("RocksDB's checksum is ours, with the same values") {
  CHECK(rocksdb::crc32c::IsFastCrc32Supported() == "Penstock's");
  CHECK(rocksdb_checksum("123456789") == 0xe3069283);
  std::string bytes;
  for (int i = 0; i < 700; ++i) bytes.push_back(static_cast<char>(i * 37));
  const ByteView all(bytes);
  CHECK(rocksdb_checksum(all) == wire::crc32c_portable(all));
  for (size_t cut = 0; cut <= all.size(); cut += 7) {
    const uint32_t first = wire::crc32c_portable(all.substr(0, cut));
    const uint32_t second = wire::crc32c_portable(all.substr(cut));
    CHECK(rocksdb::crc32c::Crc32cCombine(first, second, all.size() - cut) ==
          wire::crc32c_portable(all));
  }
}

}  // namespace penstock::log
