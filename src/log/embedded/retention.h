// retention.h — old chunks go: what is older than its topic's keep, by the records' timestamps, but
// never what a declared group has not read.
//
// Thread      run() by the committer, with the groups' mutex held; the rest from any thread.
// Limits      one run erases at most 1,024 chunks per partition.
//
//     retention.declare(specs);
//     PENSTOCK_TRY_VOID(retention.run(db, catalog, rows, clock.now()));
#pragma once

#include "base/error.h"
#include "flow/log.h"
#include "log/embedded/catalog.h"
#include "log/embedded/group_rows.h"

#include <mutex>
#include <string>
#include <vector>

namespace penstock::log {

// Records that would be gone by now, but for a group that lags.
struct RetentionWarning {
  std::string topic;
  int32_t partition = 0;
  std::string group;
  Offset next;  // of the group
};

class Retention {
 public:
  void declare(std::vector<flow::SourceSpec> groups);
  Result<void> run(Db& db, Catalog& catalog, const GroupRows& rows, Millis now);
  // As of the last run.
  std::vector<RetentionWarning> warnings() const;

 private:
  struct Bound {
    Offset offset;  // nothing from here on may go
    std::string group;
  };
  Bound bound(const Topic& topic, int32_t partition, const GroupRows& rows) const;
  Result<void> trim(Db& db, Topic& topic, int32_t partition, const Bound& bound, Millis oldest);

  mutable std::mutex mutex_;
  std::vector<flow::SourceSpec> groups_;
  std::vector<RetentionWarning> warnings_;
};

}  // namespace penstock::log
