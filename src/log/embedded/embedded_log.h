// embedded_log.h — a log in a folder of this machine: topics, groups and schemas in RocksDB.
//
// Durable against power loss by default: a commit is answered when it is synced. Groups live in
// this process; their positions live in the folder. The folder has one owner (folder_lock.h), or
// readers when nobody owns it.
//
// Thread      as flow::Log has it.
// Lifetime    everything that it made is destroyed before it.
// Limits      see db.h (memory), embedded_sink.h (epochs), catalog.h (topics).
// Errors      L001 the folder; L002 it has an owner; L003 a damaged chunk; L004 no such topic;
//             L005 writing or reading failed; L006 a topic that cannot be; L007 members of one
//             group that read other topics; L008 fenced; L009 read-only; L010 the write-ahead log
//             is damaged in its middle; L011 records are missing.
//
//     PENSTOCK_TRY(log, log::open_embedded_log({.folder = ".penstock/log", .clock = &clock}));
//     PENSTOCK_TRY(made, log->create_missing(topics));
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "flow/log.h"
#include "log/embedded/committer.h"
#include "log/embedded/folder_lock.h"
#include "log/embedded/retention.h"

#include <memory>
#include <string>
#include <vector>

namespace penstock::log {

struct EmbeddedOptions {
  std::string folder;
  bool read_only = false;        // looks; changes nothing, and owns nothing
  std::string socket_path = {};  // of the owner's control socket, for folder_owner()
  const Clock* clock = nullptr;  // null: retention runs only by retain()
  int64_t retention_every_millis = 10'000;
  bool sync = true;          // false: benchmarks only; kill -9 loses nothing, a power cut may
  Failpoint failpoint = {};  // tests only
};

// What the embedded log can do beyond flow::Log.
class EmbeddedLog : public flow::Log {
 public:
  // Runs retention once, with this time as now; done when it returns.
  virtual void retain(Millis now) = 0;
  // Records that are kept only because a declared group has not read them.
  virtual std::vector<RetentionWarning> warnings() const = 0;
  // The topic is gone; made again it has another lineage.
  virtual Result<void> remove_topic(std::string_view name) = 0;
  // For tests: the group takes the source's member for dead.
  virtual void evict(flow::Source& source) = 0;
};

Result<std::unique_ptr<EmbeddedLog>> open_embedded_log(const EmbeddedOptions& options);

}  // namespace penstock::log
