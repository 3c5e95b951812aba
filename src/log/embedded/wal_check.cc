#include "log/embedded/wal_check.h"

#include "base/units.h"
#include "wire/crc32c.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

namespace penstock::log {
namespace {

// RocksDB's log format: blocks of 32 KiB with fragments of writes, none of which crosses a block.
constexpr size_t kBlockBytes = 32 << 10;
constexpr size_t kHeaderBytes = 7;        // checksum, length, kind
constexpr size_t kWriteHeaderBytes = 12;  // sequence number, count

enum Kind : uint8_t { whole = 1, first = 2, middle = 3, last = 4 };

template <typename T>
T little_endian(const char* bytes) {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

// RocksDB does not store a checksum as it is.
uint32_t masked(uint32_t checksum) { return std::rotr(checksum, 15) + 0xa282ead8; }

struct Fragment {
  Kind kind;
  ByteView payload;
};

// The fragment at the begin of `rest`, when it is whole.
std::optional<Fragment> fragment_at(ByteView rest) {
  if (rest.size() < kHeaderBytes) return std::nullopt;
  const auto length = little_endian<uint16_t>(rest.data() + 4);
  const auto kind = static_cast<uint8_t>(rest[6]);
  if (kind < whole || kind > last || kHeaderBytes + length > rest.size()) return std::nullopt;
  const ByteView checked = rest.substr(6, 1 + length);
  if (masked(wire::crc32c(checked)) != little_endian<uint32_t>(rest.data())) return std::nullopt;
  return Fragment{static_cast<Kind>(kind), checked.substr(1)};
}

// Follows the sequence numbers over all files.
class Follower {
 public:
  // False: writes are missing before this fragment, or before the write that it goes on with.
  bool take(const Fragment& fragment) {
    if (fragment.kind == whole || fragment.kind == first) begin();
    if (!open_) return true;
    if (!counted_ && !read_head(fragment.payload)) return false;
    if (fragment.kind == whole || fragment.kind == last) open_ = false;
    return true;
  }
  // Something between the fragments was not readable.
  void interrupted() {
    drop_open();
    damage_ = true;
  }
  void begin_file() {
    drop_open();
    damage_ = false;
  }

 private:
  void begin() {
    drop_open();
    open_ = true;
    counted_ = false;
    head_.clear();
  }
  // The number of a write whose end never came is free again.
  void drop_open() {
    if (open_ && counted_) expected_ = *expected_ - count_;
    open_ = false;
  }
  // The end of a block may cut a write's head in two.
  bool read_head(ByteView payload) {
    head_.append(payload.substr(0, kWriteHeaderBytes - head_.size()));
    if (head_.size() < kWriteHeaderBytes) return true;
    const auto sequence = little_endian<uint64_t>(head_.data());
    if (expected_ ? sequence != *expected_ : damage_) return false;
    count_ = little_endian<uint32_t>(head_.data() + 8);
    expected_ = sequence + count_;
    counted_ = true;
    return true;
  }

  std::optional<uint64_t> expected_;  // of the next write; nothing before the first
  std::string head_;                  // of the open write
  uint32_t count_ = 0;                // likewise, once its head was read
  bool counted_ = false;              // it was
  bool open_ = false;                 // a write whose last fragment has not come
  bool damage_ = false;               // in this file, up to here
};

// Where writes are missing, if so. After damage every place of the block may begin a fragment: a
// length that is wrong leads nowhere.
std::optional<size_t> gap_in(ByteView file, Follower& follower) {
  for (size_t block = 0; block < file.size(); block += kBlockBytes) {
    const ByteView bytes = file.substr(block, kBlockBytes);
    for (size_t at = 0; at + kHeaderBytes <= bytes.size();) {
      if (const auto fragment = fragment_at(bytes.substr(at))) {
        if (!follower.take(*fragment)) return block + at;
        at += kHeaderBytes + fragment->payload.size();
      } else {
        follower.interrupted();
        ++at;
      }
    }
  }
  return std::nullopt;
}

// By number, the order in which they were written.
std::map<uint64_t, std::filesystem::path> log_files(const std::string& folder) {
  std::map<uint64_t, std::filesystem::path> files;
  std::error_code ignored;  // no folder: told when it is opened
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() != ".log") continue;
    const std::string stem = entry.path().stem().string();
    uint64_t number = 0;
    const auto parsed = std::from_chars(stem.data(), stem.data() + stem.size(), number);
    if (parsed.ec == std::errc() && parsed.ptr == stem.data() + stem.size()) {
      files[number] = entry.path();
    }
  }
  return files;
}

// At once: a stream's iterators take 100 ms for what a start has to read.
std::optional<std::string> content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::streamoff>(file.tellg());
  if (!file || size < 0) return std::nullopt;
  std::string bytes(static_cast<size_t>(size), '\0');
  file.seekg(0);
  if (!file.read(bytes.data(), size)) return std::nullopt;
  return bytes;
}

}  // namespace

Result<void> check_wal(const std::string& folder) {
  Follower follower;
  for (const auto& [number, path] : log_files(folder)) {
    const auto bytes = content_of(path);
    if (!bytes) return fail("L001"_code, "cannot read " + path.string());
    follower.begin_file();
    if (const auto gap = gap_in(*bytes, follower)) {
      return fail("L010"_code,
                  fmt::format("{}: writes before byte {} are missing, and whole ones follow",
                              path.string(), *gap));
    }
  }
  return {};
}

}  // namespace penstock::log
