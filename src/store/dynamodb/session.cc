#include "store/dynamodb/session.h"

#include "store/dynamodb/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace penstock::store::dynamodb {

using flow::CommitEnd;
using flow::Ended;

Result<std::unique_ptr<Session>> Session::make(std::shared_ptr<const Access> access,
                                               flow::StoreSpec spec, SinkOptions options,
                                               const Clock& clock) {
  PENSTOCK_TRY(maker, ItemMaker::make(spec, options.immutable));
  PENSTOCK_TRY(key, key_parts(spec.table));
  return std::unique_ptr<Session>(new Session(std::move(access), std::move(spec), options, clock,
                                              std::move(maker), std::move(key)));
}

Session::Session(std::shared_ptr<const Access> access, flow::StoreSpec spec, SinkOptions options,
                 const Clock& clock, ItemMaker maker, std::vector<KeyPart> key)
    : access_(std::move(access)),
      spec_(std::move(spec)),
      options_(options),
      clock_(clock),
      maker_(std::move(maker)),
      key_(std::move(key)),
      shared_{options.retry, {}, Random(options.seed)},
      caller_(access_),
      writer_(caller_, shared_, box_, names_of(spec_.table), key_),
      positions_(caller_, shared_, box_, spec_) {}

flow::SinkEvent Session::claim(const flow::PartitionSet& partitions) {
  return positions_.claim(partitions);
}

void Session::forget_epoch() noexcept {
  encoded_ = false;
  items_.clear();
  states_.clear();
}

// ---- commit

Ended Session::commit(const flow::Commit& commit, std::span<const flow::StoreRows> rows,
                      std::set<flow::RowId>& refused) {
  if (auto bad = encode(rows, refused); !bad.empty()) return rejected(std::move(bad), refused);
  const std::vector<uint32_t> put = winners();
  std::vector<uint32_t> todo;
  for (const uint32_t index : put) {
    if (states_[index] == ItemState::open) todo.push_back(index);
  }
  Writer::Report report = writer_.put(items_, todo, states_);
  if (!report.refused.empty()) {
    // All rows of a table with another key would be refused: those are not bad.
    if (auto error = other_table()) {
      for (ItemState& state : states_) {
        if (state == ItemState::refused) state = ItemState::open;
      }
      return {CommitEnd::retry, {}, {}, *std::move(error)};
    }
    return rejected(std::move(report.refused), refused);
  }
  return move_positions(commit, put, std::move(report.trouble));
}

// Once for an epoch; what does not fit is told once.
std::vector<flow::RejectedRow> Session::encode(std::span<const flow::StoreRows> rows,
                                               const std::set<flow::RowId>& refused) {
  std::vector<flow::RejectedRow> bad;
  if (std::exchange(encoded_, true)) return bad;
  std::optional<int64_t> expires;
  if (options_.expire_after_millis)
    expires = (clock_.now().value + *options_.expire_after_millis) / 1000;
  for (const flow::StoreRows& some : rows) {
    for (uint32_t i = 0; i < some.count; ++i) {
      if (!refused.empty() && refused.contains(some.ids[i])) continue;
      Item item;
      Refusal refusal;
      if (maker_.encode(some, i, expires, item, refusal)) {
        item.table = some.table;
        items_.push_back(std::move(item));
      } else {
        bad.push_back({some.ids[i], std::string(refusal.reason), std::move(refusal.detail)});
      }
    }
  }
  states_.assign(items_.size(), ItemState::open);
  return bad;
}

// The newest item of each key; of equal or no versions the later one.
std::vector<uint32_t> Session::winners() const {
  std::vector<std::unordered_map<std::string_view, uint32_t>> newest_in(
      std::max<size_t>(1, spec_.table.each.size()));
  for (uint32_t i = 0; i < items_.size(); ++i) {
    if (states_[i] == ItemState::refused) continue;
    auto& newest = newest_in[items_[i].table];
    const auto [found, is_new] = newest.try_emplace(items_[i].key, i);
    if (!is_new && items_[found->second].version <= items_[i].version) found->second = i;
  }
  std::vector<uint32_t> all;
  all.reserve(items_.size());
  for (const auto& newest : newest_in) {
    for (const auto& [key, index] : newest) all.push_back(index);
  }
  std::sort(all.begin(), all.end());
  return all;
}

Ended Session::rejected(std::vector<flow::RejectedRow> rows, std::set<flow::RowId>& refused) const {
  for (const flow::RejectedRow& row : rows) refused.insert(row.row);
  return {CommitEnd::rejected,
          {},
          std::move(rows),
          fail("S007"_code, access_->where + ": rows were refused").take()};
}

Ended Session::move_positions(const flow::Commit& commit, const std::vector<uint32_t>& put,
                              std::optional<Reply> trouble) {
  std::set<Partition> behind;
  for (const uint32_t index : put) {
    if (states_[index] != ItemState::done) behind.insert(items_[index].row.partition);
  }
  std::vector<flow::PartitionCommit> whole;
  for (const flow::PartitionCommit& moved : commit.partitions) {
    if (!behind.contains(moved.partition)) whole.push_back(moved);
  }
  PositionKeeper::Swaps swaps = positions_.swap(whole);
  Ended ended{CommitEnd::done, {}, {}, {}};
  bool fenced = false, unknown = false;
  for (size_t i = 0; i < whole.size(); ++i) {
    using Moved = PositionKeeper::Moved;
    if (swaps.moved[i] == Moved::yes) ended.durable.set(whole[i].partition, whole[i].next);
    fenced = fenced || swaps.moved[i] == Moved::fenced;
    unknown = unknown || swaps.moved[i] == Moved::unknown;
  }
  if (swaps.trouble) trouble = std::move(swaps.trouble);
  if (fenced) {
    ended.end = CommitEnd::fenced;
    ended.error = fail("S004"_code, access_->where + ": a newer worker owns the partition").take();
    return ended;
  }
  if (!unknown && !ended.durable.empty()) return ended;
  ended.end = unknown ? CommitEnd::unknown : CommitEnd::retry;
  const Reply stopped{Trouble::unreached, -1, {}, "stopped", {}};
  ended.error = to_error(trouble.value_or(stopped), access_->where);
  return ended;
}

std::optional<Error> Session::other_table() {
  for (const std::string& name : names_of(spec_.table)) {
    auto fits = check_table(caller_, name, key_);
    if (!fits && fits.error().code == "S002"_code) return std::move(fits).error();
  }
  return std::nullopt;
}

}  // namespace penstock::store::dynamodb
