// group_source.h — a member of a consumer group and the partitions it reads.
//
// Thread      one worker.
// Lifetime    Db, Members and Committer outlive it; its destruction leaves the group.
// Errors      a damaged chunk is one SourceFault{L003, retry = false}, a missing one or a position
//             behind the end {L011, ...}: that partition stands still until start(), the others go
//             on.
#pragma once

#include "flow/log.h"
#include "log/embedded/chunk_reader.h"
#include "log/embedded/committer.h"
#include "log/embedded/members.h"

#include <map>
#include <memory>
#include <set>
#include <vector>

namespace penstock::log {

class GroupSource final : public flow::Source {
 public:
  GroupSource(const Db& db, Members& members, Committer& committer, std::string group,
              std::vector<TopicPtr> topics, flow::Waker& waker);
  ~GroupSource() override;
  // Joins the group; before anything else.
  Result<void> join();
  // For tests: the group takes this member for dead.
  void evict() { members_.evict(*member_); }

  flow::SourceEvent poll(const flow::PollLimits& limits) override;
  void start(Partition partition, Offset next) override;
  void answer() override;
  Offset position(Partition partition) const override;
  void pause(bool paused) override { paused_ = paused; }
  void hold(Partition partition, bool held) override;
  bool at_end() const override;
  flow::Membership membership() const override { return membership_; }
  void commit_group(const flow::Commit& commit) override;
  void close() override;

 private:
  flow::SourceEvent rebalance();
  flow::SourceEvent read(const flow::PollLimits& limits);
  void drop(const flow::PartitionSet& partitions);

  const Db& db_;
  Members& members_;
  Committer& committer_;
  std::string group_;
  std::vector<TopicPtr> topics_;
  flow::Waker& waker_;
  std::shared_ptr<Member> member_;
  flow::Membership membership_;
  std::map<Partition, std::unique_ptr<ChunkReader>> readers_;  // null: not started
  std::set<Partition> held_;
  Partition last_read_{};
  flow::PartitionSet leaving_;  // revoked, not yet answered
  RequestPtr lag_;              // the last commit_group
  bool waiting_for_answer_ = false;
  bool paused_ = false;
  bool closed_ = false;
};

}  // namespace penstock::log
