// log_contract_state.h — the cases of log_contract.h about the state of groups, which includes this
// file: state is as the position is, committed with the epoch or not at all.
//
// Thread      one.
#pragma once

#include "flow/log_contract.h"

#include <initializer_list>
#include <string>
#include <utility>

namespace penstock::flow::contract {

struct Wanted {
  const char* key;
  const char* value;  // null: the row goes
};

inline WriteAnswer write_rows(ContractWorker& worker, Partition input,
                              std::initializer_list<Wanted> rows) {
  std::vector<StateChange> changes;
  for (const Wanted& row : rows) {
    changes.push_back(
        {input, row.key, row.value == nullptr ? "" : row.value, row.value == nullptr});
  }
  return worker.sink().write_state(changes);
}

inline const StateRows& rows_of(const ContractWorker& worker, int32_t partition) {
  return worker.owned.at({0, partition}).state;
}

inline ContractWorker stateful_worker(Log& log, const std::string& member = "worker") {
  return {log, "g", {"in"}, {"out"}, member, true};
}

// Rows that came, changed and went, with the epochs that say so; in the order of their keys.
inline void state_is_committed_with_its_epoch(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  for (const char* value : {"first", "second"}) {
    contract_append(log, "in", 0, {value});
    ContractWorker worker = stateful_worker(log);
    worker.turn_until_assigned(1);
    const bool second = value == std::string("second");
    CHECK(rows_of(worker, 0) ==
          (second ? StateRows{{"a", "1"}, {"b", ""}, {"c/0001", "3"}} : StateRows{}));
    worker.turn_until_read(1);
    worker.copy_open();
    if (second) {
      CHECK(write_rows(worker, {0, 0}, {{"b", nullptr}, {"a", "10"}, {"d", "4"}, {"x", nullptr}}) ==
            WriteAnswer::accepted);
      CHECK(write_rows(worker, {0, 0}, {{"d", nullptr}, {"e", "5"}}) == WriteAnswer::accepted);
    } else {
      CHECK(write_rows(worker, {0, 0}, {{"c/0001", "3"}, {"a", "1"}, {"b", ""}}) ==
            WriteAnswer::accepted);
    }
    REQUIRE(worker.commit() == CommitEnd::done);
    worker.close();
  }
  ContractWorker last = stateful_worker(log);
  last.turn_until_assigned(1);
  CHECK(rows_of(last, 0) == StateRows{{"a", "10"}, {"c/0001", "3"}, {"e", "5"}});
  contract_expect(log, "out", 0, Strings{"first", "second"});
}

inline void an_abort_leaves_no_state(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  contract_append(log, "in", 0, {"a"});
  {
    ContractWorker worker = stateful_worker(log);
    worker.turn_until_assigned(1);
    worker.turn_until_read(1);
    CHECK(write_rows(worker, {0, 0}, {{"dropped", "1"}}) == WriteAnswer::accepted);
    worker.abort();
    worker.turn_until_read(1);
    worker.copy_open();
    CHECK(write_rows(worker, {0, 0}, {{"kept", "1"}}) == WriteAnswer::accepted);
    REQUIRE(worker.commit() == CommitEnd::done);
    contract_append(log, "in", 0, {"b"});
    worker.turn_until_read(1);
    CHECK(write_rows(worker, {0, 0}, {{"kept", nullptr}}) == WriteAnswer::accepted);
    worker.abort();
    worker.close();
  }
  ContractWorker next = stateful_worker(log);
  next.turn_until_assigned(1);
  CHECK(rows_of(next, 0) == StateRows{{"kept", "1"}});
}

// Whatever became of the commit: state and position say the same.
inline void an_unknown_end_leaves_state_and_position_together(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  for (const bool written : {true, false}) {
    const std::string value = written ? "kept" : "lost";
    contract_append(log, "in", 0, {value});
    Offset before;
    {
      ContractWorker worker = stateful_worker(log);
      worker.turn_until_assigned(1);
      before = worker.owned.begin()->second.next;
      worker.turn_until_read(1);
      worker.copy_open();
      CHECK(write_rows(worker, {0, 0}, {{"of", value.c_str()}}) == WriteAnswer::accepted);
      harness.lose_next_answer(written);
      REQUIRE(worker.commit() == CommitEnd::unknown);
    }
    ContractWorker worker = stateful_worker(log);
    worker.turn_until_assigned(1);
    const bool moved = worker.owned.begin()->second.next != before;
    const bool changed = rows_of(worker, 0) == StateRows{{"of", value}};
    CHECK(moved == changed);
    worker.close();
  }
}

inline void who_takes_over_is_handed_the_state(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in", .partitions = 2}, {.name = "out"}});
  contract_append(log, "in", 0, {"a"});
  contract_append(log, "in", 1, {"b"});
  ContractWorker first = stateful_worker(log, "first");
  first.turn_until_assigned(2);
  first.turn_until_read(2);
  first.copy_open();
  CHECK(write_rows(first, {0, 0}, {{"of", "0"}}) == WriteAnswer::accepted);
  CHECK(write_rows(first, {0, 1}, {{"of", "1"}, {"more", "1"}}) == WriteAnswer::accepted);
  REQUIRE(first.commit() == CommitEnd::done);
  ContractWorker second = stateful_worker(log, "second");
  contract_wait(first.waker, "a partition moves", [&] {
    first.turn();
    second.turn();
    return first.owned.size() == 1 && second.owned.size() == 1;
  });
  const int32_t moved = second.owned.begin()->first.index;
  StateRows handed = {{"of", "0"}};
  if (moved != 0) handed = {{"more", "1"}, {"of", "1"}};
  CHECK(rows_of(second, moved) == handed);
  // Who declares no state is handed none, and another group has its own.
  first.close();
  second.close();
  ContractWorker plain(log, "g", {"in"}, {"out"}, "plain");
  plain.turn_until_assigned(2);
  CHECK(rows_of(plain, 0).empty());
  ContractWorker other(log, "g2", {"in"}, {"out"}, "other", true);
  other.turn_until_assigned(2);
  CHECK(rows_of(other, 1).empty());
}

inline void an_evicted_worker_changes_no_state(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  contract_append(log, "in", 0, {"a"});
  ContractWorker old = stateful_worker(log, "old");
  old.turn_until_assigned(1);
  old.turn_until_read(1);
  old.copy_open();
  CHECK(write_rows(old, {0, 0}, {{"by", "old"}}) == WriteAnswer::accepted);
  const Commit late = old.epoch();
  harness.evict(old.source());
  {
    ContractWorker fresh = stateful_worker(log, "fresh");
    fresh.turn_until_assigned(1);
    CHECK(rows_of(fresh, 0).empty());
    fresh.turn_until_read(1);
    fresh.copy_open();
    CHECK(write_rows(fresh, {0, 0}, {{"by", "fresh"}}) == WriteAnswer::accepted);
    CHECK(fresh.commit() == CommitEnd::done);
    CHECK(old.commit(late) != CommitEnd::done);
    fresh.close();
  }
  ContractWorker last = stateful_worker(log, "last");
  contract_wait(last.waker, "the partition comes", [&] {
    if (old.turn() && !old.owned.empty()) old.close();
    last.turn();
    return last.owned.size() == 1;
  });
  CHECK(rows_of(last, 0) == StateRows{{"by", "fresh"}});
}

inline void state_is_there_after_a_restart(LogHarness& harness) {
  contract_topics(harness.log(), {{.name = "in"}, {.name = "out"}});
  contract_append(harness.log(), "in", 0, {"a"});
  const std::string bytes("\0\xff\x80 bytes", 9);
  const std::string large(kMaxStateRowBytes - 5, 'x');
  {
    ContractWorker worker = stateful_worker(harness.log());
    worker.turn_until_assigned(1);
    worker.turn_until_read(1);
    worker.copy_open();
    const StateChange changes[] = {{{0, 0}, "large", large}, {{0, 0}, "raw", bytes}};
    CHECK(worker.sink().write_state(changes) == WriteAnswer::accepted);
    REQUIRE(worker.commit() == CommitEnd::done);
    const std::string larger = large + "x";
    const StateChange refused[] = {{{0, 0}, "large", larger}};
    CHECK(worker.sink().write_state(refused) == WriteAnswer::error);
    worker.abort();
  }
  harness.reopen();
  ContractWorker worker = stateful_worker(harness.log());
  worker.turn_until_assigned(1);
  CHECK((rows_of(worker, 0) == StateRows{{"large", large}, {"raw", bytes}}));
  CHECK(worker.owned.begin()->second.next == contract_topic(harness.log(), "in").partitions[0].end);
}

}  // namespace penstock::flow::contract
