#include "log/embedded/group_rows.h"

#include <utility>

namespace penstock::log {

Result<void> GroupRows::load(const Db& db) {
  auto cursor = db.cursor(Family::groups);
  for (cursor->seek(""); cursor->valid(); cursor->next()) {
    GroupKey key;
    GroupRow row;
    if (!parse_group(cursor->key(), cursor->value(), key, row)) {
      return fail("L001"_code, "the data folder is damaged: a group's position cannot be read");
    }
    entries_[std::move(key)].row = std::move(row);
  }
  return cursor->status();
}

const GroupRow* GroupRows::find(const GroupKey& key) const {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return nullptr;
  const Entry& entry = it->second;
  if (entry.staged) return &*entry.staged;
  return entry.row ? &*entry.row : nullptr;
}

GroupRow& GroupRows::stage(const GroupKey& key) {
  const auto it = entries_.try_emplace(key).first;
  Entry& entry = it->second;
  if (!entry.staged) {
    entry.staged = entry.row ? *entry.row : GroupRow{};
    staged_.push_back(it);
  }
  return *entry.staged;
}

void GroupRows::put_staged(DbBatch& batch) const {
  for (const auto& it : staged_) {
    batch.put(Family::groups, group_key(it->first), group_value(*it->second.staged));
  }
}

void GroupRows::settle(bool done) {
  for (const auto& it : staged_) {
    if (done) it->second.row = std::move(it->second.staged);
    it->second.staged.reset();
    if (!it->second.row) entries_.erase(it);
  }
  staged_.clear();
}

std::vector<flow::GroupState> GroupRows::states() const {
  std::vector<flow::GroupState> states;
  for (const auto& [key, entry] : entries_) {
    if (!entry.row) continue;
    if (states.empty() || states.back().name != key.group) states.push_back({key.group, {}, 0});
    states.back().positions.push_back(
        {entry.row->topic, key.partition, entry.row->next, entry.row->fates});
  }
  return states;
}

}  // namespace penstock::log
