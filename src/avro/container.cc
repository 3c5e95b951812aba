#include "avro/container.h"

#include "avro/cursor.h"
#include "avro/write.h"
#include "base/json_write.h"
#include "wire/codec.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::avro {
namespace {

constexpr ByteView kMagic("Obj\1", 4);
constexpr size_t kBlockAimBytes = 64 << 10;
constexpr size_t kCrcBytes = 4;
constexpr uint32_t kLeastEntryBytes = 2;  // of the header's map
constexpr std::array<std::string_view, 4> kNames = {"null", "deflate", "snappy", "zstandard"};

std::string big_endian(uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
  return out;
}

// Snappy's block is followed by the CRC-32 of what was compressed.
bool snappy_open(ByteView stored, std::string& out) {
  if (stored.size() < kCrcBytes) return false;
  const ByteView block = stored.substr(0, stored.size() - kCrcBytes);
  return wire::snappy_block_decompress(block, kMaxBlockBytes, out) &&
         stored.substr(block.size()) == big_endian(wire::crc32_of(out));
}

void snappy_close(ByteView block, std::string& out) {
  wire::snappy_block_compress(block, out);
  out += big_endian(wire::crc32_of(block));
}

// What may be compressed: zlib refuses above 2 GiB, and blocks end long before.
void close_block(ContainerCodec codec, ByteView block, std::string& out) {
  if (codec == ContainerCodec::deflate) wire::deflate_compress(block, out);
  if (codec == ContainerCodec::snappy) snappy_close(block, out);
  if (codec == ContainerCodec::zstandard) wire::zstd_compress(block, out);
}

}  // namespace

std::string_view codec_name(ContainerCodec codec) { return kNames[static_cast<size_t>(codec)]; }

bool is_container(ByteView bytes) { return bytes.starts_with(kMagic); }

Failure ContainerReader::damaged(std::string_view what) const {
  return fail("A008"_code, fmt::format("{}, at byte {}", what, at_));
}

Result<ContainerReader> ContainerReader::open(ByteView bytes) {
  ContainerReader reader(bytes);
  PENSTOCK_TRY_VOID(reader.read_header());
  return reader;
}

Result<void> ContainerReader::read_header() {
  if (!is_container(bytes_)) return damaged("the file does not begin with Obj 1");
  at_ = kMagic.size();
  Cursor in{bytes_.data() + at_, bytes_.data() + std::min(bytes_.size(), kMaxHeaderBytes)};
  std::string_view schema, codec = "null";
  const auto broken = [&] {
    at_ = static_cast<size_t>(in.at - bytes_.data());
    return damaged("the header is cut off, damaged or too large");
  };
  while (true) {
    uint64_t count = 0;
    const char* end = nullptr;
    if (avro::read_block(in, kLeastEntryBytes, count, end) != Fault::none) return broken();
    if (count == 0) break;
    for (; count > 0; --count) {
      ByteView name, value;
      if (read_string(in, name) != Fault::none || read_bytes(in, value) != Fault::none)
        return broken();
      if (name == "avro.schema") schema = value;
      if (name == "avro.codec") codec = value;
    }
  }
  if (in.left() < sync_.size()) return broken();
  std::copy_n(in.at, sync_.size(), sync_.begin());
  at_ = static_cast<size_t>(in.at - bytes_.data()) + sync_.size();
  const auto known = std::ranges::find(kNames, codec);
  if (known == kNames.end()) {
    return fail("A009"_code, fmt::format("the file's codec is {}", quoted(codec)));
  }
  codec_ = static_cast<ContainerCodec>(known - kNames.begin());
  PENSTOCK_TRY(parsed, parse(schema));
  walk_ = Walk::compile(parsed);
  schema_ = std::move(parsed);
  return {};
}

