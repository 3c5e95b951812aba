// catalog.h — the topics of a folder and how far each partition reaches.
//
// Thread      Catalog and Topic from any thread. `staged_end` of a partition belongs to the
//             committer.
// Lifetime    a TopicPtr stays good after the topic was removed; nothing is added to it any more.
// Errors      L001 damaged folder, L004 no such topic, L006 a topic that cannot be.
//
//     PENSTOCK_TRY(topic, catalog.find("ingest"));
//     Offset end = topic->partition(0).end();
#pragma once

#include "base/error.h"
#include "base/units.h"
#include "flow/log.h"
#include "log/embedded/db.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::log {

inline constexpr int32_t kMaxPartitions = 4096;
inline constexpr size_t kMaxTopicNameBytes = 249;

class TopicPartition {
 public:
  Offset start() const { return {start_.load(std::memory_order_acquire)}; }
  Offset end() const { return {end_.load(std::memory_order_acquire)}; }
  void publish_start(Offset start) { start_.store(start.value, std::memory_order_release); }
  void publish_end(Offset end) { end_.store(end.value, std::memory_order_release); }
  Offset staged_end;  // what the write under way will make of `end`

 private:
  std::atomic<int64_t> start_{0};
  std::atomic<int64_t> end_{0};
};

class Topic {
 public:
  Topic(std::string topic_name, uint32_t topic_id, std::string topic_lineage, int64_t keep,
        int32_t partitions)
      : name(std::move(topic_name)),
        id(topic_id),
        lineage(std::move(topic_lineage)),
        keep_millis(keep),
        partitions_(static_cast<size_t>(partitions)) {}
  int32_t partitions() const { return static_cast<int32_t>(partitions_.size()); }
  TopicPartition& partition(int32_t index) { return partitions_[static_cast<size_t>(index)]; }
  const TopicPartition& partition(int32_t index) const {
    return partitions_[static_cast<size_t>(index)];
  }
  // Wakers of those who read it.
  void subscribe(flow::Waker& waker);
  void unsubscribe(flow::Waker& waker);
  void wake_readers();

  const std::string name;
  const uint32_t id;
  const std::string lineage;
  const int64_t keep_millis;
  // What it takes is said by the file of each start, and not kept.
  std::atomic<bool> takes_letters = false;

 private:
  std::vector<TopicPartition> partitions_;
  std::mutex mutex_;
  std::vector<flow::Waker*> wakers_;
};
using TopicPtr = std::shared_ptr<Topic>;

class Catalog {
 public:
  Result<void> load(const Db& db);
  Result<std::vector<std::string>> create_missing(Db& db,
                                                  const std::vector<flow::TopicSpec>& specs);
  // Forgets the topic; made again it has another lineage. Its chunks are erased.
  Result<void> remove(Db& db, std::string_view name);
  Result<TopicPtr> find(std::string_view name) const;
  std::vector<TopicPtr> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, TopicPtr, std::less<>> topics_;
  uint64_t next_id_ = 1;
};

}  // namespace penstock::log
