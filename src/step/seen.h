// seen.h — which keys came within a stretch of event time: the memory of `unique`.
//
// Per input partition. A key is a 128-bit hash, remembered with the event time of its first record.
// The horizon of a partition is its watermark minus `within`; what is older is `late`, so a key may
// be forgotten when its time is behind the horizon. The watermark is the second largest of the
// newest event times per sender (the hash of the record's key): one sender whose clock is wrong
// harms itself alone. While there is but one sender, its own newest time counts, and only for it.
// A horizon never falls.
//
// Answers depend on the records before, in their order, and on nothing else; at the limit of keys
// also on where epochs end.
//
//   entries   ░░░░░░▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒|▒▒▒|▒▒▒▒|▒▒   a ring: front ░ leaves, records
//   come at the
//   chunks    └ 17 ┘└── 18 ──┘└── 21 ──┘ 24  25   open      end; a chunk is a row of state
//   table     hash ──► number of the entry
//
// Each epoch adds one chunk. Chunks go from the front: at no cost when all of it is behind the
// horizon; otherwise, when more than half of all entries are, what is left of it goes to the end,
// into the epoch's chunk. Small chunks at the end are merged eight by eight, so that thousands of
// small epochs do not leave thousands of rows.
//
// Thread      the worker that owns it.
// Limits      `keys` per partition (an eighth leaves early at the limit: the horizon moves up with
//             them, and what comes too late then is `late`, never a second `fresh`); 24 bytes per
//             entry in state, about 40 to 80 in memory. Rows of at most kChunkEntriesMax entries.
// Errors      restore(): rows that close() did not write.
//
//     Seen seen("unique meter_id,at", {.within_millis = 86'400'000});
//     SeenWindow& window = seen.window(partition);
//     if (window.see(sender, hash, at) == Sight::repeat) …
#pragma once

#include "base/error.h"
#include "base/units.h"
#include "flow/memory.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace penstock::step {

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
};

enum class Sight : uint8_t { fresh, repeat, late };

struct SeenLimits {
  int64_t within_millis = 0;
  uint64_t keys = 4'000'000;  // per partition
};

inline constexpr size_t kSeenEntryBytes = 24;
inline constexpr size_t kChunkEntriesMax = 20'000;

class SeenWindow;

class Seen final : public flow::Memory {
 public:
  Seen(std::string name, SeenLimits limits);
  ~Seen() override;
  Seen(Seen&&) noexcept;

  // The memory of a partition; made when it is new. Valid until forget() or restore().
  SeenWindow& window(Partition partition);

  int64_t within_millis() const { return limits_.within_millis; }

  std::string_view name() const override { return name_; }
  Result<void> restore(Partition partition, const flow::StateRows& rows) override;
  void forget(Partition partition) override;
  void close(Arena& arena, std::vector<flow::StateChange>& changes) override;
  void settle() override;
  void undo_open() override;
  void undo_closed() override;
  Size size() const override;

 private:
  std::string name_;
  SeenLimits limits_;
  std::map<Partition, std::unique_ptr<SeenWindow>> windows_;
};

}  // namespace penstock::step
