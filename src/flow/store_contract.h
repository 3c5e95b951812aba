// store_contract.h — what every store has to keep, as tests, run by every room under store/.
//
// Nothing is expected to have happened when a call returns, only within a bounded wait. Stores
// differ in two ways, and say so by StoreTraits: which merges they have, and whether rows and
// positions are one act. Where they are not (keyed puts, positions after them, per partition) rows
// may be ahead of their position after a crash, but never go back, and a replay changes nothing.
//
// What a store's world can do to it (cut a request, be away, refuse a value) the harness offers by
// hooks; a case that needs a hook which is not there is left out. So a harness overrides all that
// its store can meet. Planted bugs in store/model prove that the cases notice what they are for.
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

#include <algorithm>
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

struct StoreTraits {
  std::vector<Merge> merges = {Merge::append, Merge::upsert, Merge::newest_by};
  bool one_act = true;  // an epoch's rows and positions are there together or not at all
  bool typed = true;    // a table has columns of types, so records of another type do not fit
};

// One request to the store's world that is lost, counted from now: 0 is the next one.
struct StoreCut {
  uint32_t after = 0;
  bool applied = false;  // it reached the store and was done; only the answer is lost
};

// What a store's test provides.
class StoreHarness {
 public:
  virtual ~StoreHarness() = default;
  // The store as it is now; the reference ends at reopen().
  virtual Store& store() = 0;
  // Another way to the same content, that no fault touches: for looking only.
  virtual Store& reader() { return store(); }
  // The process dies and starts again. Every sink is gone before this is called.
  virtual void reopen() = 0;
  virtual StoreTraits traits() const { return {}; }

  // ---- hooks: false (or nothing) when the harness can not do it

  // Cuts one request, and with it the connection if there is one; later ones are answered.
  virtual bool arm(const StoreCut&) { return false; }
  // Whether it was cut; forgets the cut.
  virtual bool disarm() { return false; }
  // While away, nothing is answered (and nothing is waited for: a connection is refused).
  virtual bool set_away(bool) { return false; }
  // From now on the store itself refuses rows of the contract's table "t" whose v is above this.
  virtual bool refuse_above(double) { return false; }
  // How many transactions were begun since the beginning.
  virtual std::optional<uint64_t> transactions() { return {}; }
  // Rows of the cases with many rows.
  virtual uint32_t many() const { return 10'000; }
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

inline bool has_merge(const StoreHarness& harness, Merge merge) {
  const std::vector<Merge> merges = harness.traits().merges;
  return std::find(merges.begin(), merges.end(), merge) != merges.end();
}
// For cases in which no key comes twice: a repeated row shows, where the store can append.
inline StoreSpec store_contract_spec(const StoreHarness& harness) {
  return store_contract_spec(harness.traits().merges.front());
}
inline StoreSpec keyed_contract_spec(const StoreHarness& harness) {
  return store_contract_spec(has_merge(harness, Merge::upsert) ? Merge::upsert : Merge::newest_by);
}

// One worker's sink, and the epochs that it writes.
class ContractWriter {
 public:
  ContractWriter(StoreHarness& harness, const StoreSpec& spec, bool creates = true) {
    if (creates) {
      auto made = harness.store().create_missing(spec.table);
      REQUIRE_MESSAGE(made.has_value(), (made ? "" : one_line(made.error())));
    }
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
  void write(Partition partition, int64_t first, const std::vector<ContractRow>& rows,
             uint32_t table = 0) {
    StoreRows some;
    some.table = table;
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
  auto state = harness.reader().state(spec);
  REQUIRE(state.has_value());
  return state->rows.value_or(0);
}

// As many rows as the positions say, or more where rows come before positions.
inline void check_rows(StoreHarness& harness, const StoreSpec& spec, int64_t expected) {
  const auto rows = static_cast<int64_t>(contract_rows(harness, spec));
  if (harness.traits().one_act) {
    CHECK(rows == expected);
  } else {
    CHECK(rows >= expected);
  }
}

// True when some row of the table has all of these pieces of JSON.
inline bool contract_has(StoreHarness& harness, const StoreSpec& spec,
                         const std::vector<std::string>& pieces) {
  auto rows = harness.reader().newest(spec.table, 1000, {});
  REQUIRE(rows.has_value());
  for (const std::string& row : *rows) {
    bool all = true;
    for (const std::string& piece : pieces) all = all && row.find(piece) != row.npos;
    if (all) return true;
  }
  return false;
}

struct StoreContract {
  std::string name;
  std::function<void(StoreHarness&)> run;
};
inline std::vector<StoreContract> store_contract();

}  // namespace penstock::flow

#include "flow/store_contract_cases.h"
#include "flow/store_contract_faults.h"
