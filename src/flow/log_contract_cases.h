// log_contract_cases.h — the cases of log_contract.h, which includes this file.
#pragma once

#include "flow/log_contract.h"
#include "flow/log_contract_members.h"

namespace penstock::flow::contract {

inline Strings values_of(const std::vector<ContractRecord>& records, int32_t partition) {
  Strings values;
  for (const ContractRecord& record : records) {
    if (record.partition.index == partition) values.push_back(record.value);
  }
  return values;
}

inline void records_come_in_order(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in", .partitions = 2}, {.name = "out"}});
  contract_append(log, "in", 0, contract_values("a", 100));
  contract_append(log, "in", 1, contract_values("b", 10));
  contract_append(log, "in", 0, contract_values("c", 1));
  ContractWorker worker(log, "g", {"in"}, {"out"});
  worker.turn_until_assigned(2);
  worker.turn_until_read(111);
  Strings expected = contract_values("a", 100);
  expected.push_back("c0");
  CHECK(values_of(worker.open, 0) == expected);
  CHECK(values_of(worker.open, 1) == contract_values("b", 10));
  for (size_t i = 1; i < worker.open.size(); ++i) {
    const auto &before = worker.open[i - 1], &record = worker.open[i];
    if (before.partition == record.partition) CHECK(before.offset < record.offset);
  }
  contract_wait(worker.waker, "the end", [&] {
    worker.turn();
    return worker.source().at_end();
  });
  CHECK(worker.source().position({0, 0}) == contract_topic(log, "in").partitions[0].end);
  contract_append(log, "in", 1, {"later"});
  contract_wait(worker.waker, "no end any more", [&] {
    if (!worker.source().at_end()) return true;
    worker.turn();  // a log that learns of its end by reading
    return worker.open.size() == 112;
  });
  worker.turn_until_read(112);
  CHECK(worker.open.back().value == "later");
}

inline void topics_are_made_once(LogHarness& harness) {
  Log& log = harness.log();
  const auto made = log.create_missing({{.name = "a", .partitions = 3}, {.name = "b"}});
  REQUIRE(made.has_value());
  CHECK(*made == Strings{"a", "b"});
  const TopicState before = contract_topic(log, "a");
  CHECK(before.partitions.size() == 3);
  CHECK(!before.lineage.empty());
  CHECK(before.lineage != contract_topic(log, "b").lineage);
  const auto again = log.create_missing({{.name = "a", .partitions = 5}, {.name = "c"}});
  REQUIRE(again.has_value());
  CHECK(*again == Strings{"c"});
  CHECK(contract_topic(log, "a").partitions.size() == 3);
  CHECK(contract_topic(log, "a").lineage == before.lineage);
  ContractWaker waker;
  CHECK(!log.open_source({"g", {"nowhere"}, "w"}, waker));
  CHECK(!log.open_sink({"g", {"a"}, {"nowhere"}, "w"}, waker));
  CHECK(!log.open_appender({"nowhere"}, waker));
}

inline void a_commit_moves_positions_and_outputs(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  contract_append(log, "in", 0, contract_values("a", 5));
  Term first_term;
  Fates fates;
  {
    ContractWorker worker(log, "g", {"in"}, {"out"});
    worker.turn_until_assigned(1);
    CHECK(worker.owned.begin()->second.start == Start::first);
    CHECK(worker.owned.begin()->second.next == Offset{0});
    first_term = worker.owned.begin()->second.term;
    worker.turn_until_read(5);
    worker.copy_open();
    CHECK(contract_read(log, "out", 0).empty());
    REQUIRE(worker.commit() == CommitEnd::done);
    fates = worker.owned.begin()->second.fates;
    CHECK(fates.in == 5);
  }
  contract_expect(log, "out", 0, contract_values("a", 5));
  ContractWaker waker;
  std::vector<GroupPosition> positions;
  contract_wait(waker, "the group's position", [&] {
    const auto groups = log.groups();
    REQUIRE(groups.has_value());
    const auto group =
        std::find_if(groups->begin(), groups->end(), [](const auto& g) { return g.name == "g"; });
    if (group != groups->end()) positions = group->positions;
    return !positions.empty();
  });
  REQUIRE(positions.size() == 1);
  CHECK(positions[0].topic == "in");
  CHECK(positions[0].next == contract_topic(log, "in").partitions[0].end);
  CHECK(positions[0].fates == fates);

  contract_append(log, "in", 0, {"b0"});
  ContractWorker worker(log, "g", {"in"}, {"out"});
  worker.turn_until_assigned(1);
  CHECK(worker.owned.begin()->second.start == Start::resumed);
  CHECK(worker.owned.begin()->second.term > first_term);
  CHECK(worker.owned.begin()->second.fates == fates);
  worker.turn_until_read(1);
  CHECK(values_of(worker.open, 0) == Strings{"b0"});
}

inline void groups_do_not_know_of_each_other(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  contract_append(log, "in", 0, contract_values("a", 3));
  ContractWorker one(log, "g1", {"in"}, {"out"}), two(log, "g2", {"in"}, {"out"});
  one.turn_until_assigned(1);
  two.turn_until_assigned(1);
  one.turn_until_read(3);
  CHECK(one.commit() == CommitEnd::done);
  two.turn_until_read(3);
  CHECK(two.commit() == CommitEnd::done);
}

inline void an_abort_leaves_nothing(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  contract_append(log, "in", 0, contract_values("a", 3));
  ContractWorker worker(log, "g", {"in"}, {"out"});
  worker.turn_until_assigned(1);
  worker.turn_until_read(3);
  worker.write(0, 0, "never");
  worker.abort();
  worker.turn_until_read(3);
  CHECK(values_of(worker.open, 0) == contract_values("a", 3));
  worker.copy_open();
  REQUIRE(worker.commit() == CommitEnd::done);
  contract_expect(log, "out", 0, contract_values("a", 3));

  // Readers pass what nobody sees: lag is exactly 0 after a drain.
  ContractWorker reader(log, "reader", {"out"}, {"in"});
  reader.turn_until_assigned(1);
  reader.turn_until_read(3);
  contract_wait(reader.waker, "the reader's end", [&] {
    reader.turn();
    return reader.source().at_end() &&
           reader.source().position({0, 0}) == contract_topic(log, "out").partitions[0].end;
  });
}

inline void a_wrong_from_or_term_is_fenced(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  contract_append(log, "in", 0, contract_values("a", 3));
  ContractWorker worker(log, "g", {"in"}, {"out"});
  worker.turn_until_assigned(1);
  worker.turn_until_read(3);
  Commit bad = worker.epoch();
  bad.partitions[0].from = {1};
  worker.write(0, 0, "never");
  CHECK(worker.commit(bad) != CommitEnd::done);
  CHECK(contract_read(log, "out", 0).empty());
}

inline void an_unknown_end_is_settled_by_a_claim(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  Strings expected;
  for (const bool written : {true, false}) {
    const std::string value = written ? "kept" : "lost";
    contract_append(log, "in", 0, {value});
    expected.push_back(value);
    {
      ContractWorker worker(log, "g", {"in"}, {"out"});
      worker.turn_until_assigned(1);
      worker.turn_until_read(1);
      worker.copy_open();
      harness.lose_next_answer(written);
      REQUIRE(worker.commit() == CommitEnd::unknown);
    }
    ContractWorker worker(log, "g", {"in"}, {"out"});
    worker.turn_until_assigned(1);
    const Offset end = contract_topic(log, "in").partitions[0].end;
    if (worker.owned.begin()->second.next != end) {
      worker.turn_until_read(1);
      worker.copy_open();
      REQUIRE(worker.commit() == CommitEnd::done);
    }
    contract_expect(log, "out", 0, expected);
  }
}

// Epoch n writes n to three partitions of two topics and reads one record: who sees one part of it
// sees all, and the position with it.
inline void epochs_are_whole_for_readers(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "x", .partitions = 2}, {.name = "y"}});
  ContractWorker worker(log, "g", {"in"}, {"x", "y"});
  worker.turn_until_assigned(1);
  ContractWaker waker;
  constexpr size_t kEpochs = 30;
  size_t committed = 0;
  for (size_t epoch = 0; committed < kEpochs; ++epoch) {
    const std::string value = std::to_string(committed);
    contract_append(log, "in", 0, {value});
    worker.turn_until_read(1);
    worker.write(0, 0, value);
    worker.write(0, 1, value);
    worker.write(1, 0, value);
    if (epoch % 3 == 2) {
      worker.abort();
      worker.turn_until_read(1);
      CHECK(worker.commit() == CommitEnd::done);  // skips the record
      continue;
    }
    CHECK(worker.commit() == CommitEnd::done);
    ++committed;
    contract_wait(waker, "the whole epoch", [&] {
      return contract_read(log, "x", 0).size() == committed &&
             contract_read(log, "x", 1).size() == committed &&
             contract_read(log, "y", 0).size() == committed;
    });
  }
  Strings expected;
  for (size_t i = 0; i < kEpochs; ++i) expected.push_back(std::to_string(i));
  contract_expect(log, "x", 0, expected);
  contract_expect(log, "x", 1, expected);
  contract_expect(log, "y", 0, expected);
}

