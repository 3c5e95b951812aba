// In steady state a chain allocates nothing per record: counted by replacing the global operator
// new.
#include "engine/chain_fixture.h"

#include <cstdlib>
#include <new>

namespace {
thread_local size_t allocations = 0;
}  // namespace

[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  std::abort();
}
// stable_sort's, which is freed by the plain delete.
[[gnu::noinline]] void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace penstock::engine {
namespace {

constexpr int kRows = 1000;

row::RawBatch rows_of(const Bench& bench) {
  std::vector<Bench::Row> rows;
  for (int i = 0; i < kRows; ++i) {
    const std::string meter =
        i % 50 == 0 ? fmt::format("TEST-{}", i) : fmt::format("m{}", i % 2 + 1);
    rows.push_back(bench.record(reading(meter, i * 0.125, i, i % 3 == 0 ? "\"noted\"" : "null"),
                                fmt::format("meter-key-{}", i)));
  }
  return bench.batch(std::move(rows));
}

// Allocations of process() and of the epoch's end for one batch of kRows, when all buffers have
// grown.
size_t allocations_of(const BenchSpec& spec) {
  Bench bench(spec);
  size_t counted = 0;
  for (int round = 0; round < 6; ++round) {
    row::RawBatch batch = rows_of(bench);
    bench.chain().begin(bench.epoch());
    const size_t before = allocations;
    CHECK(bench.chain().process(batch, bench.epoch()) == Processed::done);
    counted = allocations - before;
    CHECK(bench.epoch().fates({0, 1}).dead == 0);
    bench.epoch().clear();
  }
  return counted;
}

}  // namespace

// What is left is counted per batch: the names in the fates, a store's list of columns.
constexpr size_t kPerBatch = 20;

TEST_CASE("drop and set allocate nothing per record") {
  CHECK(allocations_of({.steps = "- drop: {when: \"meter_id.startsWith('TEST-')\"}\n"
                                 "- set: {status: \"'Done'\", kw: kwh * 4.0}",
                        .key = {"meter_id"}}) <= kPerBatch);
}

TEST_CASE("join and route allocate nothing per record") {
  CHECK(allocations_of({.steps = "- drop: {when: \"meter_id.startsWith('TEST-')\"}\n"
                                 "- join: {table: meters, by: meter_id, take: [tenant, site]}\n"
                                 "- set: {kw: kwh * 4.0, status: \"'Done'\"}",
                        .key = {"meter_id"},
                        .route = "tenant"}) <= kPerBatch);
}

TEST_CASE("copies aside and rows of a store allocate nothing per record") {
  CHECK(
      allocations_of({.steps = "- send: audit\n- unset: [note]\n- drop: {when: count % 2 == 0}"}) <=
      kPerBatch);
  CHECK(allocations_of({.steps = "- set: {status: \"'Done'\"}", .store = true}) <= kPerBatch);
}

}  // namespace penstock::engine
