// Any bytes as Kafka's record batches. A batch that is read is refused when it is cut off or a bit
// of it is changed; written again it is the same; and so are its records when they are built again,
// whatever compresses them. The checksums are made right first: nothing would come behind them.
#include "wire/crc32c.h"
#include "wire/record_batch.h"

#include <algorithm>
#include <cstdlib>
#include <string>

using namespace penstock;        // NOLINT: a program of two pages
using namespace penstock::wire;  // NOLINT

namespace {

constexpr size_t kMaxBytes = 256 << 10;
constexpr size_t kPackedAgainBytes = 4 << 10;
// Places in a batch, as the format has them.
constexpr size_t kLengthAt = 8, kLengthFrom = 12, kChecksumAt = 17, kCoveredAt = 21;
constexpr size_t kAttributesAt = 21;

void demand(bool held) {
  if (!held) std::abort();
}

// Of each batch in a row, as far as their lengths say where they are.
std::string with_checksums(std::string bytes) {
  for (size_t at = 0; bytes.size() - at >= kBatchHeaderBytes;) {
    size_t size = 0;
    for (size_t i = 0; i < 4; ++i)
      size = size << 8 | static_cast<unsigned char>(bytes[at + kLengthAt + i]);
    size += kLengthFrom;
    if (size < kBatchHeaderBytes || size > bytes.size() - at) break;
    const uint32_t sum = crc32c(ByteView(bytes).substr(at + kCoveredAt, size - kCoveredAt));
    for (size_t i = 0; i < 4; ++i)
      bytes[at + kChecksumAt + i] = static_cast<char>(sum >> (24 - 8 * i));
    at += size;
  }
  return bytes;
}

BatchFault fault_of(ByteView bytes) {
  const auto batch = parse_batch(bytes);
  return batch ? BatchFault::none : batch.error();
}

// The batch is the whole of `bytes`.
void check_refusals(ByteView bytes) {
  for (const size_t cut : {bytes.size() - 1, bytes.size() / 2, kBatchHeaderBytes, size_t{0}})
    if (cut < bytes.size()) demand(fault_of(bytes.substr(0, cut)) == BatchFault::short_input);
  std::string changed(bytes);
  const size_t place = kCoveredAt + crc32c(bytes) % (bytes.size() - kCoveredAt);
  changed[place] = static_cast<char>(changed[place] ^ 1 << place % 8);
  demand(fault_of(changed) == BatchFault::checksum);
  demand(!describe(BatchFault::checksum).empty());
}

void check_written_again(const BatchView& batch, ByteView bytes) {
  std::string out = "before";
  append_batch(out, batch.header, batch.records);
  out.erase(0, 6);
  demand(out.size() == bytes.size());
  // Bits without a meaning are not written again.
  const bool known = bytes[kAttributesAt] == 0 && (bytes[kAttributesAt + 1] & 0xc0) == 0;
  if (known) demand(out == bytes);
  set_base_offset(out.data(), 42);
  const auto moved = parse_batch(out);
  demand(moved && moved->header.base_offset == 42 && moved->records == batch.records);
  demand(moved->header.codec == batch.header.codec && moved->header.count == batch.header.count);
  demand(moved->header.transactional == batch.header.transactional &&
         moved->header.control == batch.header.control &&
         moved->header.log_append_time == batch.header.log_append_time);
}

// Built records in batches of each codec, and opened again.
void check_codecs(const RecordsBuilder& builder) {
  for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    BatchHeader header = builder.header();
    header.codec = codec;
    std::string packed, bytes, scratch;
    demand(compress(codec, builder.bytes(), packed));
    append_batch(bytes, header, packed);
    const auto batch = parse_batch(bytes);
    demand(batch && batch->size_bytes == bytes.size());
    const auto opened = open_records(*batch, builder.bytes().size(), scratch);
    demand(opened && *opened == builder.bytes());
    demand(check_records(*opened, batch->header) == BatchFault::none);
    if (codec == Codec::none) continue;
    const auto too_large = open_records(*batch, builder.bytes().size() - 1, scratch);
    demand(!too_large && too_large.error() == BatchFault::decompression);
  }
}

// What the walker says of the records, as it is when they are built again one by one.
class Again {
 public:
  void add(const RecordView& record, bool open) {
    largest_ = std::max(
        largest_, lone_batch_bytes(record.key, record.has_key, record.value, record.has_value));
    if (open && record.has_value) {
      char* to = builder_.append_open(record.key, record.has_key, record.value.size(),
                                      Millis{record.timestamp});
      std::ranges::copy(record.value, to);
    } else {
      builder_.append(record);
    }
  }

  void check(ByteView section, bool whole) {
    if (builder_.empty()) return;
    const BatchHeader header = builder_.header();
    demand(check_records(builder_.bytes(), header) == BatchFault::none);
    demand(header.base_timestamp == builder_.base_timestamp() &&
           header.max_timestamp == builder_.max_timestamp());
    demand(each_fits(builder_.bytes(), builder_.count(), largest_));
    demand(!each_fits(builder_.bytes(), builder_.count(), largest_ - 1));
    if (whole) demand(each_fits(section, builder_.count(), largest_));
    if (builder_.bytes().size() <= kPackedAgainBytes) check_codecs(builder_);
    builder_.clear();
    demand(builder_.empty() && builder_.bytes().empty());
  }

 private:
  RecordsBuilder builder_;
  size_t largest_ = 0;
};

void check_records_of(const BatchView& batch) {
  std::string scratch;
  const auto records = open_records(batch, kMaxBytes, scratch);
  if (!records) return demand(records.error() == BatchFault::decompression);
  demand(records->size() <= std::max(kMaxBytes, batch.records.size()));
  RecordWalker walker(*records, batch.header.count);
  Again again;
  RecordView record;
  uint32_t count = 0;
  int32_t last = -1;
  for (; walker.next(record); ++count) {
    demand(record.offset_delta > last && record.key.size() + record.value.size() < records->size());
    last = record.offset_delta;
    again.add(record, count % 2 == 1);
  }
  const bool whole = walker.fault() == BatchFault::none;
  if (whole) demand(count == batch.header.count);
  const BatchFault fault = check_records(*records, batch.header);
  const bool above = last > batch.header.last_offset_delta;
  demand(fault == (whole && above ? BatchFault::offsets : walker.fault()));
  again.check(*records, whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes = with_checksums({reinterpret_cast<const char*>(data), size});
  ByteView left = bytes;
  for (int batches = 0; batches < 8; ++batches) {
    const auto batch = parse_batch(left);
    if (!batch) {
      demand(!describe(batch.error()).empty());
      break;
    }
    demand(batch->size_bytes >= kBatchHeaderBytes && batch->size_bytes <= left.size());
    const ByteView whole = left.substr(0, batch->size_bytes);
    check_refusals(whole);
    check_written_again(*batch, whole);
    check_records_of(*batch);
    left.remove_prefix(batch->size_bytes);
  }
  return 0;
}