inline void everything_is_there_after_a_restart(LogHarness& harness) {
  Strings expected;
  Term term;
  std::string lineage;
  for (int round = 0; round < 4; ++round) {
    const std::string value = "r" + std::to_string(round);
    contract_topics(harness.log(), {{.name = "in"}, {.name = "out"}});
    const std::string now = contract_topic(harness.log(), "in").lineage;
    if (round > 0) CHECK(now == lineage);
    lineage = now;
    contract_append(harness.log(), "in", 0, {value});
    {
      ContractWorker worker(harness.log(), "g", {"in"}, {"out"});
      worker.turn_until_assigned(1);
      CHECK(worker.owned.begin()->second.term > term);
      term = worker.owned.begin()->second.term;
      CHECK(worker.owned.begin()->second.fates.in == static_cast<uint64_t>(round));
      worker.turn_until_read(1);
      CHECK(values_of(worker.open, 0) == Strings{value});
      worker.copy_open();
      REQUIRE(worker.commit() == CommitEnd::done);
      worker.write(0, 0, "an open epoch");
    }
    harness.reopen();
    expected.push_back(value);
    contract_expect(harness.log(), "out", 0, expected);
    contract_expect(harness.log(), "in", 0, expected);
  }
}

inline std::vector<Owned> claim_now(LogSink& sink, ContractWaker& waker, PartitionSet partitions) {
  std::vector<Owned> owned;
  sink.begin_claim(std::move(partitions), nullptr);
  contract_wait(waker, "the claim", [&] {
    SinkEvent event = sink.poll();
    if (auto* claimed = std::get_if<Claimed>(&event)) owned = claimed->owned;
    return !owned.empty();
  });
  return owned;
}

