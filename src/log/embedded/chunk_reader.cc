#include "log/embedded/chunk_reader.h"

#include "log/embedded/records.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::log {

std::unexpected<Error> ChunkReader::stand_still(Code code, std::string_view why) {
  damaged_ = true;
  chunk_.reset();
  return std::unexpected(fail(code, fmt::format("topic \"{}\", partition {}, offset {}: {}",
                                                topic_->name, partition_, position_.value, why))
                             .take());
}

std::unexpected<Error> ChunkReader::damage(std::string_view why) {
  return stand_still("L003"_code, why);
}

std::unexpected<Error> ChunkReader::missing(std::string_view why) {
  return stand_still("L011"_code, why);
}

// The chunk that has position_, or the first behind it.
Result<bool> ChunkReader::find_chunk(Value& value, Offset& base) {
  const ChunkPlace here{topic_->id, partition_, position_};
  base = position_;
  PENSTOCK_TRY(exact, db_->get(Family::chunks, chunk_key(here), value));
  if (exact) return true;
  auto cursor = db_->cursor(Family::chunks);
  ChunkPlace place;
  const auto in_partition = [&] {
    return cursor->valid() && parse_chunk_key(cursor->key(), place) &&
           place.topic_id == here.topic_id && place.partition == here.partition;
  };
  cursor->seek_for_previous(chunk_key(here));
  bool found = false;
  if (in_partition()) {
    const auto batch = wire::parse_batch(cursor->value());
    // A damaged one may have it: open_chunk() will tell.
    found = !batch || place.base.value + batch->header.last_offset_delta >= position_.value;
  }
  if (!found) {
    cursor->seek(chunk_key(here));
    found = in_partition();
  }
  PENSTOCK_TRY_VOID(cursor->status());
  if (!found) return false;
  base = place.base;
  return db_->get(Family::chunks, cursor->key(), value);
}

// False at the end. What retention erased is passed; other gaps are damage.
Result<bool> ChunkReader::open_chunk() {
  if (position_ > end()) {
    return missing(fmt::format("behind the partition's end, {}", end().value));
  }
  while (position_ < end()) {
    auto chunk = std::make_shared<Chunk>();
    Offset base;
    PENSTOCK_TRY(found, find_chunk(chunk->value, base));
    if (!found || base > position_) {
      const Offset start = topic_->partition(partition_).start();
      if (position_ >= start) return missing("no chunk has it");
      position_ = start;
      continue;
    }
    const auto batch = wire::parse_batch(chunk->value.bytes());
    if (!batch) return damage(wire::describe(batch.error()));
    const auto records = wire::open_records(*batch, kMaxChunkBytes, chunk->opened);
    if (!records) return damage(wire::describe(records.error()));
    header_ = batch->header;
    header_.base_offset = base.value;
    walker_ = wire::RecordWalker(*records, header_.count);
    chunk_ = std::move(chunk);
    return true;
  }
  return false;
}

// Records of the open chunk; closes it behind its last.
Result<void> ChunkReader::take(const flow::PollLimits& limits, row::RawBatch& batch,
                               uint64_t& bytes) {
  wire::RecordView record;
  while (batch.records.size() < limits.max_records && bytes < limits.max_bytes) {
    if (!walker_.next(record)) {
      if (walker_.fault() != wire::BatchFault::none) return damage(describe(walker_.fault()));
      position_ = std::max(position_, Offset{header_.base_offset + header_.last_offset_delta + 1});
      chunk_.reset();
      return {};
    }
    const Offset offset{header_.base_offset + record.offset_delta};
    if (offset < position_ || header_.control) continue;
    const Millis at = header_.log_append_time
                          ? header_.max_timestamp
                          : wire::time_of(header_.base_timestamp, record.timestamp);
    batch.records.push_back(
        {record.key, record.value, offset, at, record.has_key, record.has_value});
    position_ = {offset.value + 1};
    bytes += record.key.size() + record.value.size();
  }
  return {};
}

Result<void> ChunkReader::poll(const flow::PollLimits& limits, row::RawBatch& batch) {
  if (damaged_) return {};
  auto chunks = std::make_shared<Chunks>();
  uint64_t bytes = 0;
  Result<void> result;
  while (result && batch.records.size() < limits.max_records && bytes < limits.max_bytes) {
    if (chunk_ == nullptr) {
      if (position_ == end()) break;
      const auto opened = open_chunk();
      if (!opened) result = std::unexpected(opened.error());
      if (!opened || !*opened) break;
    }
    if (batch.records.empty()) {
      const auto most = std::min<uint64_t>(limits.max_records, header_.count);
      batch.records.reserve(most);
    }
    chunks->push_back(chunk_);
    result = take(limits, batch, bytes);
  }
  batch.memory = std::move(chunks);
  if (!result && !batch.records.empty()) {
    // What came before the damage is good; the fault comes with the next poll.
    damaged_ = false;
    return {};
  }
  return result;
}

}  // namespace penstock::log
