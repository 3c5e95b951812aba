// state_position.h — that a stage's state and its position belong together.
//
// Each epoch of a stage that remembers writes, with its state, the position that the state belongs
// to: the row kStatePositionKey. At claim it is compared with the position that the sink gave.
//
// Thread      free functions.
// Errors      E004 when they part. A stage that got its memory only now has records behind it
// and no
//             state: that is no error as long as nothing was absorbed before.
//
//     epoch.state.push_back(position_row({0, 2}, next, epoch.arena));
//     PENSTOCK_TRY_VOID(check_position(owned, "preprocessing"));
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "flow/sink.h"

#include <string_view>

namespace penstock::engine {

flow::StateChange position_row(Partition input, Offset next, Arena& arena);
// Takes that row out of owned.state.
Result<void> check_position(flow::Owned& owned, std::string_view stage);

}  // namespace penstock::engine
