#include "log/memory/memory_source.h"

#include "base/check.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace penstock::log {

MemorySource::MemorySource(MemoryLog& log, flow::SourceSpec spec, std::vector<Topic*> topics,
                           Group& group, flow::Waker& waker)
    : log_(log), spec_(std::move(spec)), topics_(std::move(topics)), group_(group), waker_(waker) {
  log_.wakers_.push_back(&waker_);
  join();
}

// With sessions, a source that is destroyed is a client that died: the group finds out later.
MemorySource::~MemorySource() {
  const auto at = std::find(log_.wakers_.begin(), log_.wakers_.end(), &waker_);
  if (at != log_.wakers_.end()) log_.wakers_.erase(at);
  if (log_.settings_.session_millis == 0) close();
}

void MemorySource::join() {
  flow::PartitionSet partitions;
  for (uint32_t topic = 0; topic < topics_.size(); ++topic) {
    for (size_t p = 0; p < topics_[topic]->partitions.size(); ++p) {
      partitions.push_back({topic, static_cast<int32_t>(p)});
    }
  }
  member_ = group_.join(spec_.member, spec_.topics, std::move(partitions));
  log_.wake_all();
}

void MemorySource::close() {
  if (closed_) return;
  closed_ = true;
  group_.leave(member_);
  log_.wake_all();
}

flow::SourceEvent MemorySource::lose() {
  lost_ = true;
  revoked_.clear();
  flow::Lost event;
  for (auto& [partition, reading] : reading_) {
    if (reading.mine) event.partitions.push_back(partition);
    reading.mine = reading.started = false;
  }
  return event;
}

flow::SourceEvent MemorySource::told(flow::SourceEvent event) {
  if (auto* assigned = std::get_if<flow::Assigned>(&event)) {
    membership_ = assigned->membership;
    for (const Partition p : assigned->partitions) {
      reading_[p].mine = true;
      reading_[p].started = false;
    }
  } else if (auto* revoked = std::get_if<flow::Revoked>(&event)) {
    membership_ = revoked->membership;
    revoked_ = revoked->partitions;
  }
  return event;
}

flow::SourceEvent MemorySource::poll(const flow::PollLimits& limits) {
  if (closed_ || lost_) return flow::Idle{};
  if (!group_.has(member_)) return lose();
  flow::SourceEvent event = group_.next_event(member_);
  if (!std::holds_alternative<flow::Idle>(event)) return told(std::move(event));
  if (paused_ || group_.unanswered(member_)) return flow::Idle{};
  row::RawBatch batch;
  const bool passes_open = log_.settings_.flaw == MemoryFlaw::reader_passes_open ||
                           log_.settings_.flaw == MemoryFlaw::reader_sees_open;
  auto at = reading_.upper_bound(last_);
  for (size_t i = 0; i < reading_.size(); ++i, ++at) {
    if (at == reading_.end()) at = reading_.begin();
    auto& [partition, reading] = *at;
    if (!reading.mine || !reading.started || reading.held) continue;
    const TopicPartition& from =
        *topics_[partition.topic]->partitions[static_cast<size_t>(partition.index)];
    from.read(reading.next, passes_open ? from.end() : from.stable_end(), limits,
              log_.settings_.flaw == MemoryFlaw::reader_sees_open, batch);
    if (batch.records.empty()) continue;
    batch.partition = last_ = partition;
    return batch;
  }
  return flow::Idle{};
}

void MemorySource::start(Partition partition, Offset next) {
  Reading& reading = reading_[partition];
  reading.next = next;
  reading.started = true;
  reading.held = false;
}

void MemorySource::answer() {
  if (lost_) {
    lost_ = false;
    join();
    return;
  }
  for (const Partition p : revoked_) reading_[p].mine = reading_[p].started = false;
  revoked_.clear();
  group_.answer(member_);
  log_.wake_all();
}

Offset MemorySource::position(Partition partition) const {
  const auto at = reading_.find(partition);
  return at == reading_.end() ? Offset{} : at->second.next;
}

Offset MemorySource::end_of(Partition partition) const {
  return topics_[partition.topic]->partitions[static_cast<size_t>(partition.index)]->stable_end();
}

bool MemorySource::at_end() const {
  return std::all_of(reading_.begin(), reading_.end(), [&](const auto& entry) {
    const auto& [partition, reading] = entry;
    return !reading.mine || (reading.started && reading.next >= end_of(partition));
  });
}

void MemorySource::commit_group(const flow::Commit& commit) {
  if (commit.membership != nullptr && !group_.accepts(commit.membership)) return;
  for (const flow::PartitionCommit& moved : commit.partitions) {
    Group::Position& position =
        group_.position({spec_.topics[moved.partition.topic], moved.partition.index});
    position.known = true;
    position.next = moved.next;
    position.fates = moved.fates;
  }
}

}  // namespace penstock::log
