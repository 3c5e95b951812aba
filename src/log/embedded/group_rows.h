// group_rows.h — the positions of all groups, in memory as in the folder, with the changes that the
// write under way will make of them.
//
// Thread      guarded by mutex(): the committer holds it from the first staged change until the
//             write is settled, so nobody sees what is not durable.
//
//     GroupRow& row = rows.stage(key);     // a copy to change; settle(true) makes it the row
#pragma once

#include "base/error.h"
#include "flow/log.h"
#include "log/embedded/db.h"
#include "log/embedded/records.h"

#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace penstock::log {

class GroupRows {
 public:
  Result<void> load(const Db& db);
  std::mutex& mutex() const { return mutex_; }
  // All below: with mutex() held.
  const GroupRow* find(const GroupKey& key) const;  // as staged
  GroupRow& stage(const GroupKey& key);
  // Adds the staged rows to the batch.
  void put_staged(DbBatch& batch) const;
  // The write was done, or not: staged rows become the rows, or are forgotten.
  void settle(bool done);
  std::vector<flow::GroupState> states() const;

 private:
  struct Entry {
    std::optional<GroupRow> row;
    std::optional<GroupRow> staged;
  };
  mutable std::mutex mutex_;
  std::map<GroupKey, Entry> entries_;
  std::vector<std::map<GroupKey, Entry>::iterator> staged_;
};

}  // namespace penstock::log
