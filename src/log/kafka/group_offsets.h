// group_offsets.h — the stable committed offsets of a group, as a claim needs them.
//
// Thread      any; one call blocks at most `millis`.
// Errors      retriable ones are told apart: a pending transaction of another owner hides the
//             offset and has to be waited for; only an answer without error says "nothing was
//             committed".
//
//     auto got = stable_offsets(client, "p.stage", {{"in", 0}}, 1000);
//     if (got.again) …ask again… else if (got.error) … else got.offsets[0].next
#pragma once

#include "base/error.h"
#include "base/units.h"
#include "log/kafka/handles.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penstock::log::kafka {

using TopicPartition = std::pair<std::string, int32_t>;

struct StableOffset {
  std::optional<Offset> next;  // nothing: nobody ever committed, or the group has forgotten it
  std::string metadata;
};
struct StableOffsets {
  std::vector<StableOffset> offsets;  // one for each partition asked for, in the same order
  bool again = false;                 // pending, or the coordinator is on the move: ask again
  std::optional<Error> error;         // the cause, also with `again`
};

StableOffsets stable_offsets(rd_kafka_t* client, const std::string& group,
                             const std::vector<TopicPartition>& partitions, int millis);

}  // namespace penstock::log::kafka
