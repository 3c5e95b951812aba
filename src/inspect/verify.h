// verify.h — do the fates of all records add up?
//
// Arithmetic on what was committed with the positions, so it holds for ever, also when retention
// took the records:
//   per input partition   in = out + dropped + dead + absorbed, and in = position − first offset
//                         where offsets are dense
//   per topic             records = what stages, files and producers say they wrote there
//   per dead-letter topic letters, merged by identity = what stages say is dead
//   per store             rows = what its stage says it wrote; with a key: not more than that
//
// Thread      any.
#pragma once

#include "base/error.h"
#include "flow/log.h"
#include "inspect/lag.h"
#include "plan/plan.h"

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::inspect {

struct Sum {
  std::string what;      // "stage preprocessing, preprocessed/0"
  std::string equation;  // "in 512 = out 500 + dropped 3 + dead 9 + absorbed 0"
  bool holds = true;
  bool of_partition = false;  // one of many: summed up in Verified::stages
};
// All partitions of a stage together.
struct StageSum {
  std::string stage;
  uint32_t partitions = 0;
  flow::Fates fates;
  bool holds = true;  // each partition's sums do
};
struct Verified {
  std::vector<Sum> sums;
  std::vector<StageSum> stages;
  bool holds() const;
};

// "in 512 = out 500 + dropped 3 + dead 9 + absorbed 0"
std::string equation(const flow::Fates& fates);

struct VerifyHow {
  bool dense = true;     // every offset is a record (embedded log)
  bool running = false;  // records go on being written: what is counted last may be more
};
Result<Verified> verify(const plan::Plan& plan, flow::Log& log, const Snapshot& snapshot,
                        const VerifyHow& how);

}  // namespace penstock::inspect
