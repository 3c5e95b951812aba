// sink.h — where an epoch ends.
//
// A Sink makes one epoch's outputs and the positions they were derived from durable in one atomic
// act. Everything a stage promises rests on this interface; the contract tests (log_contract.h,
// store_contract.h) run against every implementation, with a crash between any two calls.
//
// Thread      one owner; all calls from the worker that owns it. Nothing here blocks: what has to
// wait is begun, and
//             poll() reports its end; the Waker given at birth says when polling is worth while.
// Lifetime    bytes handed to write() stay valid until poll() reports `done`, or the end of an
// abort; after `unknown` until
//             the sink is destroyed. A `retry` still needs them.
// Limits      one operation in flight; write() for the next epoch only after the former is `done`
// or aborted.
//
//     sink.begin_claim(partitions, membership);            // fences older owners
//     ...                                                  // poll() -> Claimed{owned}
//     for (auto& o : claimed.owned) source.start(o.partition, o.next);
//     sink.write(batch);                                   // LogSink or StoreSink
//     sink.begin_commit({...});
//     ...                                                  // poll() -> Ended{CommitEnd::done,
//     durable}
#pragma once

#include "base/error.h"
#include "base/units.h"
#include "flow/positions.h"
#include "flow/state.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace penstock::flow {

// Which member of which generation of a group a source is: opaque to all but the log that made it.
// An epoch remembers the membership of its first record; it is replaced only inside a rebalance
// event served by the worker that is not `lost`.
struct MembershipToken {
  virtual ~MembershipToken() = default;
};
using Membership = std::shared_ptr<const MembershipToken>;

// How a partition's position was found at claim.
enum class Start : uint8_t {
  resumed,   // the sink (or group) had a position
  first,     // nobody ever committed: from earliest
  restored,  // the group had forgotten it; the own copy was taken
};

struct Owned {
  Partition partition;
  Term term;
  Offset next;  // authoritative; wins over any offset that the log remembers
  Fates fates;  // cumulative up to `next`
  Start start = Start::resumed;
  StateRows state;  // of a stateful log sink: as of `next`
};
struct Claimed {
  std::vector<Owned> owned;
};

struct PartitionCommit {
  Partition partition;
  Term term;
  Offset from;  // the last durable position: what the compare-and-swap compares with
  Offset next;  // exactly what was handed out, and then some markers
  Fates fates;  // cumulative, up to `next`
};
struct Commit {
  std::vector<PartitionCommit> partitions;  // only those that moved
  Membership membership;  // of the epoch's first record; null for sources without a group
};

// How a commit ended, and whose turn it is. `rejected` keeps the epoch's other rows: the next
// begin_commit() writes them without those. `done` lists in `durable` every partition that moved.
enum class CommitEnd : uint8_t {
  done,      // durable, visible to readers, never to be repeated
  retry,     // nothing happened; the same begin_commit() may be called again
  abort,     // nothing of it will ever be visible: drop the epoch, begin_abort(), seek to the last
             // committed positions
  rejected,  // the store refused some rows: make them dead letters, correct the fates, commit again
  unknown,  // may or may not be durable: a new sink, claim again, go on from what it returns; never
            // assume
  fenced,   // somebody newer owns (some of) it: nothing was written; drop the epoch, give the
            // partitions up
  fatal,    // this process can not go on: drain, exit, let the supervisor restart it
};

// A row of the epoch by where it came from.
struct RowId {
  Partition partition;
  Offset offset;
  auto operator<=>(const RowId&) const = default;
};
struct RejectedRow {
  RowId row;
  std::string reason;  // short and stable: "store.not_null"
  std::string detail;
};

struct Waiting {
  std::optional<Error> why = {};  // what stands in the way, where it is no matter of moments
};
struct Ended {
  CommitEnd end;
  Positions durable;  // with done: what is durable now; a store may have moved only some partitions
  std::vector<RejectedRow> rejected;  // with rejected
  Error error;                        // with anything but done: what is known of the cause
  bool refused = false;               // the same again will hardly be taken: too large, forbidden
};
struct Aborted {};
struct ClaimFailed {
  Error error;
  bool retry;  // false: configuration or rights; trying again soon is pointless
};
using SinkEvent = std::variant<Waiting, Claimed, Ended, Aborted, ClaimFailed>;

enum class WriteAnswer : uint8_t {
  accepted,
  full,   // too much for one epoch; nothing of this call was taken: the epoch is aborted and made
          // again in smaller ones
  error,  // the epoch can only be aborted
};

// What every sink can do; LogSink adds write(EncodedBatch), StoreSink write(StoreRows).
class Sink {
 public:
  virtual ~Sink() = default;

  // Fences older owners of these partitions. Answered by Claimed or ClaimFailed.
  virtual void begin_claim(PartitionSet partitions, Membership membership) = 0;
  // Answered by Ended. An empty `partitions` list is not allowed.
  virtual void begin_commit(Commit commit) = 0;
  // Forgets what was written since the last commit. Answered by Aborted.
  virtual void begin_abort() = 0;
  // The state of the operation in flight; Waiting when there is none.
  virtual SinkEvent poll() = 0;
  // Gives partitions up; nothing of the open epoch may stem from them.
  virtual void release(const PartitionSet& partitions) = 0;
};

}  // namespace penstock::flow
