#include "log/embedded/members.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::log {

Result<std::shared_ptr<Member>> Members::join(const std::string& name,
                                              const std::vector<TopicPtr>& topics,
                                              flow::Waker& waker) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const TopicPtr& topic : topics) names.push_back(topic->name);
  Group& group = groups_[name];
  if (!group.members.empty() && group.topics != names) {
    return fail("L007"_code, fmt::format("group \"{}\" has members that read other topics", name));
  }
  if (group.members.empty()) {
    group.topics = std::move(names);
    group.slots.clear();
    for (uint32_t t = 0; t < topics.size(); ++t) {
      for (int32_t p = 0; p < topics[t]->partitions(); ++p) group.slots.push_back({{t, p}});
    }
  }
  auto member = std::make_shared<Member>();
  member->group = name;
  member->waker = &waker;
  add(group, member);
  return member;
}

void Members::add(Group& group, std::shared_ptr<Member> member) {
  member->id = next_member_++;
  group.members.push_back(std::move(member));
  rebalance(group);
}

void Members::remove(Group& group, Member& member) {
  std::erase_if(group.members, [&](const auto& m) { return m.get() == &member; });
  for (Slot& slot : group.slots) {
    if (slot.owner == &member) slot.owner = nullptr;
    if (slot.target == &member) slot.target = nullptr;
  }
  rebalance(group);
}

// Gives every slot a target: each member keeps its own up to its share, the rest fills up.
void Members::rebalance(Group& group) {
  ++group.generation;
  if (group.members.empty()) return;
  struct Share {
    Member* member;
    size_t owned;
    size_t room;
  };
  std::vector<Share> shares;
  for (const auto& member : group.members) {
    const auto owned = std::count_if(group.slots.begin(), group.slots.end(),
                                     [&](const Slot& s) { return s.owner == member.get(); });
    shares.push_back({member.get(), static_cast<size_t>(owned), 0});
  }
  // Who owns most gets the odd partition: nothing moves without need.
  std::ranges::stable_sort(shares, std::greater(), &Share::owned);
  const size_t base = group.slots.size() / shares.size();
  size_t odd = group.slots.size() % shares.size();
  for (Share& share : shares) share.room = base + (odd > 0 ? (--odd, 1) : 0);
  for (Slot& slot : group.slots) {
    const auto share = std::ranges::find(shares, slot.owner, &Share::member);
    const bool keeps = share != shares.end() && share->room > 0;
    slot.target = keeps ? slot.owner : nullptr;
    if (keeps) --share->room;
  }
  auto share = shares.begin();
  for (Slot& slot : group.slots) {
    if (slot.target != nullptr) continue;
    while (share->room == 0) ++share;
    slot.target = share->member;
    --share->room;
  }
  tell(group);
}

void Members::tell(Group& group) {
  for (const auto& member : group.members) {
    member->news_.store(true, std::memory_order_release);
    member->waker->wake();
  }
}

flow::Membership Members::token(const Group& group, const Member& member) const {
  auto token = std::make_shared<MemberToken>();
  token->group = member.group;
  token->member = member.id;
  token->generation = group.generation;
  return token;
}

Members::Event Members::poll(Member& member) {
  const std::lock_guard lock(mutex_);
  if (member.unanswered != Member::Unanswered::nothing) return flow::Idle{};
  Group& group = groups_.find(member.group)->second;
  if (member.evicted) {
    member.unanswered = Member::Unanswered::lost;
    return flow::Lost{member.lost};
  }
  flow::PartitionSet leaving, coming;
  for (const Slot& slot : group.slots) {
    if (slot.owner == &member && slot.target != &member) leaving.push_back(slot.partition);
  }
  if (!leaving.empty()) {
    member.unanswered = Member::Unanswered::revoked;
    member.revoked = leaving;
    return flow::Revoked{std::move(leaving), token(group, member)};
  }
  for (Slot& slot : group.slots) {
    if (slot.owner != nullptr || slot.target != &member) continue;
    slot.owner = &member;
    slot.since = group.generation;
    coming.push_back(slot.partition);
  }
  if (!coming.empty()) {
    member.unanswered = Member::Unanswered::assigned;
    return flow::Assigned{std::move(coming), token(group, member)};
  }
  member.news_.store(false, std::memory_order_release);
  return flow::Idle{};
}

void Members::answer(Member& member) {
  const std::lock_guard lock(mutex_);
  Group& group = groups_.find(member.group)->second;
  const auto answered = std::exchange(member.unanswered, Member::Unanswered::nothing);
  member.news_.store(true, std::memory_order_release);
  if (answered == Member::Unanswered::revoked) {
    for (Slot& slot : group.slots) {
      const bool left = std::ranges::binary_search(member.revoked, slot.partition);
      if (left && slot.owner == &member) slot.owner = nullptr;
    }
    member.revoked.clear();
    tell(group);
  } else if (answered == Member::Unanswered::lost) {
    member.evicted = false;
    member.lost.clear();
    auto self =
        std::find_if(lost_.begin(), lost_.end(), [&](const auto& m) { return m.get() == &member; });
    PENSTOCK_CHECK(self != lost_.end());
    auto again = std::move(*self);
    lost_.erase(self);
    add(group, std::move(again));
  }
}

void Members::leave(Member& member) {
  const std::lock_guard lock(mutex_);
  Group& group = groups_.find(member.group)->second;
  std::erase_if(lost_, [&](const auto& m) { return m.get() == &member; });
  remove(group, member);
}

void Members::evict(Member& member) {
  const std::lock_guard lock(mutex_);
  Group& group = groups_.find(member.group)->second;
  const auto self = std::find_if(group.members.begin(), group.members.end(),
                                 [&](const auto& m) { return m.get() == &member; });
  if (self == group.members.end()) return;
  lost_.push_back(*self);
  for (const Slot& slot : group.slots) {
    if (slot.owner == &member) member.lost.push_back(slot.partition);
  }
  member.evicted = true;
  member.news_.store(true, std::memory_order_release);
  remove(group, member);
  member.waker->wake();
}

bool Members::holds(const MemberToken& token, const flow::PartitionSet& partitions) const {
  const std::lock_guard lock(mutex_);
  const auto group = groups_.find(token.group);
  if (group == groups_.end()) return false;
  return std::ranges::all_of(partitions, [&](Partition partition) {
    const auto slot = std::ranges::find(group->second.slots, partition, &Slot::partition);
    return slot != group->second.slots.end() && slot->owner != nullptr &&
           slot->owner->id == token.member && slot->since <= token.generation;
  });
}

uint32_t Members::count(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto group = groups_.find(name);
  return group == groups_.end() ? 0 : static_cast<uint32_t>(group->second.members.size());
}

std::vector<std::string> Members::groups() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, group] : groups_) {
    if (!group.members.empty()) names.push_back(name);
  }
  return names;
}

}  // namespace penstock::log
