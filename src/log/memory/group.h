// group.h — a consumer group in memory: members, generations, who owns which partition, positions.
//
// The rules are those of Kafka's cooperative rebalance. Each change of the members makes a new
// generation; every member is told by an event; what a member has to give up it keeps until it
// answers; an evicted member learns of it (Lost) when it polls, and joins again after its answer.
//
// Thread      the log's.
#pragma once

#include "flow/log.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace penstock::log {

struct MemoryMembership final : flow::MembershipToken {
  std::string group;
  uint64_t member = 0;
  uint64_t generation = 0;
};

class Group {
 public:
  struct Position {
    bool known = false;
    Offset next;
    flow::Fates fates;
    Term term;
    std::map<std::string, std::string, std::less<>> state;
  };
  using Input = std::pair<std::string, int32_t>;  // topic (or another source), partition

  Group(std::string name, Millis now) : name_(std::move(name)), now_(now) {}

  // A member joins, for these partitions; returns its id.
  uint64_t join(std::string member, std::vector<std::string> topics, flow::PartitionSet partitions);
  void leave(uint64_t member);
  // The next event of a member, or Idle. Lost when there is no such member (any more).
  flow::SourceEvent next_event(uint64_t member);
  // It has served its last event.
  void answer(uint64_t member);
  bool has(uint64_t member) const { return find(member) != nullptr; }
  bool owns(uint64_t member, Partition partition) const;
  // True while an event is not answered.
  bool unanswered(uint64_t member) const;
  // A member of this id, at the generation that is.
  bool accepts(const flow::Membership& membership) const;

  void advance(Millis now, int64_t session_millis);
  Millis next_end_of_session(int64_t session_millis) const;
  void alive(std::string_view member);
  void evict(std::string_view member);

  Position& position(const Input& input) { return positions_[input]; }
  const std::map<Input, Position>& positions() const { return positions_; }
  uint32_t members() const { return static_cast<uint32_t>(members_.size()); }

 private:
  struct Member {
    uint64_t id = 0;
    std::string name;
    std::vector<std::string> topics;
    flow::PartitionSet owned;
    flow::PartitionSet target;
    flow::PartitionSet leaving;  // revoked, not answered
    uint64_t told = 0;           // generation of its last event
    bool unanswered = false;
    Millis seen;
  };

  Member* find(uint64_t member);
  const Member* find(uint64_t member) const;
  void rebalance();
  bool is_free(Partition partition) const;
  flow::Membership membership_of(const Member& member) const;

  std::string name_;
  Millis now_;
  uint64_t generation_ = 0;
  uint64_t ids_ = 0;
  flow::PartitionSet partitions_;
  std::vector<std::unique_ptr<Member>> members_;  // in the order in which they joined
  std::map<Input, Position> positions_;
};

}  // namespace penstock::log
