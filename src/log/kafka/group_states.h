// group_states.h — how far every group of the pipeline is, and with which fates.
//
// The cluster's committed offset wins; the own copy in <pipeline>.positions has the groups whose
// offsets have expired, the inputs that are no topics, and fates that are too long for an offset's
// metadata.
//
// Thread      any; calls wait for each other.
// Lifetime    within its KafkaLog's.
// Limits      keeps the last row of each (group, input, partition) of the pipeline; a later call
//             reads only what came since.
// Errors      L1xx.
//
//     PENSTOCK_TRY(states, group_states.look({"p.stage"}));
#pragma once

#include "log/kafka/admin.h"
#include "log/kafka/offset_text.h"
#include "log/kafka/reader.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::log::kafka {

class GroupStates {
 public:
  GroupStates(Admin& admin, Reader& reader) : admin_(admin), reader_(reader) {}

  // Of these groups, and of all that ever committed a position in this pipeline; ascending by name.
  Result<std::vector<flow::GroupState>> look(const std::set<std::string>& names);

 private:
  using Input = std::pair<std::string, int32_t>;  // topic or another source, partition
  using Rows = std::map<Input, PositionRow>;

  Result<void> catch_up();
  void keep(const row::RawRecord& record);
  Result<flow::GroupState> state_of(const std::string& group, const Rows& rows);

  Admin& admin_;
  Reader& reader_;
  std::mutex mutex_;
  Offset read_;
  std::map<std::string, Rows> rows_;
};

}  // namespace penstock::log::kafka
