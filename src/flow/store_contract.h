// store_contract.h — what every store has to keep, as tests: run by store/model and store/sqlite,
// and written so that PostgreSQL and DynamoDB can pass it: nothing is expected to have happened
// when a call returns, only within a bounded wait.
//
//     TEST_CASE("store contract") {
//       for (const auto& contract : flow::store_contract()) {
//         INFO(contract.name);
//         SqliteHarness harness;
//         contract.run(harness);
//       }
//     }
//
// Thread      one.
// Limits      a wait that lasts kStoreContractWait fails the test.
#pragma once

#include "base/arena.h"
#include "flow/store.h"

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace penstock::flow {

inline constexpr std::chrono::seconds kStoreContractWait{20};

// What a store's test provides.
class StoreHarness {
 public:
  virtual ~StoreHarness() = default;
  // The store as it is now; the reference ends at reopen().
  virtual Store& store() = 0;
  // The process dies and starts again. Every sink is gone before this is called.
  virtual void reopen() = 0;
};

class StoreContractWaker final : public Waker {
 public:
  void wake() noexcept override {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(2), [&] { return woken_; });
    woken_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

// A row of the contract's schema: id (nullable text), at (long), v (double).
struct ContractRow {
  std::optional<std::string> id;
  int64_t at = 0;
  double v = 0.0;
};

inline avro::SchemaPtr store_contract_schema() {
  auto schema = avro::parse(
      R"({"type":"record","name":"Row","fields":[{"name":"id","type":["null","string"]},)"
      R"({"name":"at","type":"long"},{"name":"v","type":"double"}]})");
  REQUIRE(schema.has_value());
  return *schema;
}

inline StoreSpec store_contract_spec(Merge merge) {
  StoreSpec spec{"p", "s", "latest", {}, {"in"}, {"lineage-1"}};
  spec.table = {"t", merge, {}, "", store_contract_schema()};
  if (merge != Merge::append) spec.table.key = {"id"};
  if (merge == Merge::newest_by) spec.table.newest_by = "at";
  return spec;
}

// One worker's sink, and the epochs that it writes.
class ContractWriter {
 public:
  ContractWriter(StoreHarness& harness, const StoreSpec& spec) {
    auto made = harness.store().create_missing(spec.table);
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : one_line(made.error())));
    auto opened = harness.store().open_sink(spec, waker_);
    REQUIRE(opened.has_value());
    sink_ = *std::move(opened);
  }

  SinkEvent wait() {
    const auto deadline = std::chrono::steady_clock::now() + kStoreContractWait;
    while (true) {
      SinkEvent event = sink_->poll();
      if (!std::holds_alternative<Waiting>(event)) return event;
      REQUIRE_MESSAGE(std::chrono::steady_clock::now() < deadline, "no answer");
      waker_.wait();
    }
  }

  SinkEvent try_claim(PartitionSet partitions) {
    sink_->begin_claim(std::move(partitions), nullptr);
    return wait();
  }
  std::vector<Owned> claim(PartitionSet partitions) {
    SinkEvent event = try_claim(std::move(partitions));
    REQUIRE(std::holds_alternative<Claimed>(event));
    return std::get<Claimed>(event).owned;
  }
  Owned claim() { return claim(PartitionSet{Partition{0, 0}}).at(0); }

  // Rows at offsets first, first + 1, … of the partition.
  void write(Partition partition, int64_t first, const std::vector<ContractRow>& rows) {
    StoreRows some;
    some.count = static_cast<uint32_t>(rows.size());
    some.columns.resize(3);
    auto ids = arena_.array<ByteView>(rows.size());
    auto nulls = arena_.array<uint8_t>(rows.size());
    auto ats = arena_.array<int64_t>(rows.size());
    auto vs = arena_.array<double>(rows.size());
    auto from = arena_.array<RowId>(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      ids[i] = rows[i].id ? arena_.copy(*rows[i].id) : ByteView();
      nulls[i] = rows[i].id ? 0 : 1;
      ats[i] = rows[i].at;
      vs[i] = rows[i].v;
      from[i] = {partition, {first + static_cast<int64_t>(i)}};
    }
    some.columns[0].kind = row::Kind::string;
    some.columns[0].views = ids.data();
    some.columns[0].nulls = nulls.data();
    some.columns[1].int64s = ats.data();
    some.columns[2].kind = row::Kind::float64;
    some.columns[2].float64s = vs.data();
    some.ids = from;
    REQUIRE(sink_->write(some) == WriteAnswer::accepted);
  }

  Ended commit(std::vector<PartitionCommit> moved) {
    sink_->begin_commit({std::move(moved), nullptr});
    SinkEvent event = wait();
    REQUIRE(std::holds_alternative<Ended>(event));
    return std::get<Ended>(std::move(event));
  }
  Ended commit(const Owned& owned, int64_t from, int64_t next) {
    Fates fates;
    fates.in = static_cast<uint64_t>(next);
    fates.out.add("latest", static_cast<uint64_t>(next));
    return commit({{owned.partition, owned.term, {from}, {next}, fates}});
  }
  void abort() {
    sink_->begin_abort();
    REQUIRE(std::holds_alternative<Aborted>(wait()));
  }
  StoreSink& sink() { return *sink_; }

 private:
  StoreContractWaker waker_;
  Arena arena_;  // never reset: rows stay valid as long as the sink
  std::unique_ptr<StoreSink> sink_;
};

inline uint64_t contract_rows(StoreHarness& harness, const StoreSpec& spec) {
  auto state = harness.store().state(spec);
  REQUIRE(state.has_value());
  return state->rows.value_or(0);
}

// True when some row of the table has all of these pieces of JSON.
inline bool contract_has(StoreHarness& harness, const StoreSpec& spec,
                         const std::vector<std::string>& pieces) {
  auto rows = harness.store().newest(spec.table, 1000, {});
  REQUIRE(rows.has_value());
  for (const std::string& row : *rows) {
    bool all = true;
    for (const std::string& piece : pieces) all = all && row.find(piece) != row.npos;
    if (all) return true;
  }
  return false;
}

struct StoreContract {
  const char* name;
  std::function<void(StoreHarness&)> run;
};
inline std::vector<StoreContract> store_contract();

}  // namespace penstock::flow

#include "flow/store_contract_cases.h"