// A file, a simulated meter: positions are kept for sources that are no topics.
inline void inputs_need_not_be_topics(LogHarness& harness) {
  contract_topics(harness.log(), {{.name = "out"}});
  const SinkSpec spec{"g.send", {"file:abc"}, {"out"}, "sender"};
  ContractWaker waker;
  Owned first;
  Fates fates;
  fates.in = 7;
  fates.out.add("out", 7);
  {
    auto sink = harness.log().open_sink(spec, waker);
    REQUIRE(sink.has_value());
    const auto owned = claim_now(**sink, waker, {{0, 0}});
    REQUIRE(owned.size() == 1);
    first = owned[0];
    CHECK(first.next == Offset{0});
    CHECK(first.start == Start::first);
    CHECK((*sink)->partitions(0) == 1);
    CHECK(commit_now(**sink, waker, {{{{0, 0}, first.term, {0}, {7}, fates}}, nullptr}) ==
          CommitEnd::done);
  }
  harness.reopen();
  auto sink = harness.log().open_sink(spec, waker);
  REQUIRE(sink.has_value());
  const auto owned = claim_now(**sink, waker, {{0, 0}});
  REQUIRE(owned.size() == 1);
  CHECK(owned[0].next == Offset{7});
  CHECK(owned[0].fates == fates);
  CHECK(owned[0].start == Start::resumed);
  CHECK(owned[0].term > first.term);
  // A newer claim fences the older one.
  auto newer = harness.log().open_sink(spec, waker);
  REQUIRE(newer.has_value());
  const auto own = claim_now(**newer, waker, {{0, 0}});
  CHECK(commit_now(**sink, waker, {{{{0, 0}, owned[0].term, {7}, {9}, fates}}, nullptr}) ==
        CommitEnd::fenced);
  CHECK(commit_now(**newer, waker, {{{{0, 0}, own[0].term, {7}, {8}, fates}}, nullptr}) ==
        CommitEnd::done);
}

