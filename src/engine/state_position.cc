#include "engine/state_position.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::engine {

flow::StateChange position_row(Partition input, Offset next, Arena& arena) {
  return {input, flow::kStatePositionKey, arena.copy(fmt::format("{}", next.value)), false};
}

Result<void> check_position(flow::Owned& owned, std::string_view stage) {
  const auto found = std::ranges::find(owned.state, flow::kStatePositionKey, &flow::StateRow::key);
  const Partition at = owned.partition;
  if (found == owned.state.end()) {
    if (owned.state.empty() && owned.fates.absorbed == 0) return {};
    return fail("E004"_code,
                fmt::format("stage \"{}\", input {} partition {}: the state is missing, but {} "
                            "records were absorbed up to {}",
                            stage, at.topic, at.index, owned.fates.absorbed, owned.next.value));
  }
  if (found->value != fmt::format("{}", owned.next.value)) {
    return fail("E004"_code,
                fmt::format("stage \"{}\", input {} partition {}: the state belongs to position "
                            "{}, but the group stands at {}",
                            stage, at.topic, at.index, found->value, owned.next.value));
  }
  owned.state.erase(found);
  return {};
}

}  // namespace penstock::engine
