// epoch.h — the unit of exactly-once while it is in memory: the positions read and everything
// derived from them.
//
// A worker owns two and uses them in turns: one commits while the next is computed. A Processor
// adds to one; the worker writes it to the sink, commits it and clears it, or drops it whole.
//
// Thread      the worker that owns it.
// Lifetime    memory stays until clear(): after a commit that is done, after the end of an abort,
//             or, when the end is unknown, after the sink was destroyed. clear() keeps blocks and
//             buffers, so that a steady state allocates nothing per record.
// Limits      an encoded batch is about kBatchBytes, or one record that is larger; a partition of
//             an output has as many as it takes.
//
//     epoch.records(0, 3).append({.key = "m1", .value = datum, .timestamp = 5, .has_key = true});
//     epoch.fates({0, 2}).in += 1;
#pragma once

#include "base/arena.h"
#include "base/units.h"
#include "flow/log.h"
#include "flow/positions.h"
#include "flow/store.h"
#include "flow/table.h"
#include "row/raw_batch.h"
#include "wire/record_batch.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace penstock::engine {

// A builder beyond it is set aside and another taken: none grows by copying what it holds, and
// blocks of one size serve every partition in turns.
inline constexpr size_t kBatchBytes = 252 << 10;

class Epoch {
 public:
  // ---- for the processor -------------------------------------------------------------------

  // What lives as long as the epoch: rows of a store with their strings.
  Arena arena;
  // One consistent version per table, held until the epoch ends.
  std::vector<std::shared_ptr<const flow::TableVersion>> tables;
  // Rows for a stage that ends in a store; columns, ids and bytes in `arena` (or in a held batch).
  std::vector<flow::StoreRows> rows;
  // What the stage remembers, changed by this epoch; bytes in `arena`. Filled when it is closed.
  std::vector<flow::StateChange> state;

  // Records of one partition of an output, for one append(); outputs count through
  // WorkerSpec::outputs. In a stage that ends in a store these are appended (dead letters) before
  // the commit.
  wire::RecordsBuilder& records(uint32_t output, int32_t partition) {
    wire::RecordsBuilder& open = outputs_[output][static_cast<size_t>(partition)];
    if (open.bytes().size() >= kBatchBytes) [[unlikely]]
      set_aside(output, partition);
    return open;
  }
  // Partitions of an output topic.
  int32_t partitions(uint32_t output) const {
    return static_cast<int32_t>(outputs_[output].size());
  }
  // The largest record that an output takes, as wire::lone_batch_bytes() counts it.
  uint64_t record_bytes_max(uint32_t output) const {
    return output < record_bytes_max_.size() ? record_bytes_max_[output] : UINT64_MAX;
  }
  // A record that can go nowhere: not on, and not into the dead letters. Nothing of the epoch is
  // committed then.
  struct Stuck {
    flow::RowId row;
    Error error;
    bool for_good = false;  // there are no dead letters: the worker fails
  };
  std::optional<Stuck> stuck;
  // What became of an input partition's records within this epoch (the worker adds what was
  // before). The reference stays valid until the next call.
  flow::Fates& fates(Partition partition);
  // Keeps a batch and its memory for as long as the epoch: stages that end in a store need the
  // original bytes of rows that the store may refuse.
  void hold(row::RawBatch&& batch);
  // The record of a held batch; nullptr when there is none.
  const row::RawRecord* original(flow::RowId id) const;

  // ---- for the worker ----------------------------------------------------------------------

  struct Moved {
    Partition partition;
    flow::Fates fates;  // of this epoch only
    Offset next;        // set when the epoch is closed
    bool fates_used = false;
  };

  // Once, when the outputs' partitions are known (and again when they changed); the epoch must be
  // empty.
  void set_outputs(std::span<const int32_t> partitions);
  // Of each output; without them there is no limit.
  void set_record_bytes_max(std::vector<uint64_t> bytes) { record_bytes_max_ = std::move(bytes); }
  // Empty again; memory is kept.
  void clear();

  std::span<Moved> moved() { return moved_; }
  Moved& moved_of(Partition partition);
  // Records handed in, and how many of them became dead letters.
  uint64_t in() const;
  uint64_t dead() const;
  uint64_t row_count() const;
  // Encoded records and held batches.
  uint64_t bytes() const;
  // Appends what records() collected, each partition's in order; views into this epoch.
  void take_encoded(std::vector<flow::EncodedBatch>& out);
  // True when take_encoded() would give nothing.
  bool nothing_encoded() const;
  // Forgets encoded records that were appended (dead letters of a store's stage).
  void clear_encoded();

  flow::Membership membership;  // pinned at the first record
  Millis started;               // when the first record came; meaningless while empty
  bool begun = false;           // a batch was put in
  bool closed = false;          // positions are taken; nothing more is put in

 private:
  struct Full {
    uint32_t output;
    int32_t partition;
    wire::RecordsBuilder records;
  };
  void set_aside(uint32_t output, int32_t partition);

  std::vector<std::vector<wire::RecordsBuilder>> outputs_;
  std::vector<uint64_t> record_bytes_max_;
  std::vector<Full> full_;  // in the order in which they were set aside
  uint64_t full_bytes_ = 0;
  std::vector<wire::RecordsBuilder> spare_;  // empty, their memory kept
  std::vector<Moved> moved_;                 // ascending by partition
  std::vector<row::RawBatch> held_;
  uint64_t held_bytes_ = 0;
};

}  // namespace penstock::engine
