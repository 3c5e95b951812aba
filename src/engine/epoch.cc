#include "engine/epoch.h"

#include "base/check.h"

#include <algorithm>
#include <utility>

namespace penstock::engine {

Epoch::Moved& Epoch::moved_of(Partition partition) {
  auto at = std::lower_bound(moved_.begin(), moved_.end(), partition,
                             [](const Moved& m, Partition p) { return m.partition < p; });
  if (at == moved_.end() || at->partition != partition) {
    at = moved_.insert(at, Moved{partition, {}, {}, false});
  }
  return *at;
}

flow::Fates& Epoch::fates(Partition partition) {
  Moved& moved = moved_of(partition);
  moved.fates_used = true;
  return moved.fates;
}

void Epoch::hold(row::RawBatch&& batch) {
  for (const row::RawRecord& record : batch.records) {
    held_bytes_ += record.key.size() + record.value.size();
  }
  held_.push_back(std::move(batch));
}

const row::RawRecord* Epoch::original(flow::RowId id) const {
  for (const row::RawBatch& batch : held_) {
    if (batch.partition != id.partition || batch.records.empty()) continue;
    const auto at = std::lower_bound(batch.records.begin(), batch.records.end(), id.offset,
                                     [](const auto& r, Offset o) { return r.offset < o; });
    if (at != batch.records.end() && at->offset == id.offset) return &*at;
  }
  return nullptr;
}

void Epoch::set_outputs(std::span<const int32_t> partitions) {
  bool same = partitions.size() == outputs_.size();
  for (size_t i = 0; same && i < partitions.size(); ++i) {
    same = outputs_[i].size() == static_cast<size_t>(partitions[i]);
  }
  if (same) return;
  PENSTOCK_CHECK(nothing_encoded());
  outputs_.clear();
  for (const int32_t count : partitions) {
    PENSTOCK_CHECK(count > 0);
    outputs_.emplace_back(static_cast<size_t>(count));
  }
}

void Epoch::clear() {
  clear_encoded();
  arena.reset();
  tables.clear();
  rows.clear();
  state.clear();
  stuck.reset();
  moved_.clear();
  held_.clear();
  held_bytes_ = 0;
  membership.reset();
  begun = false;
  closed = false;
}

uint64_t Epoch::in() const {
  uint64_t sum = 0;
  for (const Moved& moved : moved_) sum += moved.fates.in;
  return sum;
}

uint64_t Epoch::dead() const {
  uint64_t sum = 0;
  for (const Moved& moved : moved_) sum += moved.fates.dead;
  return sum;
}

uint64_t Epoch::row_count() const {
  uint64_t sum = 0;
  for (const flow::StoreRows& some : rows) sum += some.count;
  return sum;
}

void Epoch::set_aside(uint32_t output, int32_t partition) {
  wire::RecordsBuilder& open = outputs_[output][static_cast<size_t>(partition)];
  full_bytes_ += open.bytes().size();
  full_.push_back({output, partition, std::move(open)});
  open = {};
  if (spare_.empty()) return;
  open = std::move(spare_.back());
  spare_.pop_back();
}

uint64_t Epoch::bytes() const {
  uint64_t sum = held_bytes_ + full_bytes_;
  for (const auto& output : outputs_) {
    for (const wire::RecordsBuilder& records : output) sum += records.bytes().size();
  }
  return sum;
}

bool Epoch::nothing_encoded() const {
  if (!full_.empty()) return false;
  for (const auto& output : outputs_) {
    for (const wire::RecordsBuilder& records : output) {
      if (!records.empty()) return false;
    }
  }
  return true;
}

void Epoch::clear_encoded() {
  for (Full& full : full_) {
    full.records.clear();
    spare_.push_back(std::move(full.records));
  }
  full_.clear();
  full_bytes_ = 0;
  for (auto& output : outputs_) {
    for (wire::RecordsBuilder& records : output) records.clear();
  }
}

void Epoch::take_encoded(std::vector<flow::EncodedBatch>& out) {
  const auto take = [&](uint32_t output, int32_t partition, const wire::RecordsBuilder& records) {
    if (records.empty()) return;
    out.push_back({output, partition, records.count(), records.base_timestamp(),
                   records.max_timestamp(), records.bytes()});
  };
  for (const Full& full : full_) take(full.output, full.partition, full.records);
  for (uint32_t output = 0; output < outputs_.size(); ++output) {
    for (size_t p = 0; p < outputs_[output].size(); ++p) {
      take(output, static_cast<int32_t>(p), outputs_[output][p]);
    }
  }
}

}  // namespace penstock::engine
