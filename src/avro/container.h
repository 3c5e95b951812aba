// container.h — Avro's object container files, in memory: a schema, then blocks of datums.
//
// After the Avro specification 1.12, "Object Container Files": "Obj" 1, a map with avro.schema and
// avro.codec, 16 bytes of sync; then blocks, each a count, a size, its datums (compressed as a
// whole) and the sync again. Codecs null, deflate, snappy and zstandard.
//
// Thread      one owner each.
// Lifetime    a reader's views are of the file's bytes or of its own block: until the next block.
// Limits      a header ≤ 1 MiB; a block ≤ 64 MiB, compressed or not, whatever it claims.
// Errors      A001… the schema; A008 what is no container file, or damaged: with the byte where;
//             A009 a codec that is not read here.
//
//     PENSTOCK_TRY(file, ContainerReader::open(bytes));
//     while (true) { PENSTOCK_TRY(datum, file.next()); if (!datum) break; … }
//
//     ContainerWriter out(schema, ContainerCodec::zstandard, sync);
//     out.add(datum);                       // Avro bytes under the schema
//     const std::string bytes = std::move(out).finish();
#pragma once

#include "avro/schema.h"
#include "avro/walk.h"
#include "base/error.h"
#include "base/units.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::avro {

enum class ContainerCodec : uint8_t { null_, deflate, snappy, zstandard };
std::string_view codec_name(ContainerCodec codec);

using Sync = std::array<char, 16>;

inline constexpr size_t kMaxHeaderBytes = 1 << 20;
inline constexpr size_t kMaxBlockBytes = 64 << 20;

// Whether bytes begin as a container file does.
bool is_container(ByteView bytes);

class ContainerReader {
 public:
  // Reads the header.
  static Result<ContainerReader> open(ByteView bytes);
  const SchemaPtr& schema() const { return schema_; }
  ContainerCodec codec() const { return codec_; }
  // The next datum, checked whole; nothing at the end of the file.
  Result<std::optional<ByteView>> next();
  // Where the current datum's block begins, in bytes from the file's beginning.
  size_t block_start() const { return block_start_; }

 private:
  explicit ContainerReader(ByteView bytes) : bytes_(bytes) {}
  Result<void> read_header();
  Result<bool> read_block();
  bool open_block(ByteView stored);
  Failure damaged(std::string_view what) const;

  ByteView bytes_;
  size_t at_ = 0;
  SchemaPtr schema_;
  std::optional<Walk> walk_;
  ContainerCodec codec_ = ContainerCodec::null_;
  Sync sync_ = {};
  size_t block_start_ = 0;
  std::unique_ptr<std::string> plain_ = std::make_unique<std::string>();  // of a block that was
                                                                          // compressed
  ByteView block_;                                                        // what is left of it
  int64_t count_ = 0;                                                     // datums left in it
};

class ContainerWriter {
 public:
  // `sync` tells blocks apart: random, or made of what makes the file the same each time.
  ContainerWriter(const Schema& schema, ContainerCodec codec, const Sync& sync);
  // A datum under the schema; not checked.
  void add(ByteView datum);
  uint64_t count() const { return count_; }
  // So far, without the open block: may be taken away between calls.
  std::string take();
  std::string finish() &&;

 private:
  void end_block();

  ContainerCodec codec_;
  Sync sync_;
  std::string out_, block_, stored_;
  uint64_t count_ = 0;
  int64_t block_count_ = 0;
};

}  // namespace penstock::avro
