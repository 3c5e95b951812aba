#include "log/kafka/positions_topic.h"

#include "log/kafka/names.h"

#include <map>

namespace penstock::log::kafka {

Result<std::vector<std::optional<PositionRow>>> read_positions(
    Admin& admin, const std::vector<PositionName>& names, const Patience& patience) {
  std::map<std::string, size_t, std::less<>> wanted;
  for (size_t i = 0; i < names.size(); ++i) {
    wanted.emplace(position_key(names[i].group, names[i].input, names[i].partition), i);
  }
  std::vector<std::optional<PositionRow>> rows(names.size());
  const std::string topic = names::positions(admin.settings().pipeline);
  PENSTOCK_TRY_VOID(replay(admin, topic, 0, patience, [&](const ChangelogRow& row) {
    const auto at = wanted.find(row.key);
    if (at == wanted.end()) return;
    rows[at->second] = row.value ? position_from_value(*row.value) : std::nullopt;
  }));
  return rows;
}

}  // namespace penstock::log::kafka
