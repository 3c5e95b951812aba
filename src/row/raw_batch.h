// raw_batch.h — records as a source hands them over: views into foreign memory and the handle that
// keeps it alive.
//
// Thread      the worker that polled it.
// Lifetime    every view stays valid while the RawBatch lives; decode, steps and encode happen in
// the turn that got
//             it. What must outlive the turn is copied into the epoch's arena.
// Limits      one partition; at most 2^31 records.
#pragma once

#include "base/units.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace penstock::row {

struct RawRecord {
  ByteView key;    // meaningless unless has_key
  ByteView value;  // with its framing; meaningless unless has_value
  Offset offset;
  Millis timestamp;  // time of sending
  bool has_key = false;
  bool has_value = false;
};

struct RawBatch {
  Partition partition;
  std::vector<RawRecord> records;      // ascending offsets, not necessarily dense
  std::shared_ptr<const void> memory;  // what the views point into

  RawBatch() = default;
  RawBatch(RawBatch&&) = default;
  RawBatch& operator=(RawBatch&&) = default;
  RawBatch(const RawBatch&) = delete;
  RawBatch& operator=(const RawBatch&) = delete;
};

}  // namespace penstock::row
