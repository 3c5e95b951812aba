// Kafka's Java client writes snappy in frames of its own ("xerial": a 16-byte header, then blocks,
// each after its length, big-endian); others write one plain snappy block. Both are read.
#include "wire/codec.h"

#include <snappy.h>

namespace penstock::wire {
namespace {

constexpr ByteView kXerialMagic("\x82SNAPPY\0", 8);
constexpr size_t kXerialHeaderBytes = 16;
constexpr size_t kBlockBytes = 32 << 10;

void append_big_endian(std::string& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

uint32_t load_big_endian(ByteView at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(at[i]);
  return value;
}

bool append_block(ByteView block, size_t max_bytes, std::string& out) {
  size_t bytes = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &bytes)) return false;
  if (bytes > max_bytes - out.size()) return false;
  // Validated before memory is given: a few bytes may claim gigabytes.
  if (!snappy::IsValidCompressedBuffer(block.data(), block.size())) return false;
  const size_t before = out.size();
  out.resize(before + bytes);
  return snappy::RawUncompress(block.data(), block.size(), out.data() + before);
}

}  // namespace

bool snappy_decompress(ByteView bytes, size_t max_bytes, std::string& out) {
  out.clear();
  if (!bytes.starts_with(kXerialMagic)) return append_block(bytes, max_bytes, out);
  if (bytes.size() < kXerialHeaderBytes) return false;
  bytes.remove_prefix(kXerialHeaderBytes);
  while (!bytes.empty()) {
    if (bytes.size() < 4) return false;
    const uint32_t length = load_big_endian(bytes);
    bytes.remove_prefix(4);
    if (length > bytes.size() || !append_block(bytes.substr(0, length), max_bytes, out)) {
      return false;
    }
    bytes.remove_prefix(length);
  }
  return true;
}

bool snappy_compress(ByteView bytes, std::string& out) {
  out.assign(kXerialMagic);
  append_big_endian(out, 1);  // version
  append_big_endian(out, 1);  // oldest compatible version
  std::string block;
  for (size_t at = 0; at < bytes.size(); at += kBlockBytes) {
    const ByteView part = bytes.substr(at, kBlockBytes);
    snappy::Compress(part.data(), part.size(), &block);
    append_big_endian(out, static_cast<uint32_t>(block.size()));
    out += block;
  }
  return true;
}

bool snappy_block_decompress(ByteView bytes, size_t max_bytes, std::string& out) {
  out.clear();
  return append_block(bytes, max_bytes, out);
}

bool snappy_block_compress(ByteView bytes, std::string& out) {
  snappy::Compress(bytes.data(), bytes.size(), &out);
  return true;
}

}  // namespace penstock::wire
