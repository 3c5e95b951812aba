// record_batch.h — Kafka's record batch, format v2: built and walked.
//
// A batch is a header of 61 bytes and a records section: `count` records, each with its length,
// timestamp and offset as differences from the header's. The base offset is the one field that the
// checksum does not cover, so a log can give it out when the bytes are finished (set_base_offset).
//
// Thread      values; one owner.
// Lifetime    views point into the bytes that were given; a builder's bytes() stays until its next
//             append() or clear().
// Limits      a records section ≤ 1 GiB (builder), counts and lengths are those of the format.
// Errors      hostile bytes are refused with a BatchFault; nothing is read outside the view and
//             nothing is allocated by what the bytes claim.
//
//     RecordsBuilder records;                        // kept and cleared, so that it stops
//     allocating records.append({.key = "m1", .value = datum, .timestamp = now, .has_key = true});
//     std::string batch;
//     append_batch(batch, records.header(), records.bytes());
//     ...
//     auto view = parse_batch(batch);                // checks lengths, magic and CRC
//     RecordWalker walker(view->records, view->header.count);
//     RecordView record;
//     while (walker.next(record)) use(record.value); // then: walker.fault() == BatchFault::none
#pragma once

#include "base/units.h"
#include "wire/codec.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace penstock::wire {

inline constexpr size_t kBatchHeaderBytes = 61;

// What was wrong with a batch.
enum class BatchFault : uint8_t {
  none,
  short_input,   // ends before its length says
  magic,         // not format v2
  length,        // a length that cannot be
  checksum,      // the CRC-32C differs
  attributes,    // an unknown compression
  count,         // more or fewer records than the header says
  record,        // a record that does not add up
  offsets,       // offset deltas not ascending, or above the header's last
  decompression  // damaged, or larger than allowed
};
std::string_view describe(BatchFault fault);

struct RecordView {
  ByteView key{};
  ByteView value{};
  int64_t timestamp = 0;     // append(): milliseconds; walking: difference from the base timestamp
  int32_t offset_delta = 0;  // append() counts by itself
  bool has_key = false;
  bool has_value = true;
};

struct BatchHeader {
  int64_t base_offset = 0;
  int32_t leader_epoch = -1;
  Codec codec = Codec::none;
  bool transactional = false;
  bool control = false;
  bool log_append_time = false;
  int32_t last_offset_delta = 0;
  Millis base_timestamp;
  Millis max_timestamp;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
  uint32_t count = 0;
};

// What stands in a record for its time, and the time for that. Both wrap around: any two 64-bit
// times have a difference, however far apart a client sets them.
inline int64_t time_difference(Millis base, Millis time) {
  return static_cast<int64_t>(static_cast<uint64_t>(time.value) -
                              static_cast<uint64_t>(base.value));
}
inline Millis time_of(Millis base, int64_t difference) {
  return {
      static_cast<int64_t>(static_cast<uint64_t>(base.value) + static_cast<uint64_t>(difference))};
}

// Bytes of a batch of nothing but this record, uncompressed: what Kafka compares with a topic's
// max.message.bytes.
size_t lone_batch_bytes(ByteView key, bool has_key, ByteView value, bool has_value = true);
// Has each record of a section at most so many? False for a damaged one. Cheap where the whole has.
bool each_fits(ByteView records, uint32_t count, size_t lone_batch_bytes_max);

// Writes a records section. Keeps its memory over clear().
class RecordsBuilder {
 public:
  // Offset deltas count from 0; the first record's timestamp becomes the base.
  void append(const RecordView& record);
  // Like append(), but returns the place where the caller writes exactly `value_bytes` bytes.
  char* append_open(ByteView key, bool has_key, size_t value_bytes, Millis timestamp);
  void clear();

  ByteView bytes() const { return {memory_.get(), used_}; }
  uint32_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  Millis base_timestamp() const { return base_timestamp_; }
  Millis max_timestamp() const { return max_timestamp_; }
  // A header for these records: base offset 0, no compression.
  BatchHeader header() const;

 private:
  char* begin_record(const RecordView& record, size_t value_bytes);
  char* reserve(size_t more_bytes);
  std::unique_ptr<char[]> memory_;
  size_t used_ = 0;
  size_t capacity_ = 0;
  uint32_t count_ = 0;
  Millis base_timestamp_;
  Millis max_timestamp_;
};

// Walks a records section, record by record.
class RecordWalker {
 public:
  RecordWalker(ByteView records, uint32_t count)
      : at_(records.data()), end_(records.data() + records.size()), left_(count) {}
  // False at the end and at a fault; fault() tells which.
  bool next(RecordView& record);
  BatchFault fault() const { return fault_; }

 private:
  bool stop(BatchFault fault);
  const char* at_;
  const char* end_;
  uint32_t left_;
  int64_t last_delta_ = -1;
  BatchFault fault_ = BatchFault::none;
};

// Writes the kBatchHeaderBytes of a batch, with lengths and CRC filled in, to `to`; the records
// themselves may follow from elsewhere.
void write_header(char* to, const BatchHeader& header, ByteView records);
// Appends header and records, with lengths and CRC filled in. `records` are as the codec made them.
void append_batch(std::string& out, const BatchHeader& header, ByteView records);
// Puts the base offset into a finished batch; the CRC stays right.
void set_base_offset(char* batch, int64_t base_offset);

struct BatchView {
  BatchHeader header;
  ByteView records;       // compressed as the header says
  size_t size_bytes = 0;  // of the whole batch; another may follow
};
// The first batch of `bytes`.
std::expected<BatchView, BatchFault> parse_batch(ByteView bytes);
// The records section, uncompressed: the view itself, or `scratch` filled with at most max_bytes.
std::expected<ByteView, BatchFault> open_records(const BatchView& batch, size_t max_bytes,
                                                 std::string& scratch);
// Walks all records without keeping anything.
BatchFault check_records(ByteView records, const BatchHeader& header);

}  // namespace penstock::wire
