// store_contract_faults.h — the cases of store_contract.h in which the store's world fails, and
// those in which it refuses rows; that header includes this.
//
// Thread      one.
#pragma once

#include "flow/store_contract_cases.h"
#include "flow/store_contract_law.h"

#include <set>

namespace penstock::flow {
namespace store_cases {

inline void keys_repeat(StoreHarness& harness, Merge merge) {
  ContractStage stage(harness, merge);
  stage.take_over();
  for (const int64_t count : {1, 2, 100, 40}) stage.advance(count);
  harness.reopen();
  stage.take_over();
  stage.advance(30);
}

// Every request of a commit and of a claim is cut once, before and after it was done.
inline void cut_at_every_request(StoreHarness& harness, Merge merge) {
  ContractStage stage(harness, merge);
  stage.take_over();
  for (const bool applied : {false, true}) {
    uint32_t cuts = 0;
    for (bool cut = true; cut; cuts += cut ? 1 : 0) {
      INFO("request ", cuts, applied ? ", done" : ", not done");
      REQUIRE(cuts < 200);
      if (!harness.arm({cuts, applied})) return;
      stage.advance(7);
      stage.take_over();
      cut = harness.disarm();
    }
    CHECK(cuts >= 2);  // the commit's and the claim's at the least
  }
}

// A worker that was paused before its commit, and goes on when the heir is far ahead.
inline void zombie_resumes(StoreHarness& harness, Merge merge) {
  ContractStage stage(harness, merge);
  stage.take_over();
  stage.advance(5);
  stage.write(6);
  const PartitionCommit old = stage.moved();
  const auto zombie = stage.leave();
  stage.take_over();
  stage.advance(13);
  for (int i = 0; i < 2; ++i) {
    const CommitEnd end = zombie->commit({old}).end;
    const bool refused = end == CommitEnd::fenced || end == CommitEnd::unknown;
    CHECK(refused);
    stage.check();
    if (end == CommitEnd::unknown) break;
  }
  stage.advance(4);
}

// A claim while the former worker's commit is on its way: before it or after it, never in it.
inline void claimed_during_a_commit(StoreHarness& harness, Merge merge) {
  ContractStage stage(harness, merge);
  stage.take_over();
  for (int i = 0; i < 5; ++i) {
    stage.advance(3);
    stage.write(50);
    const PartitionCommit old = stage.moved();
    const auto zombie = stage.leave();
    zombie->sink().begin_commit({{old}, nullptr});
    stage.take_over();
    const SinkEvent event = zombie->wait();
    REQUIRE(std::holds_alternative<Ended>(event));
    const CommitEnd end = std::get<Ended>(event).end;
    const bool known = end == CommitEnd::done || end == CommitEnd::fenced ||
                       end == CommitEnd::unknown || end == CommitEnd::retry;
    CHECK(known);
    if (end == CommitEnd::done) CHECK(stage.owned().next == old.next);
    stage.check();
  }
  stage.advance(4);
}

// Three minutes by the pauses that a worker makes: nothing but "again" may be heard.
inline void away_for_minutes(StoreHarness& harness, Merge merge) {
  ContractStage stage(harness, merge);
  stage.take_over();
  stage.advance(5);
  stage.write(6);
  if (!harness.set_away(true)) return;
  bool sure = true;
  int64_t pause_millis = 10;
  for (int64_t millis = 0; millis < 180'000; millis += pause_millis) {
    pause_millis = std::min<int64_t>(2 * pause_millis, 2'000);
    if (!sure) {
      CHECK_FALSE(stage.try_claim());
      continue;
    }
    const CommitEnd end = stage.commit();
    REQUIRE((end == CommitEnd::retry || end == CommitEnd::unknown));
    sure = end == CommitEnd::retry;
    if (!sure) stage.use(stage.open());
  }
  harness.set_away(false);
  CommitEnd end = CommitEnd::unknown;
  for (int tries = 0; sure && end != CommitEnd::done && tries < 10; ++tries) end = stage.commit();
  if (end != CommitEnd::done) stage.take_over();
  stage.check();
  stage.advance(9);
}

// ---- rows that a store refuses

// Many rows with keys of their own; those at `bad` have a value that harness.refuse_above() bars.
inline constexpr double kRefusedValue = 5'000.0;
inline std::vector<ContractRow> many_rows(const StoreHarness& harness,
                                          const std::set<int64_t>& bad) {
  std::vector<ContractRow> rows;
  for (int64_t i = 0; i < harness.many(); ++i) {
    const double good = static_cast<double>(i % 100) + 0.5;
    rows.push_back({"r" + std::to_string(i), i, bad.contains(i) ? kRefusedValue : good});
  }
  return rows;
}

struct Refusals {
  std::set<int64_t> offsets;
  uint64_t transactions = 0;  // of all the commits that it took
};

// Commits rows 0 … many until it is done, as a worker does.
inline Refusals commit_without_refused(StoreHarness& harness, ContractWriter& writer,
                                       const Owned& owned, const std::vector<ContractRow>& rows) {
  Refusals refusals;
  const uint64_t before = harness.transactions().value_or(0);
  writer.write(kFirst, 0, rows);
  const auto end = static_cast<int64_t>(rows.size());
  Ended ended = writer.commit(owned, 0, end);
  while (ended.end == CommitEnd::rejected) {
    REQUIRE_FALSE(ended.rejected.empty());
    for (const RejectedRow& row : ended.rejected) {
      CHECK(row.reason.starts_with("store."));
      CHECK_FALSE(row.detail.empty());
      REQUIRE(refusals.offsets.insert(row.row.offset.value).second);  // each once
    }
    ended = writer.commit(owned, 0, end);
  }
  REQUIRE_MESSAGE(ended.end == CommitEnd::done, one_line(ended.error));
  refusals.transactions = harness.transactions().value_or(0) - before;
  return refusals;
}

inline void bad_rows_among_many(StoreHarness& harness, Merge merge, const std::set<int64_t>& bad) {
  const StoreSpec spec = store_contract_spec(merge);
  ContractWriter writer(harness, spec);
  if (!harness.refuse_above(kRefusedValue - 1)) return;
  const Owned owned = writer.claim();
  const Refusals refusals = commit_without_refused(harness, writer, owned, many_rows(harness, bad));
  CHECK(refusals.offsets == bad);
  CHECK(refusals.transactions <= 21 * bad.size());  // the good one, and 20 more for each
  CHECK(contract_rows(harness, spec) == harness.many() - bad.size());
}

inline void one_bad_among_many(StoreHarness& harness, Merge merge) {
  bad_rows_among_many(harness, merge, {harness.many() * 7 / 9});
}
inline void some_bad_among_many(StoreHarness& harness, Merge merge) {
  const int64_t last = harness.many() - 1;
  bad_rows_among_many(harness, merge, {0, 1, last / 2, last});
}

inline void all_rows_bad(StoreHarness& harness, Merge merge) {
  const StoreSpec spec = store_contract_spec(merge);
  ContractWriter writer(harness, spec);
  if (!harness.refuse_above(kRefusedValue - 1)) return;
  const Owned owned = writer.claim();
  std::vector<ContractRow> rows = many_rows(harness, {});
  for (ContractRow& row : rows) row.v = kRefusedValue;
  const Refusals refusals = commit_without_refused(harness, writer, owned, rows);
  CHECK(refusals.offsets.size() == rows.size());
  CHECK(refusals.transactions <= 100);
  CHECK(contract_rows(harness, spec) == 0);
}

inline void null_key_among_many(StoreHarness& harness) {
  const StoreSpec spec = keyed_contract_spec(harness);
  ContractWriter writer(harness, spec);
  const Owned owned = writer.claim();
  std::vector<ContractRow> rows = many_rows(harness, {});
  const int64_t bad = harness.many() / 3;
  rows[static_cast<size_t>(bad)].id = std::nullopt;
  const Refusals refusals = commit_without_refused(harness, writer, owned, rows);
  CHECK(refusals.offsets == std::set<int64_t>{bad});
  CHECK(refusals.transactions <= 21);
  CHECK(contract_rows(harness, spec) == rows.size() - 1);
}

}  // namespace store_cases

inline std::vector<StoreContract> store_contract() {
  using namespace store_cases;
  std::vector<StoreContract> all = {
      {"append keeps every row", append_keeps_all},
      {"upsert: the last written wins", upsert_last_wins},
      {"newest_by: the newest wins, ties go to the later offset", newest_wins},
      {"rows are found by a field", rows_are_found_by_a_field},
      {"an aborted epoch is never seen", aborted_is_invisible},
      {"positions and rows survive together", positions_and_rows_survive_together},
      {"a crash after any call", crash_anywhere},
      {"the answer of a commit is lost", lost_answer},
      {"a worker that was replaced writes nothing", zombie_is_fenced},
      {"a commit from another position writes nothing", stale_position_is_fenced},
      {"one bad row", one_bad_row},
      {"a null key among many rows", null_key_among_many},
      {"several partitions, one released", several_partitions},
      {"stages keep positions of their own", stages_do_not_meet},
      {"a topic made anew is an incident", recreated_topic},
      {"a table that does not fit", table_that_does_not_fit},
      {"a table that lacks a column gets it", table_that_lacks_a_column}};
  using Case = void (*)(StoreHarness&, Merge);
  const std::pair<const char*, Case> of_each_merge[] = {
      {"keys repeat within an epoch", keys_repeat},
      {"a cut at every request", cut_at_every_request},
      {"a worker that was paused goes on", zombie_resumes},
      {"a claim during a commit", claimed_during_a_commit},
      {"a store that is away for minutes", away_for_minutes},
      {"one row among many that the store refuses", one_bad_among_many},
      {"some rows among many that the store refuses", some_bad_among_many},
      {"every row is refused", all_rows_bad}};
  constexpr std::pair<Merge, const char*> kMerges[] = {
      {Merge::append, ": append"}, {Merge::upsert, ": upsert"}, {Merge::newest_by, ": newest_by"}};
  for (const auto& [name, run] : of_each_merge) {
    for (const auto& [merge, suffix] : kMerges) {
      all.push_back({name + std::string(suffix), [run, merge](StoreHarness& harness) {
                       if (has_merge(harness, merge)) run(harness, merge);
                     }});
    }
  }
  return all;
}

}  // namespace penstock::flow
