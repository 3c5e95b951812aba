// Any bytes as Kafka's record batches: what is read of one is the same when it is built and read
// again. The checksum is made right first, else nothing would come behind it.
#include "wire/crc32c.h"
#include "wire/record_batch.h"

#include <cstdlib>
#include <string>

using namespace penstock;        // NOLINT: a program of one page
using namespace penstock::wire;  // NOLINT

namespace {

constexpr size_t kMaxBytes = 1 << 20;
constexpr size_t kChecksumAt = 17, kCoveredAt = 21;  // bytes of a batch, as the format has it

std::string with_checksum(std::string batch) {
  if (batch.size() < kCoveredAt) return batch;
  const uint32_t sum = crc32c(ByteView(batch).substr(kCoveredAt));
  for (int i = 0; i < 4; ++i) batch[kChecksumAt + i] = static_cast<char>(sum >> (24 - 8 * i));
  return batch;
}

void check(const BatchView& batch) {
  std::string scratch;
  const auto records = open_records(batch, kMaxBytes, scratch);
  if (!records) return;
  if (records->size() > std::max(kMaxBytes, batch.records.size())) std::abort();
  RecordWalker walker(*records, batch.header.count);
  RecordsBuilder builder;
  RecordView record;
  uint32_t count = 0;
  for (; walker.next(record); ++count) builder.append(record);
  const bool whole = walker.fault() == BatchFault::none;
  if (whole && count != batch.header.count) std::abort();
  if (count == 0) return;
  RecordWalker again(builder.bytes(), builder.count());
  uint32_t read = 0;
  while (again.next(record)) ++read;
  if (read != count || again.fault() != BatchFault::none) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes = with_checksum({reinterpret_cast<const char*>(data), size});
  ByteView left = bytes;
  for (int batches = 0; batches < 8; ++batches) {
    const auto batch = parse_batch(left);
    if (!batch) break;
    if (batch->size_bytes == 0 || batch->size_bytes > left.size()) std::abort();
    check(*batch);
    left.remove_prefix(batch->size_bytes);
  }
  return 0;
}
