// store_contract_cases.h — the cases of store_contract.h in which nothing fails but workers and
// rows; that header includes this.
//
// Thread      one.
#pragma once

#include "flow/store_contract.h"

namespace penstock::flow {
namespace store_cases {

inline constexpr Partition kFirst{0, 0};
inline constexpr Partition kSecond{0, 1};

inline void append_keeps_all(StoreHarness& harness) {
  if (!has_merge(harness, Merge::append)) return;
  const StoreSpec spec = store_contract_spec(Merge::append);
  ContractWriter writer(harness, spec);
  const Owned owned = writer.claim();
  CHECK(owned.start == Start::first);
  CHECK(owned.next == Offset{0});
  writer.write(kFirst, 0, {{"a", 1, 1.5}, {"a", 1, 1.5}, {std::nullopt, 2, 2.5}});
  const Ended ended = writer.commit(owned, 0, 3);
  REQUIRE(ended.end == CommitEnd::done);
  CHECK(ended.durable.find(kFirst) == Offset{3});
  CHECK(contract_rows(harness, spec) == 3);
  CHECK(contract_has(harness, spec, {"\"id\":null", "\"v\":2.5"}));
}

inline void upsert_last_wins(StoreHarness& harness) {
  if (!has_merge(harness, Merge::upsert)) return;
  const StoreSpec spec = store_contract_spec(Merge::upsert);
  ContractWriter writer(harness, spec);
  const Owned owned = writer.claim();
  writer.write(kFirst, 0, {{"a", 9, 1.5}, {"b", 1, 2.5}, {"a", 1, 3.5}});
  REQUIRE(writer.commit(owned, 0, 3).end == CommitEnd::done);
  CHECK(contract_rows(harness, spec) == 2);
  CHECK(contract_has(harness, spec, {"\"a\"", "3.5"}));
  writer.write(kFirst, 3, {{"b", 0, 4.5}});
  REQUIRE(writer.commit(owned, 3, 4).end == CommitEnd::done);
  CHECK(contract_has(harness, spec, {"\"b\"", "4.5"}));
  CHECK_FALSE(contract_has(harness, spec, {"2.5"}));
}

inline void newest_wins(StoreHarness& harness) {
  if (!has_merge(harness, Merge::newest_by)) return;
  const StoreSpec spec = store_contract_spec(Merge::newest_by);
  ContractWriter writer(harness, spec);
  const Owned owned = writer.claim();
  writer.write(kFirst, 0, {{"a", 5, 1.5}, {"a", 7, 2.5}, {"a", 6, 3.5}});
  REQUIRE(writer.commit(owned, 0, 3).end == CommitEnd::done);
  CHECK(contract_has(harness, spec, {"\"a\"", "2.5"}));
  writer.write(kFirst, 3, {{"a", 7, 4.5}});  // a tie: the later offset
  REQUIRE(writer.commit(owned, 3, 4).end == CommitEnd::done);
  writer.write(kFirst, 4, {{"a", -3, 5.5}});
  REQUIRE(writer.commit(owned, 4, 5).end == CommitEnd::done);
  CHECK(contract_rows(harness, spec) == 1);
  CHECK(contract_has(harness, spec, {"\"a\"", "4.5"}));
}

inline void rows_are_found_by_a_field(StoreHarness& harness) {
  const StoreSpec spec = store_contract_spec(harness);
  ContractWriter writer(harness, spec);
  const Owned owned = writer.claim();
  writer.write(kFirst, 0, {{"a", 1, 1.5}, {"b", 2, 2.5}, {"d", 1, 3.5}, {"it's", 12, 4.5}});
  REQUIRE(writer.commit(owned, 0, 4).end == CommitEnd::done);
  const auto count = [&](const std::string& field, const std::string& value) {
    const auto rows = harness.store().newest(spec.table, 10, RowFilter{field, value});
    REQUIRE(rows.has_value());
    return rows->size();
  };
  CHECK(count("id", "a") == 1);
  CHECK(count("at", "1") == 2);
  CHECK(count("id", "it's") == 1);
  CHECK(count("id", "c") == 0);
  CHECK(count("at", "2") == 1);
}

inline void aborted_is_invisible(StoreHarness& harness) {
  const StoreSpec spec = keyed_contract_spec(harness);
  ContractWriter writer(harness, spec);
  const Owned owned = writer.claim();
  writer.write(kFirst, 0, {{"a", 1, 1.5}});
  writer.abort();
  CHECK(contract_rows(harness, spec) == 0);
  writer.write(kFirst, 0, {{"b", 1, 2.5}});
  REQUIRE(writer.commit(owned, 0, 1).end == CommitEnd::done);
  CHECK(contract_rows(harness, spec) == 1);
  CHECK_FALSE(contract_has(harness, spec, {"1.5"}));
}

inline void positions_and_rows_survive_together(StoreHarness& harness) {
  const StoreSpec spec = store_contract_spec(harness);
  uint64_t term = 0;
  {
    ContractWriter writer(harness, spec);
    const Owned owned = writer.claim();
    term = owned.term.value;
    writer.write(kFirst, 0, {{"a", 1, 1.5}, {"b", 1, 1.5}});
    REQUIRE(writer.commit(owned, 0, 2).end == CommitEnd::done);
    writer.write(kFirst, 2, {{"c", 1, 1.5}});  // never committed
  }
  harness.reopen();
  ContractWriter again(harness, spec);
  const Owned owned = again.claim();
  CHECK(owned.start == Start::resumed);
  CHECK(owned.next == Offset{2});
  CHECK(owned.fates.in == 2);
  CHECK(owned.fates.out.of("latest") == 2);
  CHECK(owned.term.value > term);
  CHECK(contract_rows(harness, spec) == 2);
  auto state = harness.store().state(spec);
  REQUIRE(state.has_value());
  REQUIRE(state->positions.size() == 1);
  CHECK(state->positions[0].topic == "in");
  CHECK(state->positions[0].next == Offset{2});
}

// A key of its own for every offset.
inline ContractRow row_at(int64_t offset) {
  return {"r" + std::to_string(offset), offset, static_cast<double>(offset) + 0.5};
}

// Crash after every call: whatever happened, the position says exactly which rows are there.
inline void crash_anywhere(StoreHarness& harness) {
  const StoreSpec spec = store_contract_spec(harness);
  enum class Last { opened, claim_begun, claimed, written, commit_begun, committed, abort_begun };
  int64_t least = 0;
  for (int last = 0; last <= static_cast<int>(Last::abort_begun); ++last) {
    const auto at_least = [&](Last step) { return last >= static_cast<int>(step); };
    const bool aborts = last == static_cast<int>(Last::abort_begun);
    {
      ContractWriter writer(harness, spec);
      if (last == static_cast<int>(Last::claim_begun)) writer.sink().begin_claim({kFirst}, nullptr);
      if (at_least(Last::claimed)) {
        const Owned owned = writer.claim();
        const int64_t from = owned.next.value;
        check_rows(harness, spec, from);
        const PartitionCommit moved{kFirst, owned.term, {from}, {from + 2}, {}};
        if (at_least(Last::written)) writer.write(kFirst, from, {row_at(from), row_at(from + 1)});
        if (last == static_cast<int>(Last::commit_begun))
          writer.sink().begin_commit({{moved}, nullptr});
        if (last == static_cast<int>(Last::committed)) {
          REQUIRE(writer.commit({moved}).end == CommitEnd::done);
          least = from + 2;
        }
        if (aborts) writer.sink().begin_abort();
      }
    }
    harness.reopen();
    ContractWriter reader(harness, spec);
    const int64_t next = reader.claim().next.value;
    CHECK(next >= least);
    CHECK(next % 2 == 0);
    check_rows(harness, spec, next);
  }
  CHECK(least > 0);
  ContractWriter last(harness, spec);
  const Owned owned = last.claim();
  const int64_t from = owned.next.value;
  last.write(kFirst, from, {row_at(from), row_at(from + 1)});
  REQUIRE(last.commit(owned, from, from + 2).end == CommitEnd::done);
  CHECK(contract_rows(harness, spec) == static_cast<uint64_t>(from + 2));
}

// The answer to a commit is never seen: a new sink reads back what stands there.
inline void lost_answer(StoreHarness& harness) {
  const StoreSpec spec = store_contract_spec(harness);
  {
    ContractWriter writer(harness, spec);
    const Owned owned = writer.claim();
    writer.write(kFirst, 0, {{"a", 1, 1.5}});
    writer.sink().begin_commit({{{kFirst, owned.term, {0}, {1}, {}}}, nullptr});
  }
  ContractWriter next(harness, spec);
  const Owned owned = next.claim();
  check_rows(harness, spec, owned.next.value);
  if (owned.next.value == 0) next.write(kFirst, 0, {{"a", 1, 1.5}});
  REQUIRE(next.commit({{kFirst, owned.term, owned.next, {1}, {}}}).end == CommitEnd::done);
  CHECK(contract_rows(harness, spec) == 1);
}

// The zombie's rows are those of the heir: both read the same records.
inline void zombie_is_fenced(StoreHarness& harness) {
  const StoreSpec spec = store_contract_spec(harness);
  ContractWriter zombie(harness, spec);
  const Owned old = zombie.claim();
  zombie.write(kFirst, 0, {row_at(0)});
  ContractWriter heir(harness, spec);
  const Owned owned = heir.claim();
  CHECK(owned.term > old.term);
  // Fenced by the term alone: the position has not moved.
  CHECK(zombie.commit(old, 0, 1).end == CommitEnd::fenced);
  check_rows(harness, spec, 0);
  heir.write(kFirst, 0, {row_at(0), row_at(1)});
  REQUIRE(heir.commit(owned, 0, 2).end == CommitEnd::done);
  zombie.abort();
  zombie.write(kFirst, 0, {row_at(0)});
  CHECK(zombie.commit(old, 0, 1).end == CommitEnd::fenced);
  CHECK(contract_rows(harness, spec) == 2);
  ContractWriter next(harness, spec);
  CHECK(next.claim().next == Offset{2});
}

// A position that is not the stored one is refused, also under the right term.
inline void stale_position_is_fenced(StoreHarness& harness) {
  const StoreSpec spec = store_contract_spec(harness);
  ContractWriter writer(harness, spec);
  const Owned owned = writer.claim();
  writer.write(kFirst, 0, {{"a", 1, 1.5}});
  REQUIRE(writer.commit(owned, 0, 1).end == CommitEnd::done);
  writer.write(kFirst, 0, {{"a", 1, 1.5}});
  CHECK(writer.commit(owned, 0, 1).end == CommitEnd::fenced);
  CHECK(contract_rows(harness, spec) == 1);
}

inline void one_bad_row(StoreHarness& harness) {
  const StoreSpec spec = keyed_contract_spec(harness);
  ContractWriter writer(harness, spec);
  const Owned owned = writer.claim();
  std::vector<ContractRow> rows;
  for (int i = 0; i < 100; ++i) rows.push_back({"m" + std::to_string(i), i, 1.5});
  rows[37].id = std::nullopt;
  writer.write(kFirst, 0, rows);
  const Ended ended = writer.commit(owned, 0, 100);
  REQUIRE(ended.end == CommitEnd::rejected);
  REQUIRE(ended.rejected.size() == 1);
  CHECK(ended.rejected[0].row == RowId{kFirst, {37}});
  CHECK(ended.rejected[0].reason == "store.not_null");
  check_rows(harness, spec, 0);
  REQUIRE(writer.commit(owned, 0, 100).end == CommitEnd::done);  // without the bad one
  CHECK(contract_rows(harness, spec) == 99);
  writer.write(kFirst, 100, rows);  // the next epoch is judged by itself
  CHECK(writer.commit(owned, 100, 200).end == CommitEnd::rejected);
}

inline void several_partitions(StoreHarness& harness) {
  const StoreSpec spec = store_contract_spec(harness);
  ContractWriter both(harness, spec);
  const std::vector<Owned> owned = both.claim({kFirst, kSecond});
  REQUIRE(owned.size() == 2);
  both.write(kFirst, 0, {{"a", 1, 1.5}});
  both.write(kSecond, 0, {{"b", 1, 1.5}, {"c", 1, 1.5}});
  REQUIRE(
      both.commit({{kFirst, owned[0].term, {0}, {1}, {}}, {kSecond, owned[1].term, {0}, {2}, {}}})
          .end == CommitEnd::done);
  CHECK(contract_rows(harness, spec) == 3);
  // One of them goes to another worker: an epoch of both is refused, whole where it is one act.
  both.sink().release({kSecond});
  ContractWriter other(harness, spec);
  const Owned second = other.claim({kSecond}).at(0);
  CHECK(second.next == Offset{2});
  both.write(kFirst, 1, {{"d", 1, 1.5}});
  CHECK(both.commit({{kFirst, owned[0].term, {1}, {2}, {}}, {kSecond, owned[1].term, {2}, {3}, {}}})
            .end == CommitEnd::fenced);
  check_rows(harness, spec, 3);
  ContractWriter first(harness, spec);
  const Owned again = first.claim();
  const int64_t from = again.next.value;
  if (harness.traits().one_act) CHECK(from == 1);
  if (from == 1) {
    first.write(kFirst, 1, {{"d", 1, 1.5}});
    REQUIRE(first.commit(again, 1, 2).end == CommitEnd::done);
  }
  other.write(kSecond, 2, {{"e", 1, 1.5}});
  REQUIRE(other.commit({{kSecond, second.term, {2}, {3}, {}}}).end == CommitEnd::done);
  CHECK(contract_rows(harness, spec) == 5);
}

inline void stages_do_not_meet(StoreHarness& harness) {
  const StoreSpec spec = store_contract_spec(harness);
  StoreSpec other = spec;
  other.stage = "s2";
  ContractWriter a(harness, spec), b(harness, other);
  const Owned owned_a = a.claim(), owned_b = b.claim();
  a.write(kFirst, 0, {{"a", 1, 1.5}});
  b.write(kFirst, 0, {{"b", 1, 1.5}});
  REQUIRE(a.commit(owned_a, 0, 1).end == CommitEnd::done);
  REQUIRE(b.commit(owned_b, 0, 1).end == CommitEnd::done);
  CHECK(contract_rows(harness, spec) == 2);
}

inline void recreated_topic(StoreHarness& harness) {
  const StoreSpec spec = store_contract_spec(harness);
  {
    ContractWriter writer(harness, spec);
    const Owned owned = writer.claim();
    REQUIRE(writer.commit(owned, 0, 1).end == CommitEnd::done);
  }
  StoreSpec anew = spec;
  anew.lineages = {"lineage-2"};
  ContractWriter writer(harness, anew);
  const SinkEvent event = writer.try_claim({kFirst});
  REQUIRE(std::holds_alternative<ClaimFailed>(event));
  CHECK_FALSE(std::get<ClaimFailed>(event).retry);
  CHECK(std::get<ClaimFailed>(event).error.code == "S003"_code);
}

inline void table_that_does_not_fit(StoreHarness& harness) {
  StoreSpec spec = keyed_contract_spec(harness);
  REQUIRE(harness.store().create_missing(spec.table).has_value());
  REQUIRE(harness.store().create_missing(spec.table).has_value());
  StoreTable other_key = spec.table;
  other_key.key = {"id", "at"};
  auto made = harness.store().create_missing(other_key);
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().code == "S002"_code);
  if (!harness.traits().typed) return;
  StoreTable other_type = spec.table;
  auto schema = avro::parse(
      R"({"type":"record","name":"Row","fields":[{"name":"id","type":["null","string"]},)"
      R"({"name":"at","type":"string"},{"name":"v","type":"double"}]})");
  REQUIRE(schema.has_value());
  other_type.schema = *schema;
  made = harness.store().create_missing(other_type);
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().code == "S002"_code);
  CHECK(made.error().message.find("\"at\"") != std::string::npos);
}

