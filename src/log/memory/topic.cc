#include "log/memory/topic.h"

#include "base/check.h"
#include "wire/record_batch.h"

#include <algorithm>

namespace penstock::log {

Offset TopicPartition::stable_end() const {
  int64_t first = end().value;
  for (const auto& [transaction, offset] : open_) first = std::min(first, offset);
  return {first};
}

void TopicPartition::append(const flow::EncodedBatch& batch, const void* transaction) {
  chunks_->bytes.push_back(std::make_unique<std::string>(batch.records));
  wire::RecordWalker walker(*chunks_->bytes.back(), batch.count);
  const int64_t first = end().value;
  wire::RecordView view;
  while (walker.next(view)) {
    Entry entry;
    entry.record = {view.key,     view.value,
                    end(),        wire::time_of(batch.base_timestamp, view.timestamp),
                    view.has_key, view.has_value};
    entry.transaction = transaction;
    entries_.push_back(entry);
  }
  PENSTOCK_CHECK(walker.fault() == wire::BatchFault::none);
  if (transaction == nullptr) return;
  const bool known = std::any_of(open_.begin(), open_.end(),
                                 [&](const auto& o) { return o.first == transaction; });
  if (!known) open_.emplace_back(transaction, first);
}

void TopicPartition::end_transaction(const void* transaction, bool commit) {
  const auto at = std::find_if(open_.begin(), open_.end(),
                               [&](const auto& o) { return o.first == transaction; });
  if (at == open_.end()) return;
  for (auto i = static_cast<size_t>(std::max<int64_t>(0, at->second - start_)); i < entries_.size();
       ++i) {
    if (entries_[i].transaction != transaction) continue;
    entries_[i].transaction = nullptr;
    entries_[i].hidden = !commit;
  }
  open_.erase(at);
  Entry marker;
  marker.record.offset = end();
  marker.hidden = true;
  entries_.push_back(marker);
}

void TopicPartition::read(Offset& next, Offset limit, const flow::PollLimits& limits, bool see_open,
                          row::RawBatch& batch) const {
  next.value = std::max(next.value, start_);
  uint64_t bytes = 0;
  while (next < limit) {
    const Entry& entry = entries_[static_cast<size_t>(next.value - start_)];
    if (!entry.hidden && (entry.transaction == nullptr || see_open)) {
      if (batch.records.size() >= limits.max_records) break;
      if (bytes >= limits.max_bytes) break;
      bytes += entry.record.key.size() + entry.record.value.size();
      batch.records.push_back(entry.record);
    }
    ++next.value;
  }
  batch.memory = chunks_;
}

void TopicPartition::trim(Offset next, Millis before) {
  size_t gone = 0;
  while (gone < entries_.size() && start_ + static_cast<int64_t>(gone) < next.value &&
         entries_[gone].record.timestamp < before && entries_[gone].transaction == nullptr) {
    ++gone;
  }
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(gone));
  start_ += static_cast<int64_t>(gone);
}

}  // namespace penstock::log
