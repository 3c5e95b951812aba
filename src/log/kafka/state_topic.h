// state_topic.h — what a stage remembers between records: the compacted topic <group>.state.
//
// Partition n holds the rows of partition n of every input; a key begins with the input's name, and
// a record without value says that its row is gone. When an input gets more partitions, so does
// this. Rows change in the transaction that moves the
// position, so state and position can not part.
//
// Thread      any; blocks.
// Limits      flow/state.h's; a partition's rows are held in memory once while they are read.
// Errors      L122 not read to the end in time, L124 no more partitions can be had, L1xx.
//
//     PENSTOCK_TRY_VOID(ensure_state_topic(admin, "p.stage", inputs));
//     PENSTOCK_TRY(rows, read_state(admin, "p.stage", "in", 3, patience));
#pragma once

#include "flow/state.h"
#include "log/kafka/changelog.h"

#include <string>
#include <string_view>
#include <vector>

namespace penstock::log::kafka {

std::string state_topic(const std::string& group);
std::string state_key(std::string_view input, std::string_view key);
Result<void> ensure_state_topic(Admin& admin, const std::string& group,
                                const std::vector<TopicInfo>& inputs);
// In order of keys.
Result<flow::StateRows> read_state(Admin& admin, const std::string& group, std::string_view input,
                                   int32_t partition, const Patience& patience);

}  // namespace penstock::log::kafka
