#include "engine/dead_gate.h"

#include "engine/epoch.h"

#include <doctest/doctest.h>

namespace penstock::engine {
namespace {

DeadGate gate() { return DeadGate({.share = 0.2, .window_millis = 800, .records_min = 100}); }

TEST_CASE("the gate shuts above its share, and not at it") {
  DeadGate at = gate();
  at.count({1000}, 100, 20);
  CHECK(!at.shut());
  at.count({1000}, 0, 1);
  CHECK(at.shut());
}

TEST_CASE("few records shut nothing, be they all bad") {
  DeadGate few = gate();
  few.count({1000}, 99, 99);
  CHECK(!few.shut());
  few.count({1001}, 1, 0);
  CHECK(few.shut());
}

TEST_CASE("what is older than the window counts no more") {
  DeadGate old = gate();
  old.count({1000}, 90, 90);
  old.count({1000 + 900}, 1000, 150);
  CHECK(!old.shut());
  DeadGate within = gate();
  within.count({1000}, 90, 90);
  within.count({1000 + 600}, 100, 0);
  CHECK(within.shut());
}

TEST_CASE("once shut it stays so until it is opened; then counting begins anew") {
  DeadGate shut = gate();
  shut.count({1000}, 100, 100);
  shut.count({100'000}, 100'000, 0);
  CHECK(shut.shut());
  shut.open_again();
  CHECK(!shut.shut());
  shut.count({100'000}, 100, 10);
  CHECK(!shut.shut());
}

TEST_CASE("a share of all never stops") {
  DeadGate never(StopAbove{});
  never.count({1000}, 1'000'000, 1'000'000);
  CHECK(!never.shut());
}

TEST_CASE("an epoch counts what was put in, finds its originals, and is empty after clear()") {
  Epoch epoch;
  epoch.set_outputs(std::vector<int32_t>{2, 1});
  CHECK(epoch.nothing_encoded());
  epoch.fates({0, 3}).in += 5;
  epoch.fates({0, 1}).in += 2;
  epoch.fates({0, 3}).dead += 1;
  CHECK(epoch.in() == 7);
  CHECK(epoch.dead() == 1);
  REQUIRE(epoch.moved().size() == 2);
  CHECK(epoch.moved()[0].partition == Partition{0, 1});

  epoch.records(0, 1).append({.key = "k", .value = "v", .timestamp = 5, .has_key = true});
  epoch.records(1, 0).append({.value = "w", .timestamp = 6});
  std::vector<flow::EncodedBatch> batches;
  epoch.take_encoded(batches);
  REQUIRE(batches.size() == 2);
  CHECK(batches[0].output == 0);
  CHECK(batches[0].partition == 1);
  CHECK(batches[1].output == 1);
  CHECK(batches[1].base_timestamp == Millis{6});
  CHECK(!epoch.nothing_encoded());

  row::RawBatch held;
  held.partition = {0, 3};
  for (const int64_t offset : {10, 12, 15}) {
    row::RawRecord record;
    record.value = "value";
    record.offset = {offset};
    held.records.push_back(record);
  }
  const uint64_t before = epoch.bytes();
  epoch.hold(std::move(held));
  CHECK(epoch.bytes() == before + 15);
  REQUIRE(epoch.original({{0, 3}, {12}}) != nullptr);
  CHECK(epoch.original({{0, 3}, {12}})->offset == Offset{12});
  CHECK(epoch.original({{0, 3}, {11}}) == nullptr);
  CHECK(epoch.original({{0, 1}, {12}}) == nullptr);

  epoch.begun = epoch.closed = true;
  epoch.clear();
  CHECK(epoch.in() == 0);
  CHECK(epoch.bytes() == 0);
  CHECK(epoch.nothing_encoded());
  CHECK(epoch.original({{0, 3}, {12}}) == nullptr);
  CHECK(!epoch.begun);
  CHECK(!epoch.closed);
}

}  // namespace
}  // namespace penstock::engine
