// positions_topic.h — the own copy of every group's positions: the compacted topic
// <pipeline>.positions.
//
// A row (offset_text.h) is written in the transaction that moves the position, so it survives a
// group whose offsets have expired, and carries fates that are too long for an offset's metadata.
//
// Thread      any; blocks until the topic's end as it was at the call, at most until `patience` is
//             over.
// Errors      L122, L1xx.
//
//     PENSTOCK_TRY(rows, read_positions(admin, {{"p.stage", "in", 0}}, patience));   // rows[0]
#pragma once

#include "log/kafka/changelog.h"
#include "log/kafka/offset_text.h"

#include <optional>
#include <string>
#include <vector>

namespace penstock::log::kafka {

struct PositionName {
  std::string group;
  std::string input;  // a topic, or what a group without members reads from
  int32_t partition = 0;
};

// The last row of each, in the same order.
Result<std::vector<std::optional<PositionRow>>> read_positions(
    Admin& admin, const std::vector<PositionName>& names, const Patience& patience);

}  // namespace penstock::log::kafka
