// topic.h — the partitions of a topic in memory, with open and ended transactions.
//
// Thread      the log's.
// Lifetime    bytes stay as long as the partition or a batch read from it.
#pragma once

#include "base/units.h"
#include "flow/log.h"
#include "row/raw_batch.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace penstock::log {

struct Entry {
  row::RawRecord record;
  const void* transaction = nullptr;  // whose record this is, while that is open
  bool hidden = false;                // a marker, or aborted
};

class TopicPartition {
 public:
  Offset start() const { return {start_}; }
  Offset end() const { return {start_ + static_cast<int64_t>(entries_.size())}; }
  // Readers see nothing from here on.
  Offset stable_end() const;
  // Adds the records of a batch; `transaction` is null for those that are visible at once.
  void append(const flow::EncodedBatch& batch, const void* transaction);
  // The transaction's records become visible, or never will; a marker follows.
  void end_transaction(const void* transaction, bool commit);
  // Visible records from `next` on into `batch`; `next` moves behind all that was passed. `limit`
  // is where reading stops (stable_end, or end for a flawed reader).
  void read(Offset& next, Offset limit, const flow::PollLimits& limits, bool see_open,
            row::RawBatch& batch) const;
  // Forgets records before `next` that are older than `before`.
  void trim(Offset next, Millis before);

 private:
  struct Chunks {
    std::vector<std::unique_ptr<std::string>> bytes;
  };
  std::shared_ptr<Chunks> chunks_ = std::make_shared<Chunks>();
  std::vector<Entry> entries_;
  int64_t start_ = 0;
  std::vector<std::pair<const void*, int64_t>> open_;  // transaction, its first offset
};

inline constexpr uint64_t kRecordBytesMax = 1'048'588;  // as Kafka's default

struct Topic {
  flow::TopicSpec spec;
  uint64_t record_bytes_max = kRecordBytesMax;
  std::string lineage;
  std::vector<std::unique_ptr<TopicPartition>> partitions;
};

}  // namespace penstock::log
