#include "log/kafka/group_states.h"

#include "log/kafka/names.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <tuple>

namespace penstock::log::kafka {
namespace {

// A source that is no topic has a kind before its name ("file:…"), which no topic's name can have.
bool is_topic(const std::string& input) { return input.find(':') == std::string::npos; }

struct Key {
  std::string_view group;
  std::string_view input;
  int32_t partition = 0;
};

// What position_key() made.
std::optional<Key> parse(std::string_view text) {
  const size_t first = text.find('\t');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = text.find('\t', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  Key key{text.substr(first + 1, second - first - 1), text.substr(second + 1)};
  const auto [end, error] = std::from_chars(text.data(), text.data() + first, key.partition);
  if (error != std::errc() || end != text.data() + first) return std::nullopt;
  return key;
}

}  // namespace

void GroupStates::keep(const row::RawRecord& record) {
  const auto key = parse(record.key);
  if (!record.has_key || !key) return;
  const Input input(key->input, key->partition);
  Rows& rows = rows_[std::string(key->group)];
  rows.erase(input);
  if (!record.has_value) return;
  if (auto row = position_from_value(record.value)) rows.emplace(input, std::move(*row));
}

Result<void> GroupStates::catch_up() {
  const std::string topic = names::positions(admin_.settings().pipeline);
  while (true) {
    Offset next = read_;
    PENSTOCK_TRY(batch, reader_.read(topic, 0, read_, {}, &next));
    for (const row::RawRecord& record : batch.records) keep(record);
    if (next == read_) return {};
    read_ = next;
  }
}

Result<flow::GroupState> GroupStates::state_of(const std::string& group, const Rows& rows) {
  PENSTOCK_TRY(offsets, admin_.committed(group));
  PENSTOCK_TRY(members, admin_.members(group));
  flow::GroupState state{group, {}, members};
  for (CommittedOffset& offset : offsets) {
    auto text = offset_from_text(offset.metadata);
    const auto row = rows.find(Input(offset.topic, offset.partition));
    const bool copied = row != rows.end() && row->second.next == offset.next;
    flow::Fates fates;
    if (text && !(text->sums_only && copied)) fates = std::move(text->fates);
    if (text && text->sums_only && copied) fates = row->second.text.fates;
    state.positions.push_back(
        {std::move(offset.topic), offset.partition, offset.next, std::move(fates)});
  }
  return state;
}

Result<std::vector<flow::GroupState>> GroupStates::look(const std::set<std::string>& names) {
  const std::lock_guard lock(mutex_);
  PENSTOCK_TRY_VOID(catch_up());
  for (const std::string& name : names) rows_.try_emplace(name);
  std::vector<flow::GroupState> states;
  for (const auto& [group, rows] : rows_) {
    flow::GroupState state{group, {}, 0};
    const bool known = names.contains(group) || std::ranges::any_of(rows, [](const auto& row) {
                         return is_topic(row.first.first);
                       });
    if (known) {
      PENSTOCK_TRY(found, state_of(group, rows));
      state = std::move(found);
    }
    for (const auto& [input, row] : rows) {
      const bool there = std::ranges::any_of(state.positions, [&](const auto& position) {
        return position.topic == input.first && position.partition == input.second;
      });
      if (there) continue;
      state.positions.push_back({input.first, input.second, row.next, row.text.fates});
    }
    std::ranges::sort(state.positions, [](const auto& a, const auto& b) {
      return std::tie(a.topic, a.partition) < std::tie(b.topic, b.partition);
    });
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace penstock::log::kafka
