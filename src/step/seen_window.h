// seen_window.h — what one input partition has seen; seen.h tells the idea.
//
// Thread      the worker that owns it.
// Lifetime    close() copies into the arena it is given.
// Limits      those of seen.h.
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/units.h"
#include "flow/state.h"
#include "step/seen.h"

#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace penstock::step {

// Watermark and horizon of a partition.
struct SeenClock {
  uint64_t senders = 0;  // 0, 1, 2 = several
  uint64_t first_sender = 0;
  int64_t first_at = INT64_MIN;  // the newest of all, and whose it is
  uint64_t second_sender = 0;
  int64_t second_at = INT64_MIN;   // the newest of all others
  int64_t floor = INT64_MIN;       // the horizon is not below
  uint64_t lone_sender = 0;        // who was alone at first …
  int64_t lone_floor = INT64_MIN;  // … and its horizon then
  uint64_t early = 0;              // entries that had to go because of the limit

  void observe(uint64_t sender, int64_t at, int64_t within);
  // Behind it nothing is looked up any more.
  int64_t horizon(uint64_t sender, int64_t within) const;
  // Behind it nothing is remembered any more.
  int64_t reclaim_horizon(int64_t within) const;
  bool operator==(const SeenClock&) const = default;
};

class SeenWindow {
 public:
  explicit SeenWindow(SeenLimits limits) : limits_(limits) {}

  // Brings the place of a hash nearer, some records before see().
  void prefetch(const Hash128& hash) const {
    if (!table_.empty()) __builtin_prefetch(&table_[tag_of(hash) & (table_.size() - 1)]);
  }
  Sight see(uint64_t sender, const Hash128& hash, int64_t at);

  Result<void> restore(const flow::StateRows& rows);
  void close(Partition partition, Arena& arena, std::vector<flow::StateChange>& changes);
  void settle();
  void undo_open();
  void undo_closed();

  uint64_t entries() const { return tail_ - front_; }
  uint64_t bytes() const;
  const SeenClock& clock() const { return clock_; }

 private:
  struct Entry {
    Hash128 hash;
    int64_t at;
  };
  static_assert(sizeof(Entry) == kSeenEntryBytes && std::endian::native == std::endian::little);
  struct Slot {
    uint32_t tag = 0;    // 0: empty; its place in the table follows from it
    uint32_t entry = 0;  // the low half of the entry's number
  };
  struct Chunk {
    uint64_t sequence;
    uint64_t begin, end;  // entries
    int64_t newest;
    uint64_t size() const { return end - begin; }
  };
  // A key whose entry is now another one.
  struct Moved {
    uint64_t to, from;
  };
  // What undo needs to know of an epoch.
  struct Epoch {
    bool touched = false;
    uint64_t begin = 0;  // its first entry
    SeenClock clock;     // as it was before
    std::vector<Moved> moved;
  };

  static uint32_t tag_of(const Hash128& hash) {
    const auto tag = static_cast<uint32_t>(hash.low);
    return tag == 0 ? 1 : tag;
  }
  Entry& entry(uint64_t number) { return entries_[number & (entries_.size() - 1)]; }
  const Entry& entry(uint64_t number) const { return entries_[number & (entries_.size() - 1)]; }
  void touch();
  size_t find(const Hash128& hash) const;
  void append(const Entry& fresh, size_t slot);
  void grow_entries(uint64_t wanted);
  void grow_table(uint64_t wanted);
  void erase_slot(size_t slot);
  void undo(Epoch& epoch);
  Result<void> restore_chunk(uint64_t sequence, std::string_view bytes);

  double live_share(uint64_t from, int64_t horizon) const;
  void keep_limit();
  void reclaim();
  void move_survivors(const Chunk& chunk, int64_t horizon);
  void add_chunks();
  void merge_small();
  void write_rows(Partition partition, Arena& arena, std::vector<flow::StateChange>& changes) const;
  std::string_view chunk_bytes(const Chunk& chunk, Arena& arena) const;

  SeenLimits limits_;
  SeenClock clock_;
  std::vector<Entry> entries_;  // a ring; its size is a power of two
  std::vector<Slot> table_;     // open addressing, linear; its size is a power of two
  uint64_t used_slots_ = 0;
  uint64_t front_ = 0, tail_ = 0;     // numbers of entries
  std::vector<Chunk> chunks_;         // in order; entries behind the last are the open epoch's
  std::vector<Chunk> chunks_before_;  // the closed epoch
  uint64_t next_sequence_ = 1;
  uint64_t sequence_before_ = 1;  // the closed epoch
  Epoch open_, closed_;
};

}  // namespace penstock::step
