// positions.h — next offsets per partition, and the fates of what was read up to there.
//
// A position is the *source's own*: it covers everything handed out and also what an application
// never sees (markers, compacted records). It is never "last record + 1".
//
// Thread      values.
#pragma once

#include "base/error.h"
#include "base/units.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::flow {

using PartitionSet = std::vector<Partition>;  // ascending, no repeats

// Next offset per partition; ascending by partition.
class Positions {
 public:
  std::optional<Offset> find(Partition partition) const;
  void set(Partition partition, Offset next);
  void erase(Partition partition);
  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  bool operator==(const Positions&) const = default;

 private:
  std::vector<std::pair<Partition, Offset>> entries_;
};

// A count per name, in the order in which the names first came.
class NamedCounts {
 public:
  void add(std::string_view name, uint64_t count);
  uint64_t of(std::string_view name) const;  // 0 for a stranger
  uint64_t total() const;
  auto begin() const { return counts_.begin(); }
  auto end() const { return counts_.end(); }
  bool empty() const { return counts_.empty(); }
  bool operator==(const NamedCounts&) const = default;

 private:
  std::vector<std::pair<std::string, uint64_t>> counts_;
};

// What became of the records of one input partition since its first: cumulative, committed with the
// position, so that `in == out + dropped + dead + absorbed` can be checked for ever, also when
// retention took the records.
struct Fates {
  uint64_t in = 0;
  NamedCounts out;        // by output topic or store
  NamedCounts dropped;    // by step ("steps[0]")
  uint64_t dead = 0;      // dead letters
  uint64_t absorbed = 0;  // windows, repeats
  NamedCounts copied;     // by topic: send, fan-out; apart from the sum

  bool adds_up() const { return in == out.total() + dropped.total() + dead + absorbed; }
  void add(const Fates& more);
  bool operator==(const Fates&) const = default;
};

// `in=5 dead=1 out.usage.alpine=3 drop.steps[0]=1 copy.audit=2`: one line of printable text, for
// position rows and offset metadata. It grows with the number of outputs (about 32 bytes each): a
// log whose metadata is bounded has to keep longer ones elsewhere. from_text refuses anything else
// (nullopt).
std::string to_text(const Fates& fates);
std::optional<Fates> fates_from_text(std::string_view text);

}  // namespace penstock::flow
