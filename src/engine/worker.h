// worker.h — one worker of a stage: a source, a processor, a committing sink, as a state machine.
//
//  claim ──► run ──► committing ──► run …   done: next epoch
//            ▲          │ retry: the same call again, after a pause
//            │          ├ rejected: rows become dead letters, fates are corrected, commit again
//            │          ├ abort: drop the epoch and what was computed ahead, seek back
//            ├──────────┤ stuck (a record fits no topic): alone in its epoch first, then hold
//            └──────────┤ unknown, fenced: a new sink, claim again, go on from what it returns
//                       └ fatal: stop; the process is to be restarted
//  revoked: commit what is open (or drop it after revoke_patience), then release and answer
//  lost:    never commit: drop what is open, give up, answer
//
// Two epochs: while one commits, the next is computed; nothing of it is given to the sink before
// the former is done. An epoch remembers the membership of its first record; it is pinned anew only
// by an Assigned or Revoked event that this worker serves.
//
// Thread      one owner. turn() never blocks, sleeps or reads a clock; it is to be called again at
//             the time it returns, or when the Waker of its source and sink was called.
// Lifetime    logs, stores and processor outlive the worker. Destroying it without draining is a
//             crash: what is not committed will be read again.
// Limits      two epochs of WorkerSpec::limits; a batch more than the limit at most.
// Errors      outages are waited out with growing pauses; status().error says what it waits for.
//
//     Worker worker(spec, std::move(ends), processor);
//     while (worker.state() != WorkerState::drained) sleep_until(worker.turn(clock.now()));
#pragma once