inline void pause_and_start_again(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  contract_append(log, "in", 0, contract_values("a", 3));
  ContractWorker worker(log, "g", {"in"}, {"out"});
  worker.turn_until_assigned(1);
  worker.source().pause(true);
  for (int i = 0; i < 10; ++i) worker.turn();
  CHECK(worker.open.empty());
  worker.source().pause(false);
  worker.turn_until_read(3);
  worker.open.clear();
  worker.source().start({0, 0}, worker.owned.begin()->second.next);
  worker.turn_until_read(3);
  CHECK(values_of(worker.open, 0) == contract_values("a", 3));
  CHECK(worker.commit() == CommitEnd::done);
}

inline void a_held_partition_lets_the_others_go_on(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in", .partitions = 2}, {.name = "out"}});
  ContractWorker worker(log, "g", {"in"}, {"out"});
  worker.turn_until_assigned(2);
  worker.source().hold({0, 0}, true);
  contract_append(log, "in", 0, contract_values("a", 3));
  contract_append(log, "in", 1, contract_values("b", 3));
  worker.turn_until_read(3);
  for (int i = 0; i < 10; ++i) worker.turn();
  CHECK(values_of(worker.open, 0).empty());
  CHECK(values_of(worker.open, 1) == contract_values("b", 3));
  CHECK(!worker.source().at_end());
  worker.source().hold({0, 0}, false);
  worker.turn_until_read(6);
  CHECK(values_of(worker.open, 0) == contract_values("a", 3));
  // Started again, it is held no more.
  worker.source().hold({0, 0}, true);
  worker.open.clear();
  worker.source().start({0, 0}, worker.owned.begin()->second.next);
  worker.turn_until_read(3);
  CHECK(values_of(worker.open, 0) == contract_values("a", 3));
}

// A stage that ends in a store tells the group how far it is, and no more.
inline void a_store_stage_reports_its_lag(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}});
  contract_append(log, "in", 0, contract_values("a", 3));
  ContractWaker waker;
  auto source = log.open_source({"g.store", {"in"}, "w"}, waker);
  REQUIRE(source.has_value());
  Membership membership;
  contract_wait(waker, "Assigned", [&] {
    SourceEvent event = (*source)->poll({});
    if (auto* assigned = std::get_if<Assigned>(&event)) membership = assigned->membership;
    return membership != nullptr;
  });
  (*source)->start({0, 0}, {0});
  (*source)->answer();
  Fates fates;
  fates.in = 2;
  (*source)->commit_group({{{{0, 0}, {9}, {0}, {2}, fates}}, membership});
  contract_wait(waker, "the group's position", [&] {
    const auto groups = log.groups();
    REQUIRE(groups.has_value());
    for (const GroupState& group : *groups) {
      if (group.name != "g.store" || group.positions.empty()) continue;
      return group.positions[0].next == Offset{2} && group.positions[0].fates == fates;
    }
    return false;
  });
}

inline void schemas_are_kept(LogHarness& harness) {
  const auto schema =
      avro::parse(R"({"type":"record","name":"R","fields":[{"name":"a","type":"long"}]})");
  REQUIRE(schema.has_value());
  const uint64_t fingerprint = (*schema)->fingerprint();
  CHECK(harness.log().schemas().find(fingerprint).schema == nullptr);
  REQUIRE(harness.log().schemas().add(*schema).has_value());
  REQUIRE(harness.log().schemas().add(*schema).has_value());
  for (int round = 0; round < 2; ++round) {
    const auto found = harness.log().schemas().find(fingerprint);
    REQUIRE(found.schema != nullptr);
    CHECK(found.schema->json() == (*schema)->json());
    CHECK(harness.log().schemas().all().size() == 1);
    CHECK(harness.log().schemas().find(fingerprint + 1).schema == nullptr);
    harness.reopen();
  }
}

