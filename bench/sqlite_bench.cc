// Rows into the SQLite store: epochs of 5,000 rows with 6 columns, each one synced transaction.
//
//     sqlite_bench                 # items_per_second are rows

#include "avro/schema.h"
#include "base/check.h"
#include "store/sqlite/sqlite_store.h"

#include <benchmark/benchmark.h>

#include <stdlib.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace penstock::store {
namespace {

constexpr uint32_t kRows = 5'000;
constexpr int64_t kQuarterHourMillis = 900'000;
constexpr int64_t kStartMillis = 1'767'225'600'000;

class Bell final : public flow::Waker {
 public:
  void wake() noexcept override {
    const std::lock_guard lock(mutex_);
    rung_ = true;
    changed_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;
};

// One epoch's rows: every meter's reading of some quarter hours.
class Rows {
 public:
  explicit Rows(uint32_t meters) : meters_(meters), at_(kRows), kwh_(kRows), ids_(kRows) {
    for (uint32_t i = 0; i < meters; ++i) names_.push_back("meter-" + std::to_string(100'000 + i));
    meter_.resize(kRows);
    status_.assign(kRows, "Done");
    tariff_.assign(kRows, "H0");
    rows_.count = kRows;
    rows_.columns.resize(6);
    for (row::Column& column : rows_.columns) column.kind = row::Kind::string;
    rows_.columns[0].views = meter_.data();
    rows_.columns[1] = {.kind = row::Kind::int64, .int64s = at_.data()};
    rows_.columns[2] = {.kind = row::Kind::float64, .float64s = kwh_.data()};
    rows_.columns[3] = rows_.columns[2];
    rows_.columns[4].views = status_.data();
    rows_.columns[5].views = tariff_.data();
    rows_.ids = ids_;
  }
  const flow::StoreRows& epoch(int64_t first) {
    for (uint32_t i = 0; i < kRows; ++i) {
      const int64_t offset = first + i;
      meter_[i] = names_[static_cast<size_t>(offset % meters_)];
      at_[i] = kStartMillis + offset / meters_ * kQuarterHourMillis;
      kwh_[i] = static_cast<double>(offset % 977) * 0.01;
      ids_[i] = {{0, 0}, {offset}};
    }
    return rows_;
  }

 private:
  int64_t meters_;
  std::vector<std::string> names_;
  std::vector<ByteView> meter_, status_, tariff_;
  std::vector<int64_t> at_;
  std::vector<double> kwh_;
  std::vector<flow::RowId> ids_;
  flow::StoreRows rows_;
};

flow::StoreSpec spec_of(flow::Merge merge) {
  auto schema =
      avro::parse(R"({"type":"record","name":"R","fields":[{"name":"meter_id","type":"string"},)"
                  R"({"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},)"
                  R"({"name":"kwh","type":"double"},{"name":"kvarh","type":"double"},)"
                  R"({"name":"status","type":"string"},{"name":"tariff","type":"string"}]})");
  PENSTOCK_CHECK(schema.has_value());
  flow::StoreSpec spec{"p", "s", "store", {}, {"in"}, {"lineage"}};
  spec.table = {"readings", merge, {}, "", *schema};
  if (merge == flow::Merge::upsert) spec.table.key = {"meter_id", "at"};
  if (merge == flow::Merge::newest_by) {
    spec.table.key = {"meter_id"};
    spec.table.newest_by = "at";
  }
  return spec;
}

template <class Event>
Event wait(flow::StoreSink& sink, Bell& bell) {
  while (true) {
    flow::SinkEvent event = sink.poll();
    if (auto* found = std::get_if<Event>(&event)) return std::move(*found);
    PENSTOCK_CHECK(std::holds_alternative<flow::Waiting>(event));
    bell.wait();
  }
}

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
    Rows rows(meters);
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
