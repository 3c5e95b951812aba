// row_gatherer.h — from the live rows of a batch to the dense rows that a store takes.
//
// Thread      one worker.
// Lifetime    what gather() returns lives in `arena` and in the batch's raw memory: as long as the
// epoch.
#pragma once

#include "avro/schema.h"
#include "base/arena.h"
#include "flow/shape.h"
#include "flow/store.h"
#include "row/batch.h"

#include <vector>

namespace penstock::engine {

class RowGatherer {
 public:
  // Every field of `rows` must be a field of the shape; asks for its column.
  RowGatherer(const avro::Schema& rows, flow::Shape& shape);
  // These rows of the batch, dense and in order, with where they came from.
  flow::StoreRows gather(const row::Batch& batch, const std::vector<uint32_t>& rows,
                         Arena& arena) const;

 private:
  std::vector<uint32_t> slots_;  // by field of the store's schema
};

}  // namespace penstock::engine
