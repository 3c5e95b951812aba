// state.h — what a stage remembers of an input partition between records.
//
// A step that remembers (unique, later windows) keeps its memory itself; the log keeps what is needed to
// have it again: rows of bytes per (group, input partition), changed inside the epoch that they stem from
// and handed back whole at claim. Embedded: the same WriteBatch; Kafka: a compacted topic in the same
// transaction. So state and position can not part, and the engine checks it: the row kStatePositionKey
// holds the position that the other rows belong to (engine/state.h).
//
// Thread      values.
// Lifetime    a change's bytes: as those of an EncodedBatch.
// Limits      key <= 1 KiB, key + value <= kMaxStateRowBytes.
#pragma once

#include "base/units.h"
#include "row/raw_batch.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::flow {

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

}  // namespace penstock::flow
