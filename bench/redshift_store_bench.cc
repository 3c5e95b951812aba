// Rows into the double of Redshift, 6 columns, epochs of 100,000: staged, loaded by COPY, merged.
//
//     tools/with_redshift build/release/bench/redshift_store_bench
//
// The double is Python and PostgreSQL, so the figure is a bound of the double's as much as ours:
// how long the store itself was busy (CPU of this process) stands beside it.
#include "store/redshift/folder_staging.h"
#include "store/redshift/pq_database.h"
#include "store/redshift/redshift_store.h"
#include "store_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

namespace penstock::store::redshift {
namespace {

constexpr uint32_t kRows = 100'000;
constexpr uint32_t kMeters = 10'000;
constexpr int kRounds = 7;

std::string fact(const char* name) {
  const char* value = std::getenv(name);
  PENSTOCK_CHECK(value != nullptr);
  return value;
}

int measure(flow::Merge merge, const char* name) {
  StoreSettings settings;
  const ConnectionSettings connection{{{"host", "127.0.0.1"},
                                       {"port", fact("PENSTOCK_TEST_REDSHIFT_PORT")},
                                       {"user", "penstock"},
                                       {"password", "penstock"},
                                       {"dbname", "penstock"},
                                       {"sslmode", "disable"}}};
  settings.database = [connection] { return std::make_unique<PqDatabase>(connection, nullptr); };
  settings.create = true;
  settings.load.role = "default";
  settings.staging = [] {
    return std::make_unique<FolderStaging>(fact("PENSTOCK_TEST_REDSHIFT_S3"), "bench/");
  };
  RedshiftStore store(settings);
  flow::StoreSpec spec = spec_of(merge);
  spec.store = spec.table.table = name;
  PENSTOCK_CHECK(store.create_missing(spec.table).has_value());
  Bell bell;
  auto sink = store.open_sink(spec, bell);
  PENSTOCK_CHECK(sink.has_value());
  (*sink)->begin_claim({{0, 0}}, nullptr);
  flow::Owned owned = wait<flow::Claimed>(**sink, bell).owned.at(0);
  Readings rows(kMeters, kRows);
  std::vector<double> rates;
  const std::clock_t before = std::clock();
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    PENSTOCK_CHECK((*sink)->write(rows.epoch(int64_t{round} * kRows)) ==
                   flow::WriteAnswer::accepted);
    const Offset next{owned.next.value + kRows};
    (*sink)->begin_commit({{{owned.partition, owned.term, owned.next, next, {}}}, nullptr});
    const auto ended = wait<flow::Ended>(**sink, bell);
    if (ended.end != flow::CommitEnd::done) fmt::print("{}\n", one_line(ended.error));
    PENSTOCK_CHECK(ended.end == flow::CommitEnd::done);
    owned.next = next;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    rates.push_back(kRows / took.count());
  }
  const double cpu = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  std::ranges::sort(rates);
  fmt::print(
      "{}: {:.0f} rows/s (of {} epochs: {:.0f} to {:.0f}); the store {:.2f} us of CPU a row\n",
      name, rates[rates.size() / 2], kRounds, rates.front(), rates.back(),
      cpu * 1e6 / (double{kRows} * kRounds));
  return 0;
}

}  // namespace
}  // namespace penstock::store::redshift

int main() {
  using penstock::flow::Merge;
  return penstock::store::redshift::measure(Merge::append, "append") +
         penstock::store::redshift::measure(Merge::upsert, "upsert");
}
