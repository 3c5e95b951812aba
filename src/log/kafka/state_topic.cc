#include "log/kafka/state_topic.h"

#include <map>
#include <utility>

namespace penstock::log::kafka {

std::string state_topic(const std::string& group) { return group + ".state"; }

int32_t state_partition(const std::vector<TopicInfo>& inputs, Partition input) {
  int32_t index = input.index;
  for (size_t topic = 0; topic < input.topic; ++topic) index += inputs[topic].partitions;
  return index;
}

Result<void> ensure_state_topic(Admin& admin, const std::string& group,
                                const std::vector<TopicInfo>& inputs) {
  int32_t wanted = 0;
  for (const TopicInfo& input : inputs) wanted += input.partitions;
  const std::string name = state_topic(group);
  PENSTOCK_TRY(found, admin.describe({name}));
  if (found.front().lineage.empty()) {
    NewTopic topic;
    topic.name = name;
    topic.partitions = wanted;
    topic.compacted = true;
    auto made = admin.create({topic});
    if (!made) return std::unexpected(std::move(made).error());
    return {};
  }
  if (found.front().partitions >= wanted) return {};
  return fail("L124"_code, name + " has " + std::to_string(found.front().partitions) +
                               " partitions, the input has " + std::to_string(wanted));
}

Result<flow::StateRows> read_state(Admin& admin, const std::string& group, int32_t partition,
                                   const Patience& patience) {
  std::map<std::string, std::string, std::less<>> rows;
  PENSTOCK_TRY_VOID(
      replay(admin, state_topic(group), partition, patience, [&](const ChangelogRow& row) {
        const auto at = rows.find(row.key);
        if (!row.value) {
          if (at != rows.end()) rows.erase(at);
        } else if (at != rows.end()) {
          at->second = *row.value;
        } else {
          rows.emplace(row.key, *row.value);
        }
      }));
  flow::StateRows got;
  got.reserve(rows.size());
  while (!rows.empty()) {
    auto node = rows.extract(rows.begin());
    got.push_back({std::move(node.key()), std::move(node.mapped())});
  }
  return got;
}

}  // namespace penstock::log::kafka
