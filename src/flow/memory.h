// memory.h — what remembers something of its input partitions: a step, or a whole chain of steps.
//
// The worker has two epochs: one is computed (open), one commits (closed). The open one is always
// dropped before or together with the closed one, so two levels of undoing are enough:
//
//     restore ──► records ──► close() ──► records of the next epoch ──► close() …
//                    ▲           │ settle(): the closed epoch is durable
//     undo_open() ───┘           └ undo_closed(): it was given up; undo_open() came before
//
// Thread      the worker that owns it.
// Lifetime    the bytes of what close() adds live in the arena that it was given.
// Limits      those of flow/state.h per row.
// Errors      restore(): rows that were not written by close().
//
//     PENSTOCK_TRY_VOID(memory.restore({0, 2}, rows));   // at claim: in place of what was known
//     step.apply(batch, context);                        // remembers
//     memory.close(epoch.arena, epoch.state);            // what the epoch changed
//     memory.settle();                                   // its commit was done
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "flow/positions.h"
#include "flow/state.h"

#include <string>
#include <string_view>
#include <vector>

namespace penstock::flow {

class Memory {
 public:
  virtual ~Memory() = default;
  // What state it is, for good: the same settings give the same name, others another. Text without
  // '/'; part of the rows' keys in the log.
  virtual std::string_view name() const = 0;
  // What the partition's memory was as of these rows, instead of what is known of it.
  virtual Result<void> restore(Partition partition, const StateRows& rows) = 0;
  // The partition is not ours any more. Nothing open or closed stems from it.
  virtual void forget(Partition partition) = 0;
  // The open epoch is over: adds its changes, for each partition that it touched.
  virtual void close(Arena& arena, std::vector<StateChange>& changes) = 0;
  virtual void settle() = 0;
  virtual void undo_open() = 0;
  virtual void undo_closed() = 0;
  // Of all partitions, for people: what is remembered now, and how often something had to be
  // forgotten before its time because of a limit.
  struct Size {
    uint64_t entries = 0;
    uint64_t bytes = 0;
    uint64_t early = 0;
  };
  virtual Size size() const = 0;
};

}  // namespace penstock::flow
