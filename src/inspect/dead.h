// dead.h — the dead letters of a pipeline, merged by identity.
//
// Thread      any; reads the topics dead.<stage> from their first kept record.
// Limits      `limit` letters per stage are kept in memory (the newest); all are counted.
#pragma once

#include "base/error.h"
#include "flow/log.h"
#include "plan/plan.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace penstock::inspect {

struct Letter {
  std::string stage, topic, lineage, step, reason, detail;
  int32_t partition = 0;
  Offset offset;
  Millis timestamp;
  std::optional<std::string> key, value;
};
struct StageLetters {
  std::string topic;           // "dead.processing"
  uint64_t distinct = 0;       // by (stage, topic, lineage, partition, offset, step)
  uint64_t repeats = 0;        // letters that were there already
  uint64_t unreadable = 0;     // records in the topic that are no letters
  std::vector<Letter> newest;  // oldest first
};

// One entry per dead-letter topic of the plan; `stage` limits it to one stage (id or name), "" =
// all. limit < 0: every letter.
Result<std::vector<StageLetters>> dead_letters(const plan::Plan& plan, flow::Log& log,
                                               std::string_view stage, int64_t limit);

}  // namespace penstock::inspect