// What is older than the topic's keep goes, but nothing that a declared group has not read.
inline void retention_waits_for_declared_groups(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in", .keep_millis = 1000}, {.name = "out"}});
  contract_append(log, "in", 0, {"old0"}, {1000});
  contract_append(log, "in", 0, {"old1"}, {1001});
  contract_append(log, "in", 0, {"new"}, {5000});
  log.declare_groups({{"g", {"in"}, ""}});
  if (!harness.retain({5500})) return;
  contract_expect(log, "in", 0, Strings{"old0", "old1", "new"});
  ContractWorker worker(log, "g", {"in"}, {"out"});
  worker.turn_until_assigned(1);
  worker.turn_until_read(3);
  CHECK(harness.retain({5500}));
  CHECK(contract_read(log, "in", 0).size() == 3);
  REQUIRE(worker.commit() == CommitEnd::done);
  CHECK(harness.retain({5500}));
  contract_expect(log, "in", 0, Strings{"new"});
  CHECK(contract_topic(log, "in").partitions[0].start > Offset{0});
  // A group that nobody declared begins where the topic does, and passes the gap.
  ContractWorker late(log, "late", {"in"}, {"out"});
  late.turn_until_assigned(1);
  late.turn_until_read(1);
  CHECK(values_of(late.open, 0) == Strings{"new"});
  CHECK(late.commit() == CommitEnd::done);
  late.source().start({0, 0}, {0});
  late.turn_until_read(1);
  CHECK(values_of(late.open, 0) == Strings{"new"});
}

}  // namespace penstock::flow::contract

namespace penstock::flow {}  // namespace penstock::flow

#include "flow/log_contract_limits.h"  // more cases
#include "flow/log_contract_state.h"

namespace penstock::flow {

inline std::vector<ContractCase> log_contract() {
  using namespace contract;
  return {
      {"topics are made once", topics_are_made_once},
      {"records come in order", records_come_in_order},
      {"a commit moves positions and outputs", a_commit_moves_positions_and_outputs},
      {"groups do not know of each other", groups_do_not_know_of_each_other},
      {"an abort leaves nothing", an_abort_leaves_nothing},
      {"a wrong from or term is fenced", a_wrong_from_or_term_is_fenced},
      {"an evicted worker is fenced", an_evicted_worker_is_fenced},
      {"a resumed worker cannot commit old work", a_resumed_worker_cannot_commit_old_work},
      {"an old membership is fenced by itself", an_old_membership_is_fenced_by_itself},
      {"a membership ends where the partition leaves",
       a_membership_ends_where_the_partition_leaves},
      {"revoked is ours until answered", revoked_is_ours_until_answered},
      {"who leaves leaves all to the others", who_leaves_leaves_all_to_the_others},
      {"an unknown end is settled by a claim", an_unknown_end_is_settled_by_a_claim},
      {"epochs are whole for readers", epochs_are_whole_for_readers},
      {"everything is there after a restart", everything_is_there_after_a_restart},
      {"inputs need not be topics", inputs_need_not_be_topics},
      {"pause, and start again", pause_and_start_again},
      {"a held partition lets the others go on", a_held_partition_lets_the_others_go_on},
      {"a store stage reports its lag", a_store_stage_reports_its_lag},
      {"schemas are kept", schemas_are_kept},
      {"retention waits for declared groups", retention_waits_for_declared_groups},
      {"state is committed with its epoch", state_is_committed_with_its_epoch},
      {"an abort leaves no state", an_abort_leaves_no_state},
      {"an unknown end leaves state and position together",
       an_unknown_end_leaves_state_and_position_together},
      {"who takes over is handed the state", who_takes_over_is_handed_the_state},
      {"an evicted worker changes no state", an_evicted_worker_changes_no_state},
      {"state is there after a restart", state_is_there_after_a_restart},
      {"a record may be as large as is said", a_record_may_be_as_large_as_is_said},
      {"a limit may change while running", a_limit_may_change_while_running},
  };
}

}  // namespace penstock::flow
