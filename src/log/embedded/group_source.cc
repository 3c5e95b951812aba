#include "log/embedded/group_source.h"

#include "base/check.h"

#include <algorithm>
#include <utility>

namespace penstock::log {

GroupSource::GroupSource(const Db& db, Members& members, Committer& committer, std::string group,
                         std::vector<TopicPtr> topics, flow::Waker& waker)
    : db_(db),
      members_(members),
      committer_(committer),
      group_(std::move(group)),
      topics_(std::move(topics)),
      waker_(waker) {}

GroupSource::~GroupSource() { close(); }

Result<void> GroupSource::join() {
  PENSTOCK_TRY(member, members_.join(group_, topics_, waker_));
  member_ = std::move(member);
  for (const TopicPtr& topic : topics_) topic->subscribe(waker_);
  return {};
}

void GroupSource::close() {
  if (std::exchange(closed_, true) || member_ == nullptr) return;
  if (lag_) committer_.withdraw(lag_);
  for (const TopicPtr& topic : topics_) topic->unsubscribe(waker_);
  members_.leave(*member_);
  readers_.clear();
}

flow::SourceEvent GroupSource::poll(const flow::PollLimits& limits) {
  if (const Error* failure = committer_.failure()) {
    return flow::SourceFault{*failure, false};
  }
  if (closed_ || waiting_for_answer_) return flow::Idle{};
  if (member_->has_news()) {
    flow::SourceEvent event = rebalance();
    if (!std::holds_alternative<flow::Idle>(event)) return event;
  }
  if (paused_) return flow::Idle{};
  return read(limits);
}

flow::SourceEvent GroupSource::rebalance() {
  Members::Event event = members_.poll(*member_);
  if (auto* assigned = std::get_if<flow::Assigned>(&event)) {
    membership_ = assigned->membership;
    for (const Partition partition : assigned->partitions) readers_[partition] = nullptr;
    waiting_for_answer_ = true;
    return std::move(*assigned);
  }
  if (auto* revoked = std::get_if<flow::Revoked>(&event)) {
    membership_ = revoked->membership;
    leaving_ = revoked->partitions;
    waiting_for_answer_ = true;
    return std::move(*revoked);
  }
  if (auto* lost = std::get_if<flow::Lost>(&event)) {
    readers_.clear();
    waiting_for_answer_ = true;
    return std::move(*lost);
  }
  return flow::Idle{};
}

// The next partition that has something, counted on from the last one read.
flow::SourceEvent GroupSource::read(const flow::PollLimits& limits) {
  auto it = readers_.upper_bound(last_read_);
  for (size_t tried = 0; tried < readers_.size(); ++tried, ++it) {
    if (it == readers_.end()) it = readers_.begin();
    if (it->second == nullptr || it->second->damaged() || it->second->at_end()) continue;
    if (held_.contains(it->first)) continue;
    row::RawBatch batch;
    batch.partition = last_read_ = it->first;
    if (auto result = it->second->poll(limits, batch); !result) {
      return flow::SourceFault{std::move(result).error(), false, it->first};
    }
    if (!batch.records.empty()) return batch;
  }
  return flow::Idle{};
}

void GroupSource::start(Partition partition, Offset next) {
  const auto it = readers_.find(partition);
  if (it == readers_.end()) return;  // taken away meanwhile; the event for that is on its way
  held_.erase(partition);
  it->second = std::make_unique<ChunkReader>(db_, topics_[partition.topic], partition.index, next);
}

void GroupSource::hold(Partition partition, bool held) {
  if (held) {
    held_.insert(partition);
  } else {
    held_.erase(partition);
  }
}

void GroupSource::drop(const flow::PartitionSet& partitions) {
  for (const Partition partition : partitions) readers_.erase(partition);
}

void GroupSource::answer() {
  if (!waiting_for_answer_ || closed_) return;
  waiting_for_answer_ = false;
  drop(std::exchange(leaving_, {}));
  members_.answer(*member_);
}

Offset GroupSource::position(Partition partition) const {
  const auto it = readers_.find(partition);
  PENSTOCK_CHECK(it != readers_.end() && it->second != nullptr);
  return it->second->position();
}

bool GroupSource::at_end() const {
  return std::ranges::all_of(readers_, [](const auto& r) {
    return r.second != nullptr && (r.second->damaged() || r.second->at_end());
  });
}

void GroupSource::commit_group(const flow::Commit& commit) {
  if (closed_ || commit.partitions.empty()) return;
  lag_ = std::make_shared<Request>();
  lag_->kind = Request::Kind::group_lag;
  lag_->group = group_;
  for (const TopicPtr& topic : topics_) {
    lag_->inputs.push_back({topic->name, topic->lineage, topic});
  }
  lag_->commit = commit;
  committer_.submit(lag_);
}

}  // namespace penstock::log
