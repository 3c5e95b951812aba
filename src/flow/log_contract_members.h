// log_contract_members.h — cases of log_contract.h: who owns a partition, and who not any more.
#pragma once

#include "flow/log_contract.h"

namespace penstock::flow::contract {

// The worker was taken for dead and replaced while it held an uncommitted epoch.
inline void an_evicted_worker_is_fenced(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  contract_append(log, "in", 0, contract_values("a", 3));
  ContractWorker old(log, "g", {"in"}, {"out"}, "old");
  old.turn_until_assigned(1);
  old.turn_until_read(3);
  old.copy_open();
  const Commit late = old.epoch();
  harness.evict(old.source());
  ContractWorker fresh(log, "g", {"in"}, {"out"}, "fresh");
  fresh.turn_until_assigned(1);
  fresh.turn_until_read(3);
  const CommitEnd end = old.commit(late);
  CHECK(end != CommitEnd::done);
  CHECK(end != CommitEnd::unknown);
  if (end == CommitEnd::abort) old.abort();
  fresh.copy_open();
  CHECK(fresh.commit() == CommitEnd::done);
  contract_expect(log, "out", 0, contract_values("a", 3));
}

// The same, but its replacement is gone again and it owns the partition anew when it commits.
inline void a_resumed_worker_cannot_commit_old_work(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  contract_append(log, "in", 0, contract_values("a", 3));
  ContractWorker old(log, "g", {"in"}, {"out"}, "old");
  old.turn_until_assigned(1);
  old.turn_until_read(3);
  old.copy_open();
  const Commit late = old.epoch();
  harness.evict(old.source());
  {
    ContractWorker fresh(log, "g", {"in"}, {"out"}, "fresh");
    fresh.turn_until_assigned(1);
    fresh.turn_until_read(3);
    fresh.copy_open();
    REQUIRE(fresh.commit() == CommitEnd::done);
    fresh.close();
  }
  old.turn_until("Lost", [&] { return !old.lost().empty(); });
  CHECK(old.lost() == PartitionSet{{0, 0}});
  old.turn_until_assigned(1);
  CHECK(old.owned.begin()->second.next == contract_topic(log, "in").partitions[0].end);
  const CommitEnd end = old.commit(late);
  CHECK(end != CommitEnd::done);
  if (end != CommitEnd::unknown && end != CommitEnd::fatal) old.abort();
  contract_expect(log, "out", 0, contract_values("a", 3));
  contract_append(log, "in", 0, {"b0"});
  old.open.clear();
  old.turn_until_read(1);
  old.copy_open();
  CHECK(old.commit() == CommitEnd::done);
  Strings expected = contract_values("a", 3);
  expected.push_back("b0");
  contract_expect(log, "out", 0, expected);
}

inline CommitEnd commit_now(LogSink& sink, ContractWaker& waker, Commit commit) {
  CommitEnd end = CommitEnd::fatal;
  sink.begin_commit(std::move(commit));
  contract_wait(waker, "the commit", [&] {
    SinkEvent event = sink.poll();
    const auto* ended = std::get_if<Ended>(&event);
    if (ended != nullptr) end = ended->end;
    return ended != nullptr;
  });
  return end;
}

// Evicted and back before anybody else claimed: term and position are as they were, so only the
// membership tells that the epoch is of a former life.
inline void an_old_membership_is_fenced_by_itself(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in"}, {.name = "out"}});
  contract_append(log, "in", 0, contract_values("a", 3));
  ContractWaker waker;
  const auto assigned = [&](Source& source) {
    Membership membership;
    contract_wait(waker, "Assigned", [&] {
      SourceEvent event = source.poll({});
      if (std::holds_alternative<Lost>(event)) source.answer();
      if (auto* got = std::get_if<Assigned>(&event)) membership = got->membership;
      return membership != nullptr;
    });
    source.start({0, 0}, {0});
    source.answer();
    return membership;
  };
  auto source = log.open_source({"g", {"in"}, "w"}, waker);
  REQUIRE(source.has_value());
  auto sink = log.open_sink({"g", {"in"}, {"out"}, "w"}, waker);
  REQUIRE(sink.has_value());
  const Membership old = assigned(**source);
  std::vector<Owned> owned;
  (*sink)->begin_claim({{0, 0}}, old);
  contract_wait(waker, "the claim", [&] {
    SinkEvent event = (*sink)->poll();
    if (auto* claimed = std::get_if<Claimed>(&event)) owned = claimed->owned;
    return !owned.empty();
  });
  harness.evict(**source);
  const Membership now = assigned(**source);
  Fates fates;
  fates.in = 3;
  fates.dropped.add("test", 3);
  const PartitionCommit moved{{0, 0}, owned[0].term, {0}, {3}, fates};
  // Which of the two is the log's way of saying no; an aborted epoch is given up before the next.
  const CommitEnd refusal = commit_now(**sink, waker, {{moved}, old});
  CHECK((refusal == CommitEnd::fenced || refusal == CommitEnd::abort));
  if (refusal == CommitEnd::abort) {
    (*sink)->begin_abort();
    contract_wait(waker, "the abort",
                  [&] { return std::holds_alternative<Aborted>((*sink)->poll()); });
  }
  CHECK(commit_now(**sink, waker, {{moved}, now}) == CommitEnd::done);
}

// A partition was revoked, given up, lent to another member that never claimed it, and came back:
// the member is the same, term and position are as they were, and only the generation is another.
inline void a_membership_ends_where_the_partition_leaves(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in", .partitions = 2}, {.name = "out"}});
  ContractWaker waker;
  struct Side {
    std::unique_ptr<Source> source;
    PartitionSet partitions, revoked;
    Membership membership;
    void turn() {
      SourceEvent event = source->poll({});
      if (auto* came = std::get_if<Assigned>(&event)) {
        membership = came->membership;
        for (const Partition p : came->partitions) source->start(p, {0});
        partitions.insert(partitions.end(), came->partitions.begin(), came->partitions.end());
      } else if (auto* left = std::get_if<Revoked>(&event)) {
        membership = left->membership;
        revoked = left->partitions;
        std::erase_if(partitions, [&](Partition p) { return p == revoked.front(); });
      } else {
        return;
      }
      source->answer();
    }
  };
  const auto join = [&](const char* member) {
    auto source = log.open_source({"g", {"in"}, member}, waker);
    REQUIRE(source.has_value());
    return Side{std::move(*source), {}, {}, nullptr};
  };
  Side one = join("one");
  contract_wait(waker, "both partitions", [&] { return one.turn(), one.partitions.size() == 2; });
  auto sink = log.open_sink({"g", {"in"}, {"out"}, "one"}, waker);
  REQUIRE(sink.has_value());
  const Membership old = one.membership;
  std::vector<Owned> owned;
  (*sink)->begin_claim({{0, 0}, {0, 1}}, old);
  contract_wait(waker, "the claim", [&] {
    SinkEvent event = (*sink)->poll();
    if (auto* claimed = std::get_if<Claimed>(&event)) owned = claimed->owned;
    return !owned.empty();
  });
  {
    Side two = join("two");
    contract_wait(waker, "the other's share", [&] {
      one.turn();
      two.turn();
      return two.partitions.size() == 1;
    });
    two.source->close();
  }
  REQUIRE(one.revoked.size() == 1);
  contract_wait(waker, "it to come back", [&] { return one.turn(), one.partitions.size() == 2; });
  const Partition back = one.revoked.front();
  contract_append(log, "in", back.index, {"a"});
  Fates fates;
  fates.in = 1;
  fates.dropped.add("test", 1);
  const Owned& own = owned[0].partition == back ? owned[0] : owned[1];
  const PartitionCommit moved{back, own.term, {0}, {1}, fates};
  const CommitEnd refusal = commit_now(**sink, waker, {{moved}, old});
  CHECK((refusal == CommitEnd::fenced || refusal == CommitEnd::abort));
  if (refusal == CommitEnd::abort) {
    (*sink)->begin_abort();
    contract_wait(waker, "the abort",
                  [&] { return std::holds_alternative<Aborted>((*sink)->poll()); });
  }
  CHECK(commit_now(**sink, waker, {{moved}, one.membership}) == CommitEnd::done);
}

inline void revoked_is_ours_until_answered(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in", .partitions = 4}, {.name = "out", .partitions = 4}});
  for (int32_t p = 0; p < 4; ++p) contract_append(log, "in", p, {"a" + std::to_string(p)});
  ContractWorker one(log, "g", {"in"}, {"out"}, "one");
  one.turn_until_assigned(4);
  one.turn_until_read(4);
  one.copy_open();
  one.answers_revoked = false;
  ContractWorker two(log, "g", {"in"}, {"out"}, "two");
  contract_wait(one.waker, "Revoked", [&] {
    two.turn();
    one.turn();
    return !one.revoked().empty();
  });
  CHECK(one.revoked().size() == 2);
  for (int i = 0; i < 10; ++i) two.turn();
  CHECK(two.owned.empty());
  REQUIRE(one.commit() == CommitEnd::done);
  const PartitionSet moved = one.revoked();
  one.answer_revoked();
  contract_wait(two.waker, "Assigned", [&] {
    one.turn();
    two.turn();
    return two.owned.size() == 2;
  });
  CHECK(two.partitions() == moved);
  CHECK(one.owned.size() == 2);
  for (const auto& [partition, own] : two.owned) CHECK(own.start == Start::resumed);
  for (int32_t p = 0; p < 4; ++p) contract_append(log, "in", p, {"b" + std::to_string(p)});
  one.turn_until_read(2);
  two.turn_until_read(2);
  one.copy_open();
  two.copy_open();
  CHECK(one.commit() == CommitEnd::done);
  CHECK(two.commit() == CommitEnd::done);
  for (int32_t p = 0; p < 4; ++p) {
    const std::string name = std::to_string(p);
    contract_expect(log, "out", p, Strings{"a" + name, "b" + name});
  }
}

inline void who_leaves_leaves_all_to_the_others(LogHarness& harness) {
  Log& log = harness.log();
  contract_topics(log, {{.name = "in", .partitions = 5}, {.name = "out"}});
  ContractWorker one(log, "g", {"in"}, {"out"}, "one");
  auto two = std::make_unique<ContractWorker>(log, "g", Strings{"in"}, Strings{"out"}, "two");
  ContractWorker three(log, "g", {"in"}, {"out"}, "three");
  const auto owned = [&] {
    return one.owned.size() + three.owned.size() + (two ? two->owned.size() : 0);
  };
  contract_wait(one.waker, "a balanced group", [&] {
    one.turn();
    two->turn();
    three.turn();
    const auto [least, most] =
        std::minmax({one.owned.size(), two->owned.size(), three.owned.size()});
    return owned() == 5 && most - least <= 1;
  });
  two.reset();  // a source that is destroyed has left
  contract_wait(one.waker, "the others to take over", [&] {
    one.turn();
    three.turn();
    return owned() == 5;
  });
  std::map<Partition, int> owners;
  for (const Partition partition : one.partitions()) ++owners[partition];
  for (const Partition partition : three.partitions()) ++owners[partition];
  CHECK(owners.size() == 5);
}

}  // namespace penstock::flow::contract
