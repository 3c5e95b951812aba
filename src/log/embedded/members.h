// members.h — the consumer groups of this process: who reads which partition.
//
// Sticky and balanced: the shares of any two members differ by at most one, a member keeps what it
// has as far as that allows, and equal histories give equal assignments. Cooperative: a partition
// that moves is revoked first, and nobody gets it before its owner has answered.
//
//   none ──Assigned──► owned ──Revoked──► leaving ──answer()──► none
//                        └── evict(): none at once; the member learns it as Lost, and joins anew
//
// A membership token is good for a partition as long as its member owns it without a break since
// the token was made.
//
// Thread      Members from any thread; a Member's poll(), answer() and leave() from its worker.
// Lifetime    a Member is left by leave() before its waker ends.
//
//     PENSTOCK_TRY(member, members.join("g", topics, waker));
//     if (member->has_news()) event = members.poll(*member);
#pragma once

#include "base/error.h"
#include "flow/log.h"
#include "log/embedded/catalog.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace penstock::log {

struct MemberToken final : flow::MembershipToken {
  std::string group;
  uint64_t member = 0;
  uint64_t generation = 0;
};

class Member {
 public:
  // Cheap; false when poll() would say Idle.
  bool has_news() const { return news_.load(std::memory_order_acquire); }

 private:
  friend class Members;
  enum class Unanswered : uint8_t { nothing, assigned, revoked, lost };
  std::string group;
  uint64_t id = 0;
  flow::Waker* waker = nullptr;
  bool evicted = false;
  Unanswered unanswered = Unanswered::nothing;
  flow::PartitionSet revoked;
  flow::PartitionSet lost;
  std::atomic<bool> news_{false};
};

class Members {
 public:
  using Event = std::variant<flow::Idle, flow::Assigned, flow::Revoked, flow::Lost>;

  // L007 when the group's members read other topics.
  Result<std::shared_ptr<Member>> join(const std::string& group,
                                       const std::vector<TopicPtr>& topics, flow::Waker& waker);
  Event poll(Member& member);
  void answer(Member& member);
  void leave(Member& member);
  void evict(Member& member);
  // Whether the token's member has owned all of these since the token was made.
  bool holds(const MemberToken& token, const flow::PartitionSet& partitions) const;
  uint32_t count(std::string_view group) const;
  std::vector<std::string> groups() const;

 private:
  struct Slot {
    Partition partition;
    Member* owner = nullptr;
    Member* target = nullptr;
    uint64_t since = 0;  // generation in which `owner` got it
  };
  struct Group {
    std::vector<std::string> topics;
    std::vector<Slot> slots;
    std::vector<std::shared_ptr<Member>> members;  // by id
    uint64_t generation = 0;
  };
  void add(Group& group, std::shared_ptr<Member> member);
  void remove(Group& group, Member& member);
  static void rebalance(Group& group);
  static void tell(Group& group);
  flow::Membership token(const Group& group, const Member& member) const;

  mutable std::mutex mutex_;
  std::map<std::string, Group, std::less<>> groups_;
  std::vector<std::shared_ptr<Member>> lost_;  // evicted, not yet joined again
  uint64_t next_member_ = 1;
};

}  // namespace penstock::log
