#include "base/check.h"
#include "wire/record_batch.h"
#include "wire/varint.h"

#include <algorithm>
#include <cstring>

namespace penstock::wire {
namespace {

constexpr size_t kFirstBytes = 4 << 10;
constexpr size_t kMaxSectionBytes = 1 << 30;
// Everything of a record but key and value: length, attributes, two deltas, two lengths, headers.
constexpr size_t kMaxOverheadBytes = 6 * kMaxVarintBytes;

}  // namespace

char* RecordsBuilder::reserve(size_t more_bytes) {
  if (used_ + more_bytes > capacity_) [[unlikely]] {
    PENSTOCK_CHECK(used_ + more_bytes <= kMaxSectionBytes);
    capacity_ = std::max({kFirstBytes, capacity_ * 2, used_ + more_bytes});
    auto larger = std::make_unique_for_overwrite<char[]>(capacity_);
    if (used_ > 0) std::memcpy(larger.get(), memory_.get(), used_);
    memory_ = std::move(larger);
  }
  return memory_.get() + used_;
}

// Writes the record up to where the value's bytes go and the byte behind them.
char* RecordsBuilder::begin_record(const RecordView& record, size_t value_bytes) {
  PENSTOCK_CHECK(record.key.size() <= kMaxSectionBytes && value_bytes <= kMaxSectionBytes);
  if (count_ == 0) base_timestamp_ = max_timestamp_ = Millis{record.timestamp};
  max_timestamp_ = std::max(max_timestamp_, Millis{record.timestamp});
  const int64_t timestamp_delta = time_difference(base_timestamp_, Millis{record.timestamp});
  const int64_t key_length = record.has_key ? static_cast<int64_t>(record.key.size()) : -1;
  const int64_t value_length = record.has_value ? static_cast<int64_t>(value_bytes) : -1;
  const size_t key_bytes = record.has_key ? record.key.size() : 0;
  const size_t length = 2 + varint_bytes(timestamp_delta) + varint_bytes(count_) +
                        varint_bytes(key_length) + key_bytes + varint_bytes(value_length) +
                        value_bytes;
  char* at = reserve(kMaxOverheadBytes + key_bytes + value_bytes);
  at = put_varint(at, static_cast<int64_t>(length));
  *at++ = 0;  // attributes: none are defined
  at = put_varint(at, timestamp_delta);
  at = put_varint(at, count_);
  at = put_varint(at, key_length);
  if (key_bytes > 0) std::memcpy(at, record.key.data(), key_bytes);
  at = put_varint(at + key_bytes, value_length);
  at[value_bytes] = 0;  // no headers
  used_ = static_cast<size_t>(at + value_bytes + 1 - memory_.get());
  ++count_;
  return at;
}

void RecordsBuilder::append(const RecordView& record) {
  const size_t value_bytes = record.has_value ? record.value.size() : 0;
  char* at = begin_record(record, value_bytes);
  if (value_bytes > 0) std::memcpy(at, record.value.data(), value_bytes);
}

char* RecordsBuilder::append_open(ByteView key, bool has_key, size_t value_bytes,
                                  Millis timestamp) {
  return begin_record({.key = key, .timestamp = timestamp.value, .has_key = has_key}, value_bytes);
}

void RecordsBuilder::clear() {
  used_ = 0;
  count_ = 0;
  base_timestamp_ = max_timestamp_ = Millis{};
}

BatchHeader RecordsBuilder::header() const {
  return {.last_offset_delta = static_cast<int32_t>(count_) - 1,
          .base_timestamp = base_timestamp_,
          .max_timestamp = max_timestamp_,
          .count = count_};
}

}  // namespace penstock::wire
