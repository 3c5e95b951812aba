#include "log/memory/group.h"

#include "base/check.h"

#include <algorithm>

namespace penstock::log {
namespace {

bool contains(const flow::PartitionSet& set, Partition partition) {
  return std::binary_search(set.begin(), set.end(), partition);
}

}  // namespace

uint64_t Group::join(std::string member, std::vector<std::string> topics,
                     flow::PartitionSet partitions) {
  partitions_ = std::move(partitions);
  auto joined = std::make_unique<Member>();
  joined->id = ++ids_;
  joined->name = std::move(member);
  joined->topics = std::move(topics);
  joined->seen = now_;
  members_.push_back(std::move(joined));
  rebalance();
  return ids_;
}

void Group::leave(uint64_t member) {
  if (std::erase_if(members_, [&](const auto& m) { return m->id == member; }) > 0) rebalance();
}

// Everybody keeps what it has, up to its share; what is over goes to those who have too little.
void Group::rebalance() {
  ++generation_;
  if (members_.empty()) return;
  std::vector<Member*> by_owned;
  for (const auto& m : members_) by_owned.push_back(m.get());
  std::stable_sort(by_owned.begin(), by_owned.end(), [](const Member* a, const Member* b) {
    return a->owned.size() > b->owned.size();
  });
  const size_t share = partitions_.size() / members_.size();
  const size_t over = partitions_.size() % members_.size();
  std::vector<size_t> quotas;
  flow::PartitionSet taken;
  for (size_t i = 0; i < by_owned.size(); ++i) {
    Member& m = *by_owned[i];
    quotas.push_back(share + (i < over ? 1 : 0));
    m.target = m.owned;
    std::erase_if(m.target, [&](Partition p) { return contains(m.leaving, p); });
    if (m.target.size() > quotas[i]) m.target.resize(quotas[i]);
    taken.insert(taken.end(), m.target.begin(), m.target.end());
  }
  std::sort(taken.begin(), taken.end());
  size_t to = 0;
  for (const Partition partition : partitions_) {
    if (contains(taken, partition)) continue;
    while (by_owned[to]->target.size() >= quotas[to]) ++to;
    by_owned[to]->target.push_back(partition);
  }
  for (const auto& m : members_) std::sort(m->target.begin(), m->target.end());
}

bool Group::is_free(Partition partition) const {
  return std::none_of(members_.begin(), members_.end(),
                      [&](const auto& m) { return contains(m->owned, partition); });
}

flow::Membership Group::membership_of(const Member& member) const {
  auto token = std::make_shared<MemoryMembership>();
  token->group = name_;
  token->member = member.id;
  token->generation = generation_;
  return token;
}

flow::SourceEvent Group::next_event(uint64_t member) {
  Member* m = find(member);
  if (m == nullptr) return flow::Lost{};
  m->seen = now_;
  if (m->unanswered) return flow::Idle{};
  flow::PartitionSet gone, come;
  for (const Partition p : m->owned) {
    if (!contains(m->target, p)) gone.push_back(p);
  }
  for (const Partition p : m->target) {
    if (!contains(m->owned, p) && is_free(p)) come.push_back(p);
  }
  if (gone.empty() && come.empty() && m->told == generation_) return flow::Idle{};
  m->unanswered = true;
  m->told = generation_;
  if (!gone.empty()) {
    m->leaving = gone;
    return flow::Revoked{std::move(gone), membership_of(*m)};
  }
  m->owned.insert(m->owned.end(), come.begin(), come.end());
  std::sort(m->owned.begin(), m->owned.end());
  return flow::Assigned{std::move(come), membership_of(*m)};
}

void Group::answer(uint64_t member) {
  Member* m = find(member);
  if (m == nullptr || !m->unanswered) return;
  m->unanswered = false;
  if (m->leaving.empty()) return;
  std::erase_if(m->owned, [&](Partition p) { return contains(m->leaving, p); });
  m->leaving.clear();
  rebalance();
}

bool Group::owns(uint64_t member, Partition partition) const {
  const Member* m = find(member);
  return m != nullptr && contains(m->owned, partition);
}

bool Group::unanswered(uint64_t member) const {
  const Member* m = find(member);
  return m != nullptr && m->unanswered;
}

bool Group::accepts(const flow::Membership& membership) const {
  const auto* token = static_cast<const MemoryMembership*>(membership.get());
  return token != nullptr && token->group == name_ && token->generation == generation_ &&
         has(token->member);
}

void Group::advance(Millis now, int64_t session_millis) {
  now_ = now;
  const auto gone =
      std::erase_if(members_, [&](const auto& m) { return m->seen + session_millis <= now; });
  if (gone > 0) rebalance();
}

Millis Group::next_end_of_session(int64_t session_millis) const {
  Millis at = kNever;
  for (const auto& m : members_) at = std::min(at, m->seen + session_millis);
  return at;
}

void Group::alive(std::string_view member) {
  for (const auto& m : members_) {
    if (m->name == member) m->seen = now_;
  }
}

void Group::evict(std::string_view member) {
  if (std::erase_if(members_, [&](const auto& m) { return m->name == member; }) > 0) rebalance();
}

Group::Member* Group::find(uint64_t member) {
  for (const auto& m : members_) {
    if (m->id == member) return m.get();
  }
  return nullptr;
}

const Group::Member* Group::find(uint64_t member) const {
  for (const auto& m : members_) {
    if (m->id == member) return m.get();
  }
  return nullptr;
}

}  // namespace penstock::log
