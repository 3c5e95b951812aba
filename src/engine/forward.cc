#include "engine/forward.h"

#include "engine/outlet.h"
#include "wire/partitioner.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::engine {
namespace {

class Forward final : public Processor {
 public:
  explicit Forward(std::string topic) : topic_(std::move(topic)) {}
  void begin(Epoch&) override {}

  Processed process(row::RawBatch& batch, Epoch& epoch) override {
    const int32_t partitions = epoch.partitions(0);
    const uint64_t most = epoch.record_bytes_max(0);
    for (const row::RawRecord& record : batch.records) {
      const size_t bytes =
          wire::lone_batch_bytes(record.key, record.has_key, record.value, record.has_value);
      if (bytes > most && !epoch.stuck) {
        epoch.stuck = {{batch.partition, record.offset},
                       fail("E005"_code, fmt::format("record {}: {}", record.offset.value,
                                                     too_large_text(bytes, topic_, most)))
                           .take(),
                       true};
      }
      const int32_t partition = record.has_key
                                    ? wire::partition_of(record.key, partitions)
                                    : static_cast<int32_t>(record.offset.value % partitions);
      epoch.records(0, partition)
          .append({.key = record.key,
                   .value = record.value,
                   .timestamp = record.timestamp.value,
                   .has_key = record.has_key,
                   .has_value = record.has_value});
    }
    flow::Fates& fates = epoch.fates(batch.partition);
    fates.in += batch.records.size();
    fates.out.add(topic_, batch.records.size());
    return Processed::done;
  }

  void make_dead(const flow::RejectedRow&, Epoch&) override {}

 private:
  std::string topic_;
};

}  // namespace

std::unique_ptr<Processor> make_forward(std::string topic) {
  return std::make_unique<Forward>(std::move(topic));
}

}  // namespace penstock::engine
