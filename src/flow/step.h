// step.h — a step of a stage: it looks at a batch and tags, takes out or adds. Pure, unless it
// has a
// memory (flow/memory.h): then what it does depends on the records before, and on nothing else.
//
// Thread      one Step per worker; apply() is not const because a step may have scratch memory.
// Lifetime    built from a checked Config through a Shape; lives as long as the worker's chain.
// Errors      none at run time: a record that a step can not handle is rejected
// (row::Batch::reject) and leaves `live`.
#pragma once

#include "flow/memory.h"
#include "flow/table.h"
#include "row/batch.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace penstock::flow {

// Rows of the batch that `send` copies aside, as they stood at that step.
struct SideOutput {
  std::vector<uint32_t> rows;
};

struct StepContext {
  // One consistent version per epoch, in the order of MakeContext::use_table.
  std::span<const std::shared_ptr<const TableVersion>> tables;
  std::span<SideOutput> sides;  // in the order of MakeContext::use_side
  // Rows that a step took out of `live` because they are part of what it remembers: counted as
  // absorbed, not as dropped. Each step adds its own.
  uint64_t absorbed = 0;
};

class Step {
 public:
  virtual ~Step() = default;
  // Rows that leave `live` without a reject count as dropped by this step.
  virtual void apply(row::Batch& batch, StepContext& context) = 0;
  // Of a step that remembers something between batches; null: it is pure.
  virtual Memory* memory() { return nullptr; }
};

// Removes from `live` every row of `gone` (both ascending). Linear, no allocation.
void remove_live(std::vector<uint32_t>& live, std::span<const uint32_t> gone);

}  // namespace penstock::flow
