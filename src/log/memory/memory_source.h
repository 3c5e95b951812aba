// memory_source.h — a member of a group that reads topics of a MemoryLog.
//
// Thread      the log's. Lifetime: within the log's.
#pragma once

#include "flow/log.h"
#include "log/memory/memory_log.h"

#include <map>
#include <string>
#include <vector>

namespace penstock::log {

class MemorySource final : public flow::Source {
 public:
  MemorySource(MemoryLog& log, flow::SourceSpec spec, std::vector<Topic*> topics, Group& group,
               flow::Waker& waker);
  ~MemorySource() override;

  flow::SourceEvent poll(const flow::PollLimits& limits) override;
  void start(Partition partition, Offset next) override;
  void answer() override;
  Offset position(Partition partition) const override;
  void pause(bool paused) override { paused_ = paused; }
  void hold(Partition partition, bool held) override { reading_[partition].held = held; }
  bool at_end() const override;
  flow::Membership membership() const override { return membership_; }
  void commit_group(const flow::Commit& commit) override;
  void close() override;

  // The group takes this member for dead.
  void evict() { group_.leave(member_); }

 private:
  struct Reading {
    Offset next;
    bool mine = false;
    bool started = false;
    bool held = false;
  };
  flow::SourceEvent told(flow::SourceEvent event);
  flow::SourceEvent lose();
  void join();
  Offset end_of(Partition partition) const;

  MemoryLog& log_;
  flow::SourceSpec spec_;
  std::vector<Topic*> topics_;
  Group& group_;
  flow::Waker& waker_;
  uint64_t member_ = 0;
  std::map<Partition, Reading> reading_;
  flow::PartitionSet revoked_;
  flow::Membership membership_;
  Partition last_;  // read last; the next one has its turn
  bool lost_ = false;
  bool paused_ = false;
  bool closed_ = false;
};

}  // namespace penstock::log