inline void table_that_lacks_a_column(StoreHarness& harness) {
  StoreSpec spec = keyed_contract_spec(harness);
  {
    ContractWriter writer(harness, spec);
    const Owned owned = writer.claim();
    writer.write(kFirst, 0, {{"a", 1, 1.5}});
    REQUIRE(writer.commit(owned, 0, 1).end == CommitEnd::done);
  }
  StoreSpec wider = spec;
  auto schema = avro::parse(
      R"({"type":"record","name":"Row","fields":[{"name":"id","type":["null","string"]},)"
      R"({"name":"at","type":"long"},{"name":"v","type":"double"},{"name":"w","type":"long"}]})");
  REQUIRE(schema.has_value());
  wider.table.schema = *schema;
  REQUIRE(harness.store().create_missing(wider.table).has_value());
  REQUIRE(harness.store().create_missing(wider.table).has_value());
  // A worker of the former schema goes on, also beside the new one.
  ContractWriter writer(harness, spec);
  const Owned owned = writer.claim();
  writer.write(kFirst, 1, {{"b", 2, 2.5}});
  REQUIRE(writer.commit(owned, 1, 2).end == CommitEnd::done);
  CHECK(contract_rows(harness, wider) == 2);
}

}  // namespace store_cases

}  // namespace penstock::flow
