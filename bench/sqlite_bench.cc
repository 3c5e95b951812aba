// Rows into the SQLite store: epochs of 5,000 rows with 6 columns, each one synced transaction.
//
//     sqlite_bench                 # items_per_second are rows

#include "base/check.h"
#include "store/sqlite/sqlite_store.h"
#include "store_rows.h"

#include <benchmark/benchmark.h>

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <utility>

namespace penstock::store {
namespace {

constexpr uint32_t kRows = 5'000;

void epochs(benchmark::State& state, flow::Merge merge, uint32_t meters) {
  std::string folder = (std::filesystem::temp_directory_path() / "penstock-bench-XXXXXX").string();
  PENSTOCK_CHECK(mkdtemp(folder.data()) != nullptr);
  const flow::StoreSpec spec = spec_of(merge);
  Bell bell;
  {
    auto store = SqliteStore::open(folder + "/store.sqlite");
    PENSTOCK_CHECK(store.has_value() && (*store)->create_missing(spec.table).has_value());
    auto sink = (*store)->open_sink(spec, bell);
    PENSTOCK_CHECK(sink.has_value());
    (*sink)->begin_claim({{0, 0}}, nullptr);
    const flow::Owned owned = wait<flow::Claimed>(**sink, bell).owned.at(0);
    Readings rows(meters, kRows);
    int64_t next = 0;
    for (auto _ : state) {
      PENSTOCK_CHECK((*sink)->write(rows.epoch(next)) == flow::WriteAnswer::accepted);
      (*sink)->begin_commit({{{owned.partition, owned.term, {next}, {next + kRows}, {}}}, nullptr});
      PENSTOCK_CHECK(wait<flow::Ended>(**sink, bell).end == flow::CommitEnd::done);
      next += kRows;
    }
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  std::filesystem::remove_all(folder);
}

BENCHMARK_CAPTURE(epochs, append, flow::Merge::append, 1'000)->Iterations(200)->UseRealTime();
BENCHMARK_CAPTURE(epochs, upsert, flow::Merge::upsert, 1'000)->Iterations(200)->UseRealTime();
BENCHMARK_CAPTURE(epochs, newest_by, flow::Merge::newest_by, 1'000)->Iterations(200)->UseRealTime();

}  // namespace
}  // namespace penstock::store

BENCHMARK_MAIN();
