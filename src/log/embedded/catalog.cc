#include "log/embedded/catalog.h"

#include "base/check.h"
#include "base/suggest.h"
#include "log/embedded/records.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>

namespace penstock::log {
namespace {

constexpr std::string_view kNextTopic = "next_topic";

std::string random_lineage() {
  uint64_t bits = 0;
  PENSTOCK_CHECK(::getrandom(&bits, sizeof(bits), 0) == sizeof(bits));
  return fmt::format("{:016x}", bits);
}

Failure damaged(std::string_view what) {
  return fail("L001"_code, fmt::format("the data folder is damaged: its {} cannot be read", what));
}

Result<void> check_spec(const flow::TopicSpec& spec) {
  if (spec.name.empty() || spec.name.size() > kMaxTopicNameBytes) {
    return fail("L006"_code, fmt::format("a topic's name has 1 to {} bytes", kMaxTopicNameBytes));
  }
  if (spec.partitions < 1 || spec.partitions > kMaxPartitions) {
    return fail("L006"_code, fmt::format("topic \"{}\" with {} partitions; 1 to {} are possible",
                                         spec.name, spec.partitions, kMaxPartitions));
  }
  return {};
}

void put_topic(DbBatch& batch, const Topic& topic) {
  batch.put(Family::topics, topic.name,
            topic_value({topic.id, topic.partitions(), topic.keep_millis, topic.lineage}));
  for (int32_t p = 0; p < topic.partitions(); ++p) {
    batch.put(Family::ends, ends_key(topic.id, p), ends_value({0}, {0}));
  }
}

}  // namespace

void Topic::subscribe(flow::Waker& waker) {
  const std::lock_guard lock(mutex_);
  wakers_.push_back(&waker);
}

void Topic::unsubscribe(flow::Waker& waker) {
  const std::lock_guard lock(mutex_);
  if (const auto it = std::find(wakers_.begin(), wakers_.end(), &waker); it != wakers_.end()) {
    wakers_.erase(it);
  }
}

void Topic::wake_readers() {
  const std::lock_guard lock(mutex_);
  for (flow::Waker* waker : wakers_) waker->wake();
}

Result<void> Catalog::load(const Db& db) {
  const std::lock_guard lock(mutex_);
  std::map<uint32_t, Topic*> by_id;
  auto topics = db.cursor(Family::topics);
  for (topics->seek(""); topics->valid(); topics->next()) {
    TopicRow row;
    if (!parse_topic(topics->value(), row) || row.partitions < 1 ||
        row.partitions > kMaxPartitions) {
      return damaged("list of topics");
    }
    const std::string name(topics->key());
    auto topic =
        std::make_shared<Topic>(name, row.id, row.lineage, row.keep_millis, row.partitions);
    by_id[row.id] = topic.get();
    topics_[name] = std::move(topic);
    next_id_ = std::max<uint64_t>(next_id_, row.id + 1);
  }
  PENSTOCK_TRY_VOID(topics->status());
  auto ends = db.cursor(Family::ends);
  for (ends->seek(""); ends->valid(); ends->next()) {
    ChunkPlace start;
    Offset end;
    if (!parse_ends(ends->key(), ends->value(), start, end)) return damaged("list of ends");
    const auto topic = by_id.find(start.topic_id);
    if (topic == by_id.end()) continue;  // of a topic that was removed
    if (start.partition < 0 || start.partition >= topic->second->partitions()) {
      return damaged("list of ends");
    }
    TopicPartition& partition = topic->second->partition(start.partition);
    partition.publish_start(start.base);
    partition.publish_end(end);
    partition.staged_end = end;
  }
  PENSTOCK_TRY_VOID(ends->status());
  Value next;
  PENSTOCK_TRY(found, db.get(Family::meta, kNextTopic, next));
  uint64_t next_id = 0;
  if (found && parse_number(next.bytes(), next_id)) next_id_ = std::max(next_id_, next_id);
  return {};
}

Result<std::vector<std::string>> Catalog::create_missing(
    Db& db, const std::vector<flow::TopicSpec>& specs) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  std::vector<TopicPtr> made;
  DbBatch batch;
  uint64_t next_id = next_id_;
  for (const flow::TopicSpec& spec : specs) {
    if (const auto there = topics_.find(spec.name); there != topics_.end()) {
      if (!spec.letters_of.empty()) there->second->takes_letters = true;
      continue;
    }
    if (std::ranges::find(names, spec.name) != names.end()) continue;
    PENSTOCK_TRY_VOID(check_spec(spec));
    made.push_back(std::make_shared<Topic>(spec.name, static_cast<uint32_t>(next_id++),
                                           random_lineage(), spec.keep_millis, spec.partitions));
    made.back()->takes_letters = !spec.letters_of.empty();
    put_topic(batch, *made.back());
    names.push_back(spec.name);
  }
  if (made.empty()) return names;
  batch.put(Family::meta, kNextTopic, number_bytes(next_id));
  PENSTOCK_TRY_VOID(db.write(batch, true));
  next_id_ = next_id;
  for (TopicPtr& topic : made) topics_[topic->name] = std::move(topic);
  return names;
}

Result<void> Catalog::remove(Db& db, std::string_view name) {
  PENSTOCK_TRY(topic, find(name));
  const std::lock_guard lock(mutex_);
  DbBatch batch;
  batch.erase(Family::topics, topic->name);
  for (int32_t p = 0; p < topic->partitions(); ++p) {
    batch.erase(Family::ends, ends_key(topic->id, p));
    topic->partition(p).publish_start(topic->partition(p).end());  // its readers are at the end
  }
  auto chunks = db.cursor(Family::chunks);
  ChunkPlace place;
  const std::string first = chunk_key({topic->id, 0, {0}});
  for (chunks->seek(first); chunks->valid(); chunks->next()) {
    if (!parse_chunk_key(chunks->key(), place) || place.topic_id != topic->id) break;
    batch.erase(Family::chunks, chunks->key());
  }
  PENSTOCK_TRY_VOID(chunks->status());
  PENSTOCK_TRY_VOID(db.write(batch, true));
  topics_.erase(topic->name);
  db.suggest_compaction(Family::chunks, first, chunk_key({topic->id + 1, 0, {0}}));
  return {};
}

Result<TopicPtr> Catalog::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto it = topics_.find(name);
  if (it != topics_.end()) return it->second;
  std::vector<std::string_view> names;
  for (const auto& entry : topics_) names.push_back(entry.first);
  return fail("L004"_code, fmt::format("there is no topic \"{}\" in the log", name))
      .hint(did_you_mean(name, names));
}

std::vector<TopicPtr> Catalog::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<TopicPtr> topics;
  for (const auto& entry : topics_) topics.push_back(entry.second);
  return topics;
}

}  // namespace penstock::log
