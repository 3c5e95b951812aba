// planted.h — bugs put in on purpose, for the simulator to find. Compiled into one test binary only
// (PENSTOCK_PLANTED_BUGS); everywhere else planted() is the constant false and leaves no code.
//
// Thread      the switch is set before anything runs.
#pragma once

#include <cstdint>

namespace penstock::engine {

enum class Bug : uint8_t {
  none,
  commit_before_write,       // positions commit, and the epoch's records go with the next one
  seek_dropped_after_abort,  // the records of an aborted epoch are not read again
  position_past_handed_out,  // positions claim one record more than was handed out
  resumed_commits_old_work,  // lost partitions keep their epoch, pinned to the new membership
  dead_letter_outside,       // the dead letters of a dropped epoch are written all the same
  sent_ahead,                // the next epoch is written before the former commit is done
  unknown_as_done,           // an unknown commit is taken for a good one
  unknown_as_abort,          // an unknown commit is taken for an aborted one
  ahead_kept_after_abort,    // what was computed ahead survives the abort of the former epoch
  rejected_fates_kept,       // a row that the store refused still counts as written
  dead_after_commit,         // a store's dead letters are flushed after the commit
  state_after_commit,        // what an epoch changed in the state is written with the next one
  undo_forgotten,            // what a dropped epoch remembered stays remembered
  state_not_restored,        // a claim begins with an empty memory
  state_kept_when_lost,      // a partition that was given up keeps its memory, and has it when it
                             // comes back
  count_
};

#ifdef PENSTOCK_PLANTED_BUGS
inline Bug planted_bug = Bug::none;
inline bool planted(Bug bug) { return planted_bug == bug; }
#else
constexpr bool planted(Bug) { return false; }
#endif

}  // namespace penstock::engine
