#include "log/kafka/state_topic.h"

#include "log/kafka/names.h"

#include <algorithm>
#include <map>
#include <utility>

namespace penstock::log::kafka {

std::string state_topic(const std::string& group) { return names::state(group); }

std::string state_key(std::string_view input, std::string_view key) {
  std::string all(input);
  all += '\t';  // no name of a topic has one
  return all.append(key);
}

Result<void> ensure_state_topic(Admin& admin, const std::string& group,
                                const std::vector<TopicInfo>& inputs) {
  int32_t wanted = 1;
  for (const TopicInfo& input : inputs) wanted = std::max(wanted, input.partitions);
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
  auto added = admin.add_partitions(name, wanted);
  if (added) return {};
  // Another worker may have been faster.
  PENSTOCK_TRY(now, admin.describe({name}));
  if (now.front().partitions >= wanted) return {};
  return fail("L124"_code, name + " has " + std::to_string(now.front().partitions) +
                               " partitions, the input has " + std::to_string(wanted))
      .because(added.error().message);
}

Result<flow::StateRows> read_state(Admin& admin, const std::string& group, std::string_view input,
                                   int32_t partition, const Patience& patience) {
  const std::string prefix = state_key(input, {});
  std::map<std::string, std::string, std::less<>> rows;
  PENSTOCK_TRY_VOID(
      replay(admin, state_topic(group), partition, patience, [&](const ChangelogRow& row) {
        if (!row.key.starts_with(prefix)) return;
        const ByteView key = row.key.substr(prefix.size());
        const auto at = rows.find(key);
        if (!row.value) {
          if (at != rows.end()) rows.erase(at);
        } else if (at != rows.end()) {
          at->second = *row.value;
        } else {
          rows.emplace(key, *row.value);
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
