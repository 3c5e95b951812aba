// Rows into Redshift's staging file: the encoding alone, on one core.
//
//     redshift_bench                          # items_per_second are rows
//     valgrind --tool=callgrind --toggle-collect='*stage_rows*' build/release/bench/redshift_bench
//         --benchmark_min_time=0.01           # instructions per row

#include "base/check.h"
#include "store/redshift/staged_rows.h"
#include "store_rows.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace penstock::store::redshift {
namespace {

constexpr uint32_t kRows = 100'000;

void stage(benchmark::State& state) {
  const flow::StoreSpec spec = spec_of(flow::Merge::upsert);
  std::vector<ColumnType> columns;
  for (const avro::Field& field : spec.table.schema->root().fields) {
    const bool exact = std::ranges::find(spec.table.key, field.name) != spec.table.key.end();
    columns.push_back(column_type(*field.type, exact));
  }
  Readings rows(10'000, kRows);
  const std::vector<flow::StoreRows> epoch = {rows.epoch(0)};
  std::vector<Winner> winners(kRows);
  for (uint32_t i = 0; i < kRows; ++i) winners[i] = {0, i, 0};
  size_t bytes = 0;
  for (auto _ : state) {
    const StagedRows staged = stage_rows(columns, *spec.table.schema, epoch, winners);
    PENSTOCK_CHECK(staged.rejected.empty());
    bytes = staged.bytes.size();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.counters["bytes_per_row"] = static_cast<double>(bytes) / kRows;
}

}  // namespace

BENCHMARK(stage)->Name("staging file, 100,000 rows of 6 columns");

}  // namespace penstock::store::redshift

BENCHMARK_MAIN();
