#include "log/embedded/rocksdb_checksum.h"

#include "wire/crc32c.h"

#include <cstddef>
#include <string>

namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // Castagnoli, reflected: bit 31 is x^0
constexpr uint32_t kOne = 0x80000000;
constexpr uint32_t kX8 = 0x00800000;  // a byte of zeros shifts by x^8

// a * b modulo the polynomial.
uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = kOne; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? kPolynomial : 0);
  }
  return product;
}

}  // namespace

// All that RocksDB's checksum file defines: with one left out, the link takes that file too and
// fails for the double names.
namespace rocksdb::crc32c {

uint32_t Extend(uint32_t before, const char* data, size_t bytes);
std::string IsFastCrc32Supported();
uint32_t Crc32cCombine(uint32_t first, uint32_t second, size_t second_bytes);

uint32_t Extend(uint32_t before, const char* data, size_t bytes) {
  return penstock::wire::crc32c({data, bytes}, before);
}

std::string IsFastCrc32Supported() { return "Penstock's"; }

// The checksum of two stretches from the checksums of each: first * x^(8 * bytes) + second.
uint32_t Crc32cCombine(uint32_t first, uint32_t second, size_t second_bytes) {
  uint32_t shift = kOne;
  for (uint32_t power = kX8; second_bytes > 0; second_bytes >>= 1) {
    if ((second_bytes & 1) != 0) shift = multiply(shift, power);
    power = multiply(power, power);
  }
  return multiply(first, shift) ^ second;
}

}  // namespace rocksdb::crc32c

namespace penstock::log {

uint32_t rocksdb_checksum(ByteView bytes) {
  return rocksdb::crc32c::Extend(0, bytes.data(), bytes.size());
}

}  // namespace penstock::log
