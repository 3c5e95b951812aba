#include "log/embedded/retention.h"

#include "log/embedded/records.h"
#include "wire/record_batch.h"

#include <algorithm>
#include <utility>

namespace penstock::log {
namespace {

constexpr size_t kMaxChunksPerRun = 1024;

}  // namespace

void Retention::declare(std::vector<flow::SourceSpec> groups) {
  const std::lock_guard lock(mutex_);
  groups_ = std::move(groups);
}

std::vector<RetentionWarning> Retention::warnings() const {
  const std::lock_guard lock(mutex_);
  return warnings_;
}

// The smallest position of the declared groups that read this topic.
Retention::Bound Retention::bound(const Topic& topic, int32_t partition,
                                  const GroupRows& rows) const {
  Bound bound{topic.partition(partition).end(), {}};
  for (const flow::SourceSpec& group : groups_) {
    if (std::ranges::find(group.topics, topic.name) == group.topics.end()) continue;
    const GroupRow* row = rows.find({group.group, topic.lineage, partition});
    const bool committed = row != nullptr && row->committed;
    const Offset next = committed ? row->next : topic.partition(partition).start();
    if (next < bound.offset) bound = {next, group.group};
  }
  return bound;
}

Result<void> Retention::trim(Db& db, Topic& topic, int32_t index, const Bound& bound,
                             Millis oldest) {
  TopicPartition& partition = topic.partition(index);
  Offset start = partition.start();
  const std::string first = chunk_key({topic.id, index, start});
  DbBatch batch;
  auto cursor = db.cursor(Family::chunks);
  cursor->seek(first);
  for (size_t chunks = 0; cursor->valid() && chunks < kMaxChunksPerRun; ++chunks) {
    ChunkPlace place;
    if (!parse_chunk_key(cursor->key(), place) || place.topic_id != topic.id ||
        place.partition != index || place.base >= partition.end()) {
      break;
    }
    const auto chunk = wire::parse_batch(cursor->value());
    if (!chunk || chunk->header.max_timestamp >= oldest) break;  // damage stays for its reader
    const Offset next{place.base.value + chunk->header.last_offset_delta + 1};
    if (next > bound.offset) {
      warnings_.push_back({topic.name, index, bound.group, bound.offset});
      break;
    }
    batch.erase(Family::chunks, cursor->key());
    start = next;
    cursor->next();
  }
  PENSTOCK_TRY_VOID(cursor->status());
  if (batch.empty()) return {};
  batch.put(Family::ends, ends_key(topic.id, index), ends_value(start, partition.end()));
  // First: a reader that misses a chunk finds that it was erased.
  partition.publish_start(start);
  PENSTOCK_TRY_VOID(db.write(batch, true));
  db.suggest_compaction(Family::chunks, first, chunk_key({topic.id, index, start}));
  return {};
}

Result<void> Retention::run(Db& db, Catalog& catalog, const GroupRows& rows, Millis now) {
  const std::lock_guard lock(mutex_);
  warnings_.clear();
  for (const TopicPtr& topic : catalog.all()) {
    if (topic->keep_millis < 0) continue;
    const Millis oldest = now + -topic->keep_millis;
    for (int32_t p = 0; p < topic->partitions(); ++p) {
      PENSTOCK_TRY_VOID(trim(db, *topic, p, bound(*topic, p, rows), oldest));
    }
  }
  return {};
}

}  // namespace penstock::log
