#include "wire/record_batch.h"

#include "wire/crc32c.h"
#include "wire/varint.h"

#include <limits>
#include <type_traits>

namespace penstock::wire {
namespace {

// Places in the header, in bytes from the batch's begin.
constexpr size_t kLengthAt = 8;
constexpr size_t kLengthCountsFrom = 12;
constexpr size_t kMagicAt = 16;
constexpr size_t kChecksumAt = 17;
constexpr size_t kChecksumCountsFrom = 21;
constexpr char kMagic = 2;

constexpr unsigned kCodecMask = 0x07;
constexpr unsigned kAppendTimeBit = 0x08;
constexpr unsigned kTransactionalBit = 0x10;
constexpr unsigned kControlBit = 0x20;

template <class T>
void put(char* at, T value) {
  auto bits = static_cast<std::make_unsigned_t<T>>(value);
  for (size_t i = sizeof(T); i-- > 0; bits = static_cast<decltype(bits)>(bits >> 7 >> 1)) {
    at[i] = static_cast<char>(bits & 0xff);
  }
}

template <class T>
T get(const char*& at) {
  std::make_unsigned_t<T> bits = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    bits = static_cast<decltype(bits)>(bits << 7 << 1 | static_cast<unsigned char>(*at++));
  }
  return static_cast<T>(bits);
}

int16_t attributes_of(const BatchHeader& header) {
  return static_cast<int16_t>(
      static_cast<unsigned>(header.codec) | (header.log_append_time ? kAppendTimeBit : 0u) |
      (header.transactional ? kTransactionalBit : 0u) | (header.control ? kControlBit : 0u));
}

BatchHeader read_header(ByteView bytes) {
  BatchHeader header;
  const char* at = bytes.data();
  header.base_offset = get<int64_t>(at);
  at += 4;
  header.leader_epoch = get<int32_t>(at);
  at += 5;  // magic, checksum
  const auto attributes = static_cast<unsigned>(get<uint16_t>(at));
  header.codec = static_cast<Codec>(attributes & kCodecMask);
  header.log_append_time = (attributes & kAppendTimeBit) != 0;
  header.transactional = (attributes & kTransactionalBit) != 0;
  header.control = (attributes & kControlBit) != 0;
  header.last_offset_delta = get<int32_t>(at);
  header.base_timestamp.value = get<int64_t>(at);
  header.max_timestamp.value = get<int64_t>(at);
  header.producer_id = get<int64_t>(at);
  header.producer_epoch = get<int16_t>(at);
  header.base_sequence = get<int32_t>(at);
  header.count = get<uint32_t>(at);
  return header;
}

// Takes `length` bytes, or nothing for -1.
bool get_bytes(const char*& at, const char* end, ByteView& bytes, bool& present) {
  int64_t length = 0;
  if (!get_varint(at, end, length) || length < -1) return false;
#ifndef PENSTOCK_PLANTED_OVERFLOW  // fuzz/ leaves it out in one program, and has to find that
  if (length > end - at) return false;
#endif
  present = length >= 0;
  bytes = present ? ByteView(at, static_cast<size_t>(length)) : ByteView{};
  at += present ? length : 0;
  return true;
}

// Headers are walked so that the record's end can be trusted, and dropped.
bool skip_headers(const char*& at, const char* end) {
  int64_t count = 0;
  if (!get_varint(at, end, count) || count < 0 || count > (end - at) / 2) return false;
  for (; count > 0; --count) {
    ByteView bytes;
    bool present = false;
    if (!get_bytes(at, end, bytes, present) || !present) return false;
    if (!get_bytes(at, end, bytes, present)) return false;
  }
  return true;
}

}  // namespace

std::string_view describe(BatchFault fault) {
  switch (fault) {
    case BatchFault::none:
      return "no fault";
    case BatchFault::short_input:
      return "the batch ends before its length says";
    case BatchFault::magic:
      return "not a record batch of format v2";
    case BatchFault::length:
      return "the batch's length cannot be";
    case BatchFault::checksum:
      return "the checksum differs";
    case BatchFault::attributes:
      return "unknown compression";
    case BatchFault::count:
      return "more or fewer records than the header says";
    case BatchFault::record:
      return "a record does not add up";
    case BatchFault::offsets:
      return "the offsets do not ascend";
    case BatchFault::decompression:
      return "the compressed records are damaged or too large";
  }
  return "unknown fault";
}

size_t lone_batch_bytes(ByteView key, bool has_key, ByteView value, bool has_value) {
  constexpr size_t kFixed = 4;  // attributes, timestamp and offset deltas of 0, no headers
  const auto with_length = [](ByteView bytes, bool there) {
    return there ? varint_bytes(static_cast<int64_t>(bytes.size())) + bytes.size() : 1;
  };
  const size_t body = kFixed + with_length(key, has_key) + with_length(value, has_value);
  return kBatchHeaderBytes + varint_bytes(static_cast<int64_t>(body)) + body;
}

