// state.h — what a stage remembers of an input partition between records, as rows of bytes.
//
// A step that remembers (unique) keeps its memory itself (flow/memory.h); the log keeps what is
// needed to have it again: rows per (group, input partition), changed inside the epoch that they
// stem from and handed back whole at claim. Embedded: the same WriteBatch; Kafka: a compacted topic
// in the same transaction. So state and position can not part, and the engine checks that they did
// not: the row kStatePositionKey holds the position, in decimal, that the other rows belong to
// (engine/state_position.h).
//
// Thread      values.
// Lifetime    a change's bytes: as those of an EncodedBatch.
// Limits      key <= kMaxStateKeyBytes, key + value <= kMaxStateRowBytes. Keys are text without
//             control characters.
#pragma once

#include "base/units.h"
#include "row/raw_batch.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::flow {

inline constexpr size_t kMaxStateKeyBytes = 1 << 10;
inline constexpr size_t kMaxStateRowBytes = 512 << 10;
inline constexpr std::string_view kStatePositionKey = "position";

struct StateRow {
  std::string key;
  std::string value;
  bool operator==(const StateRow&) const = default;
};

// Of one input partition; in order of keys.
using StateRows = std::vector<StateRow>;

struct StateChange {
  Partition input;
  ByteView key;
  ByteView value;
  bool gone = false;  // the row leaves; value is empty
};

// Within the limits; a log answers `error` for others.
inline bool is_valid(const StateChange& change) {
  return !change.key.empty() && change.key.size() <= kMaxStateKeyBytes &&
         change.key.size() + change.value.size() <= kMaxStateRowBytes &&
         !(change.gone && !change.value.empty());
}

}  // namespace penstock::flow
