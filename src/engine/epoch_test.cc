#include "engine/epoch.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

namespace penstock::engine {
namespace {

constexpr std::array<int32_t, 2> kPartitions = {2, 1};

// Values of one partition in the order in which a sink would write them.
std::vector<std::string> written(Epoch& epoch, uint32_t output, int32_t partition) {
  std::vector<flow::EncodedBatch> batches;
  epoch.take_encoded(batches);
  std::vector<std::string> values;
  for (const flow::EncodedBatch& batch : batches) {
    if (batch.output != output || batch.partition != partition) continue;
    wire::RecordWalker walker(batch.records, batch.count);
    wire::RecordView record;
    while (walker.next(record)) values.emplace_back(record.value);
    CHECK(walker.fault() == wire::BatchFault::none);
  }
  return values;
}

std::vector<std::string> fill(Epoch& epoch, int count) {
  std::vector<std::string> values;
  for (int i = 0; i < count; ++i) {
    values.push_back(std::to_string(i) + std::string(1000, 'x'));
    epoch.records(0, 1).append({.value = values.back(), .timestamp = i});
  }
  return values;
}

TEST_CASE("an epoch larger than a batch keeps every record, each partition's in order") {
  Epoch epoch;
  epoch.set_outputs(kPartitions);
  const std::vector<std::string> values = fill(epoch, 1'000);
  epoch.records(1, 0).append({.value = "aside"});
  CHECK(epoch.bytes() > values.size() * 1'000);
  CHECK(written(epoch, 0, 1) == values);
  CHECK(written(epoch, 1, 0) == std::vector<std::string>{"aside"});
  CHECK(written(epoch, 0, 0).empty());
}

TEST_CASE("a cleared epoch is empty, and what is put in later begins anew") {
  Epoch epoch;
  epoch.set_outputs(kPartitions);
  fill(epoch, 1'000);
  epoch.clear();
  CHECK(epoch.nothing_encoded());
  CHECK(epoch.bytes() == 0);
  const std::vector<std::string> values = fill(epoch, 600);
  CHECK(written(epoch, 0, 1) == values);
}

TEST_CASE("no batch grows much beyond its size") {
  Epoch epoch;
  epoch.set_outputs(kPartitions);
  fill(epoch, 1'000);
  std::vector<flow::EncodedBatch> batches;
  epoch.take_encoded(batches);
  CHECK(batches.size() >= 4);
  for (const flow::EncodedBatch& batch : batches) {
    CHECK(batch.records.size() <= kBatchBytes + 1'100);
  }
}

}  // namespace
}  // namespace penstock::engine