bool each_fits(ByteView records, uint32_t count, size_t lone_batch_bytes_max) {
  if (kBatchHeaderBytes + records.size() <= lone_batch_bytes_max) return true;
  RecordWalker walker(records, count);
  RecordView record;
  while (walker.next(record)) {
    const size_t bytes =
        lone_batch_bytes(record.key, record.has_key, record.value, record.has_value);
    if (bytes > lone_batch_bytes_max) return false;
  }
  return walker.fault() == BatchFault::none;
}

bool RecordWalker::stop(BatchFault fault) {
  fault_ = fault;
  left_ = 0;
  at_ = end_;
  return false;
}

bool RecordWalker::next(RecordView& record) {
  if (left_ == 0) {
    if (at_ != end_) stop(BatchFault::count);
    return false;
  }
  if (at_ == end_) return stop(BatchFault::count);
  int64_t length = 0;
  if (!get_varint(at_, end_, length) || length < 1 || length > end_ - at_) {
    return stop(BatchFault::record);
  }
  const char* end = at_ + length;
  ++at_;  // attributes
  int64_t offset_delta = 0;
  if (!get_varint(at_, end, record.timestamp) || !get_varint(at_, end, offset_delta)) {
    return stop(BatchFault::record);
  }
  if (offset_delta <= last_delta_ || offset_delta > std::numeric_limits<int32_t>::max()) {
    return stop(BatchFault::offsets);
  }
  if (!get_bytes(at_, end, record.key, record.has_key) ||
      !get_bytes(at_, end, record.value, record.has_value) || !skip_headers(at_, end) ||
      at_ != end) {
    return stop(BatchFault::record);
  }
  record.offset_delta = static_cast<int32_t>(offset_delta);
  last_delta_ = offset_delta;
  --left_;
  return true;
}

void write_header(char* at, const BatchHeader& header, ByteView records) {
  put<int64_t>(at, header.base_offset);
  put<int32_t>(at + kLengthAt,
               static_cast<int32_t>(kBatchHeaderBytes - kLengthCountsFrom + records.size()));
  put<int32_t>(at + 12, header.leader_epoch);
  at[kMagicAt] = kMagic;
  put<int16_t>(at + 21, attributes_of(header));
  put<int32_t>(at + 23, header.last_offset_delta);
  put<int64_t>(at + 27, header.base_timestamp.value);
  put<int64_t>(at + 35, header.max_timestamp.value);
  put<int64_t>(at + 43, header.producer_id);
  put<int16_t>(at + 51, header.producer_epoch);
  put<int32_t>(at + 53, header.base_sequence);
  put<uint32_t>(at + 57, header.count);
  const ByteView head(at + kChecksumCountsFrom, kBatchHeaderBytes - kChecksumCountsFrom);
  put<uint32_t>(at + kChecksumAt, crc32c(records, crc32c(head)));
}

void append_batch(std::string& out, const BatchHeader& header, ByteView records) {
  const size_t begin = out.size();
  out.resize(begin + kBatchHeaderBytes);
  write_header(out.data() + begin, header, records);
  out += records;
}

void set_base_offset(char* batch, int64_t base_offset) { put<int64_t>(batch, base_offset); }

std::expected<BatchView, BatchFault> parse_batch(ByteView bytes) {
  if (bytes.size() < kBatchHeaderBytes) return std::unexpected(BatchFault::short_input);
  if (bytes[kMagicAt] != kMagic) return std::unexpected(BatchFault::magic);
  const char* at = bytes.data() + kLengthAt;
  const int64_t size = static_cast<int64_t>(get<int32_t>(at)) + int64_t{kLengthCountsFrom};
  if (size < int64_t{kBatchHeaderBytes}) return std::unexpected(BatchFault::length);
  if (size > static_cast<int64_t>(bytes.size())) return std::unexpected(BatchFault::short_input);
  bytes = bytes.substr(0, static_cast<size_t>(size));
  at = bytes.data() + kChecksumAt;
  if (get<uint32_t>(at) != crc32c(bytes.substr(kChecksumCountsFrom))) {
    return std::unexpected(BatchFault::checksum);
  }
  BatchView view{read_header(bytes), bytes.substr(kBatchHeaderBytes), bytes.size()};
  if (view.header.codec > Codec::zstd) return std::unexpected(BatchFault::attributes);
  if (view.header.last_offset_delta < 0 || view.header.base_offset < 0 ||
      view.header.base_offset > std::numeric_limits<int64_t>::max() / 2) {
    return std::unexpected(BatchFault::offsets);
  }
  return view;
}

std::expected<ByteView, BatchFault> open_records(const BatchView& batch, size_t max_bytes,
                                                 std::string& scratch) {
  if (batch.header.codec == Codec::none) return batch.records;
  if (!decompress(batch.header.codec, batch.records, max_bytes, scratch)) {
    return std::unexpected(BatchFault::decompression);
  }
  return ByteView(scratch);
}

BatchFault check_records(ByteView records, const BatchHeader& header) {
  RecordWalker walker(records, header.count);
  RecordView record;
  int32_t last = -1;
  while (walker.next(record)) last = record.offset_delta;
  if (walker.fault() != BatchFault::none) return walker.fault();
  return last > header.last_offset_delta ? BatchFault::offsets : BatchFault::none;
}

}  // namespace penstock::wire