bool ContainerReader::open_block(ByteView stored) {
  switch (codec_) {
    case ContainerCodec::null_:
      block_ = stored;
      return true;
    case ContainerCodec::deflate:
      if (!wire::deflate_decompress(stored, kMaxBlockBytes, *plain_)) return false;
      break;
    case ContainerCodec::snappy:
      if (!snappy_open(stored, *plain_)) return false;
      break;
    case ContainerCodec::zstandard:
      if (!wire::zstd_decompress(stored, kMaxBlockBytes, *plain_)) return false;
      break;
  }
  block_ = *plain_;
  return true;
}

Result<bool> ContainerReader::read_block() {
  block_start_ = at_;
  if (at_ == bytes_.size()) return false;
  Cursor in{bytes_.data() + at_, bytes_.data() + bytes_.size()};
  int64_t size = 0;
  if (read_long(in, count_) != Fault::none || read_long(in, size) != Fault::none)
    return damaged("a block's head is cut off");
  if (count_ < 0 || size < 0 || static_cast<uint64_t>(size) > kMaxBlockBytes)
    return damaged(fmt::format("a block of {} datums and {} bytes", count_, size));
#ifndef PENSTOCK_PLANTED_OVERFLOW  // as in cursor.cc: only in a program that fuzz/ has to find out
  if (in.left() < static_cast<uint64_t>(size) + sync_.size())
    return damaged("the file ends inside a block");
#endif
  const ByteView stored(in.at, static_cast<size_t>(size));
  if (!std::equal(sync_.begin(), sync_.end(), in.at + size))
    return damaged("a block does not end with the file's sync");
  if (!open_block(stored))
    return damaged(fmt::format("a block that {} does not open", codec_name(codec_)));
  at_ = static_cast<size_t>(in.at - bytes_.data()) + stored.size() + sync_.size();
  return true;
}

Result<std::optional<ByteView>> ContainerReader::next() {
  while (count_ == 0) {
    if (!block_.empty()) {
      return fail("A008"_code,
                  fmt::format("a block has {} bytes more than its datums, from byte {}",
                              block_.size(), block_start_));
    }
    PENSTOCK_TRY(more, read_block());
    if (!more) return std::optional<ByteView>();
  }
  auto datum = walk_->first(block_);
  if (!datum) {
    return fail("A008"_code,
                fmt::format("in the block at byte {}: {}", block_start_, datum.error().message));
  }
  // Datums of no size: as many as one datum may have items of no size.
  if (datum->empty() && count_ > static_cast<int64_t>(kMaxZeroSizeItems))
    return damaged("too many datums of no size");
  block_.remove_prefix(datum->size());
  --count_;
  return std::optional<ByteView>(*datum);
}

ContainerWriter::ContainerWriter(const Schema& schema, ContainerCodec codec, const Sync& sync)
    : codec_(codec), sync_(sync) {
  out_ = kMagic;
  append_long(2, out_);
  append_bytes("avro.codec", out_);
  append_bytes(codec_name(codec), out_);
  append_bytes("avro.schema", out_);
  append_bytes(schema.json(), out_);
  append_long(0, out_);
  out_.append(sync_.data(), sync_.size());
}

void ContainerWriter::add(ByteView datum) {
  block_.append(datum);
  ++block_count_;
  ++count_;
  if (block_.size() >= kBlockAimBytes || block_count_ >= int64_t{kMaxZeroSizeItems}) end_block();
}

void ContainerWriter::end_block() {
  if (block_count_ == 0) return;
  append_long(block_count_, out_);
  ByteView stored = block_;
  if (codec_ != ContainerCodec::null_) {
    close_block(codec_, block_, stored_);
    stored = stored_;
  }
  append_bytes(stored, out_);
  out_.append(sync_.data(), sync_.size());
  block_.clear();
  block_count_ = 0;
}

std::string ContainerWriter::take() { return std::exchange(out_, {}); }

std::string ContainerWriter::finish() && {
  end_block();
  return std::move(out_);
}

}  // namespace penstock::avro
