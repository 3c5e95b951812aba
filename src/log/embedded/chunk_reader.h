// chunk_reader.h — the records of one partition, chunk by chunk.
//
// Every chunk is read whole and its CRC checked once; records are handed out as views into it, and
// the RawBatch keeps it alive.
//
// Thread      one owner.
// Lifetime    the Db outlives the reader and every RawBatch that came from it.
// Limits      a chunk's records uncompressed ≤ 64 MiB.
// Errors      L003: the chunk at position() is damaged; L011: no chunk has position(), though it is
//             not at the end (of what retention erased the reader passes to the start). Nothing
//             more comes until a new reader.
//
//     ChunkReader reader(db, topic, 0, from);
//     PENSTOCK_TRY_VOID(reader.poll(limits, batch));     // batch.records empty: at the end
//     from = reader.position();
#pragma once

#include "base/error.h"
#include "flow/log.h"
#include "log/embedded/catalog.h"
#include "log/embedded/db.h"
#include "row/raw_batch.h"
#include "wire/record_batch.h"

#include <memory>
#include <string>
#include <vector>

namespace penstock::log {

inline constexpr size_t kMaxChunkBytes = 64 << 20;

class ChunkReader {
 public:
  ChunkReader(const Db& db, TopicPtr topic, int32_t partition, Offset next)
      : db_(&db), topic_(std::move(topic)), partition_(partition), position_(next) {}
  // Appends to `batch` what there is, up to the limits; a single larger record still comes.
  Result<void> poll(const flow::PollLimits& limits, row::RawBatch& batch);
  Offset position() const { return position_; }
  bool at_end() const { return position_ == end(); }
  bool damaged() const { return damaged_; }

 private:
  struct Chunk {
    Value value;
    std::string opened;  // the records, when they were compressed
  };
  using Chunks = std::vector<std::shared_ptr<const Chunk>>;
  Offset end() const { return topic_->partition(partition_).end(); }
  Result<bool> open_chunk();
  Result<bool> find_chunk(Value& value, Offset& base);
  Result<void> take(const flow::PollLimits& limits, row::RawBatch& batch, uint64_t& bytes);
  std::unexpected<Error> stand_still(Code code, std::string_view why);
  std::unexpected<Error> damage(std::string_view why);
  std::unexpected<Error> missing(std::string_view why);

  const Db* db_;
  TopicPtr topic_;
  int32_t partition_;
  Offset position_;
  bool damaged_ = false;
  std::shared_ptr<const Chunk> chunk_;  // the one being walked
  wire::BatchHeader header_;
  wire::RecordWalker walker_{{}, 0};
};

}  // namespace penstock::log