#include "base/error.h"
#include "base/units.h"
#include "engine/dead_gate.h"
#include "engine/epoch.h"
#include "engine/processor.h"
#include "engine/rate_gate.h"
#include "flow/log.h"
#include "flow/store.h"

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace penstock::engine {

struct WorkerLimits {
  uint64_t epoch_rows = 10'000;  // records read
  uint64_t epoch_bytes = 8 << 20;
  int64_t epoch_millis = 100;
  int64_t idle_millis = 10;   // an idle source commits what it has after this long
  int64_t retry_millis = 10;  // first pause after an outage; doubles up to retry_millis_max
  int64_t retry_millis_max = 2'000;
  int64_t refused_millis = 10'000;  // pause after a claim that was refused (rights, settings)
  int64_t revoke_patience_millis = 3'000;  // how long a revocation may wait for a commit
  uint64_t records_per_second = 0;         // that are read at most; 0: as many as there are
  flow::PollLimits poll = {};
};

struct WorkerSpec {
  std::string stage;                 // id, for people
  std::vector<std::string> outputs;  // topics, dead letters included; Epoch::records counts so
  std::string store;                 // how rows count in Fates::out; empty for a log's stage
  WorkerLimits limits;
  StopAbove stop_above;
};

// What a worker owns. Exactly one of the two sinks; an appender (over WorkerSpec::outputs) when
// there are outputs and a store.
struct WorkerEnds {
  std::unique_ptr<flow::Source> source;
  std::function<Result<std::unique_ptr<flow::LogSink>>()> open_log_sink;
  std::function<Result<std::unique_ptr<flow::StoreSink>>()> open_store_sink;
  std::unique_ptr<flow::Appender> appender;
};

enum class WorkerState : uint8_t {
  unassigned,  // no partition is ours
  claiming,    // partitions are ours, but not their positions yet
  running,
  waiting,  // an outage, a schema that cannot be had, or a damaged partition (the others go on);
            // status().error says which
  stopped,  // too many dead letters (StopAbove); until resume() or a restart
  drained,
  failed,  // status().error says why; only a new process helps
};
std::string_view to_text(WorkerState state);

// How long things took, in buckets.
struct DurationCounts {
  static constexpr std::array<int64_t, 12> kBoundsMillis = {2,   5,   10,   25,   50,   100,
                                                            250, 500, 1000, 2500, 5000, 10'000};
  std::array<uint64_t, kBoundsMillis.size() + 1> counts{};
  int64_t sum_millis = 0;
  void add(int64_t millis);
};

struct WorkerCounters {
  uint64_t records = 0;  // handed to the processor, replays included
  uint64_t dead = 0;     // likewise
  uint64_t epochs = 0;   // committed
  uint64_t committed_records = 0;
  uint64_t dropped_epochs = 0;  // that held records
  uint64_t retries = 0, aborts = 0, unknowns = 0, fenced = 0, rejected_rows = 0;
  uint64_t revocations = 0, losses = 0, claims = 0, outages = 0;
  DurationCounts commit_durations;  // from an epoch's end to its commit's answer
};

class Worker {
 public:
  struct OwnedPartition {
    Partition partition;
    Term term;
    Offset durable;     // last stored by the sink: what the next commit compares with
    Offset next;        // up to here epochs were closed
    Offset group_next;  // what the group of a store's stage was told
    flow::Fates fates;  // cumulative, up to `durable`
    bool claimed = false;
    bool announce = false;        // a first start: commit once, also without a move
    std::optional<Error> damage;  // it stands still before something unreadable
  };
  struct Status {
    WorkerState state;
    std::optional<Error> error;  // the last thing that went wrong and still matters
    std::span<const OwnedPartition> owned;
    bool refused = false;  // reading, or the last claim, was for good reasons: settings, rights
    bool ever_claimed = false;
    bool ever_assigned = false;  // be it of nothing: there may be more workers than partitions
    std::optional<flow::RowId> stuck;  // the record that can go nowhere, before which it stands
  };

  Worker(WorkerSpec spec, WorkerEnds ends, Processor& processor);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Does what can be done now. Returns when to come again at the latest; `now` when at once.
  Millis turn(Millis now);
  // Commit what is open, take nothing more, leave the group. Then state() is `drained`.
  void request_drain() { draining_ = true; }
  // Goes on after StopAbove.
  void resume();

  WorkerState state() const;
  Status status() const;
  const WorkerCounters& counters() const { return counters_; }
  // Everything that the source has is committed, nothing is open. True also for a worker that owns
  // nothing: whether a stage is idle is for the group's lag to say as well.
  bool idle() const;
  // What the stage remembers of its partitions.
  flow::Memory::Size remembered() const;
  // Records read and not committed yet.
  uint64_t open_records() const { return epochs_[0].in() + epochs_[1].in(); }
  const WorkerSpec& spec() const { return spec_; }

 private:
  enum class Phase : uint8_t { ready, claiming, appending, committing, aborting };
  enum class Rebalance : uint8_t { none, assigned, revoked, lost };
  // Polled, but a schema is not known yet: its partition is held, the others go on.
  struct Blocked {
    row::RawBatch batch;
    std::optional<Error> why;  // none while the schema is just on its way
  };

  // worker.cc: the source's side
  bool intake();
  bool poll_source();
  void stand_still(Partition partition, Error error);
  const Error* damage() const;
  const Error* missing_schema() const;
  const Blocked* blocked_of(Partition partition) const;
  bool take_batch(row::RawBatch&& batch);
  bool compute(row::RawBatch& batch);
  void block(row::RawBatch&& batch);
  bool try_blocked();
  void serve(Rebalance kind, flow::PartitionSet partitions, flow::Membership membership);
  bool settle_rebalance();
  void leave_partitions();
  void add_partitions();
  bool close_when_due();
  bool due() const;
  bool moved_while_idle() const;
  void close_open();
  Offset position_of(const OwnedPartition& owned) const;
  bool finish_drain();
  void update_pause();
  bool wants_data() const;
  bool open_is_full() const;
  Millis deadline() const;
  bool nothing_left() const;
  bool leaving(Partition partition) const;
  OwnedPartition* find(Partition partition);
  void pin(const flow::Membership& membership);

  // worker_sink.cc: the sink's side
  bool step_sink();
  bool start_next();
  bool open_sink();
  bool begin_claim();
  bool has_unclaimed() const;
  void on_claimed(flow::Claimed&& claimed);
  void adopt(flow::Owned&& got);
  bool restore(flow::Claimed& claimed);
  void close_memory(Epoch& epoch);
  void on_claim_failed(flow::ClaimFailed&& failed);
  bool flush();
  bool write_flying();
  flow::WriteAnswer write_state();
  void begin_commit();
  flow::Commit commit_of(Epoch& epoch, bool cumulative);
  void on_append_ended(flow::Ended&& ended);
  void on_ended(flow::Ended&& ended);
  void on_done(const flow::Positions& durable);
  void on_rejected(std::vector<flow::RejectedRow>&& rows);
  void abort_flying();
  void on_aborted();
  void start_over(Error error, int64_t pause_millis);
  void group_only();
  void announce_claim(const flow::Claimed& claimed);
  void tell_group_again();
  bool give_up_flying();
  bool give_up_stuck();
  void learn_outputs();
  void drop_open();
  void drop(Epoch& epoch);
  void seek_back();
  void wait(Error error, int64_t at_least_millis = 0);
  void went_well();
  Epoch& open() { return epochs_[open_]; }
  const Epoch& open() const { return epochs_[open_]; }

  WorkerSpec spec_;
  WorkerEnds ends_;
  Processor& processor_;
  flow::Memory* memory_;  // the processor's, or null
  DeadGate gate_;
  RateGate rate_;
  WorkerCounters counters_;

  std::unique_ptr<flow::LogSink> log_sink_;      // one of the two, or none while it is
  std::unique_ptr<flow::StoreSink> store_sink_;  // to be opened again
  flow::Sink* sink_ = nullptr;

  std::vector<OwnedPartition> owned_;  // ascending
  flow::Membership membership_;        // of the last event served
  std::vector<int32_t> output_partitions_;
  std::vector<uint64_t> output_record_bytes_max_;

  Epoch epochs_[2];
  uint32_t open_ = 0;             // the one that records go to
  Epoch* flying_ = nullptr;       // the closed one, until its commit is over
  bool written_ = false;          // flying_ was given to the sink
  std::vector<Blocked> blocked_;  // one of a partition at most
  bool tried_blocked_ = false;    // in this turn
  std::vector<flow::EncodedBatch> encoded_;

  Phase phase_ = Phase::ready;
  Rebalance rebalance_ = Rebalance::none;
  flow::PartitionSet rebalance_partitions_;
  Millis rebalance_since_;

  Millis now_;
  Millis retry_at_;           // nothing is begun at the sink before
  Millis poll_at_;            // the source is not polled before
  int64_t pause_millis_ = 0;  // the last pause
  Millis idle_since_ = kNever;
  uint64_t rows_limit_;  // of the next epochs; smaller after `full`
  bool source_paused_ = false;
  bool draining_ = false;
  bool drained_ = false;
  bool failed_ = false;
  bool refused_ = false;
  bool ever_claimed_ = false;
  bool ever_assigned_ = false;
  Millis flying_since_;  // when flying_ was closed
  std::optional<Error> error_;
  std::optional<flow::RowId> stuck_;  // until something is committed
  bool refused_before_ = false;       // the last commit was, too
#ifdef PENSTOCK_PLANTED_BUGS
  std::vector<flow::EncodedBatch> escaped_;  // dead letters of dropped epochs
  std::list<std::string> escaped_bytes_;
  struct LateState {
    flow::StateChange change;
    std::string key, value;
  };
  std::vector<LateState> late_state_, next_late_state_;
  std::set<Partition> restored_;
#endif
};

}  // namespace penstock::engine
