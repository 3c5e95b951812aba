// log_contract.h — what every log has to keep, as tests: run by log/memory and log/embedded, and
// written so that Kafka can pass it: nothing is expected to have happened when a call returns, only
// within a bounded wait.
//
// A log's test gives a LogHarness and runs every case on a harness of its own:
//
//     TEST_CASE("log contract") {
//       for (const auto& contract : flow::log_contract()) {
//         INFO(contract.name);
//         EmbeddedHarness harness;
//         contract.run(harness);
//       }
//     }
//
// Thread      one.
// Limits      a wait that lasts kContractWait fails the test.
#pragma once

#include "flow/log.h"
#include "wire/record_batch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penstock::flow {

inline constexpr std::chrono::seconds kContractWait{20};

// What a log's test provides.
class LogHarness {
 public:
  virtual ~LogHarness() = default;
  // The log as it is now; the reference ends at reopen().
  virtual Log& log() = 0;
  // The process dies and starts again. Everything that the log made is gone before this is called.
  virtual void reopen() = 0;
  // The group takes this member for dead: its partitions go to others at once, and it learns of it
  // (Lost) when it polls the next time.
  virtual void evict(Source& source) = 0;
  // The next commit ends `unknown`; `written` says whether it happened.
  virtual void lose_next_answer(bool written) = 0;
  // Runs retention with this time as now; false when this log's time can not be set.
  virtual bool retain(Millis now) = 0;
  // The topic takes records of at most so many bytes from now on; false where that can not be set.
  virtual bool limit_records(const std::string& topic, uint64_t record_bytes_max) = 0;
};

// Waits for a wake, but never long: a log may wake late, never wrongly.
class ContractWaker final : public Waker {
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

// Turns until `done` holds; fails the test after kContractWait.
inline void contract_wait(ContractWaker& waker, const char* what,
                          const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + kContractWait;
  while (!done()) {
    INFO("waiting for: ", std::string(what));
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    waker.wait();
  }
}

namespace contract {
using Strings = std::vector<std::string>;
}  // namespace contract

struct ContractRecord {
  Partition partition;
  Offset offset;
  std::string key;
  std::string value;
  bool operator==(const ContractRecord&) const = default;
};

// One worker as the engine has it, without the engine: source and sink, driven by hand.
class ContractWorker {
 public:
  ContractWorker(Log& log, std::string group, std::vector<std::string> inputs,
                 std::vector<std::string> outputs, std::string member = "worker",
                 bool stateful = false) {
    auto source = log.open_source({group, inputs, member}, waker);
    REQUIRE(source.has_value());
    source_ = std::move(*source);
    auto sink = log.open_sink(
        {std::move(group), std::move(inputs), std::move(outputs), member, stateful}, waker);
    REQUIRE(sink.has_value());
    sink_ = std::move(*sink);
  }

  // Polls once and serves what came; false when there was nothing.
  bool turn() {
    SourceEvent event = source_->poll({});
    if (auto* batch = std::get_if<row::RawBatch>(&event)) {
      take(*batch);
    } else if (auto* assigned = std::get_if<Assigned>(&event)) {
      claim(*assigned);
    } else if (auto* revoked = std::get_if<Revoked>(&event)) {
      revoked_ = revoked->partitions;
      membership = revoked->membership;
      if (answers_revoked) answer_revoked();
    } else if (auto* lost = std::get_if<Lost>(&event)) {
      lost_ = lost->partitions;
      for (const Partition partition : lost_) owned.erase(partition);
      source_->answer();
    } else if (auto* fault = std::get_if<SourceFault>(&event)) {
      if (!fault->retry) FAIL("source fault: ", fault->error.message);  // outages are waited out
    } else {
      return false;
    }
    return true;
  }

  void turn_until(const char* what, const std::function<bool()>& done) {
    contract_wait(waker, what, [&] {
      while (!done()) {
        if (!turn()) return done();
      }
      return true;
    });
  }
  void turn_until_assigned(size_t partitions) {
    turn_until("partitions assigned", [&] { return owned.size() == partitions; });
  }
  // Until that many records are open.
  void turn_until_read(size_t records) {
    turn_until("records read", [&] { return open.size() >= records; });
  }

  // Writes one record to the sink.
  void write(uint32_t output, int32_t partition, const std::string& value) {
    written_.push_back(std::make_unique<wire::RecordsBuilder>());
    wire::RecordsBuilder& records = *written_.back();
    records.append({.key = value, .value = value, .timestamp = 1, .has_key = true});
    REQUIRE(sink_->write({output, partition, 1, Millis{1}, Millis{1}, records.bytes()}) ==
            WriteAnswer::accepted);
  }

  // The epoch as it is: what the positions and fates would be.
  Commit epoch() const {
    Commit commit;
    commit.membership = membership;
    for (const auto& [partition, own] : owned) {
      const Offset next = source_->position(partition);
      if (next == own.next) continue;
      Fates fates = own.fates;
      const auto in = static_cast<uint64_t>(
          std::count_if(open.begin(), open.end(),
                        [&](const ContractRecord& r) { return r.partition == partition; }));
      fates.in += in;
      fates.out.add("out", in);
      commit.partitions.push_back({partition, own.term, own.next, next, fates});
    }
    return commit;
  }
  // Commits and returns how that ended. After `done` the open records are committed ones.
  CommitEnd commit(const Commit& commit) {
    sink_->begin_commit(commit);
    CommitEnd end = CommitEnd::fatal;
    contract_wait(waker, "the end of the commit", [&] {
      SinkEvent event = sink_->poll();
      const auto* ended = std::get_if<Ended>(&event);
      if (ended == nullptr) return false;
      end = ended->end;
      if (end == CommitEnd::done) settle(commit, ended->durable);
      return true;
    });
    return end;
  }
  CommitEnd commit() { return commit(epoch()); }
  // Copies every open record to partition (its own index modulo the output's) of output 0.
  void copy_open() {
    for (const ContractRecord& record : open) {
      write(0, record.partition.index % sink_->partitions(0), record.value);
    }
  }

  // Drops the epoch and goes back to what is durable.
  void abort() {
    sink_->begin_abort();
    contract_wait(waker, "the end of the abort",
                  [&] { return std::holds_alternative<Aborted>(sink_->poll()); });
    written_.clear();
    open.clear();
    for (const auto& [partition, own] : owned) source_->start(partition, own.next);
  }

  void answer_revoked() {
    sink_->release(revoked_);
    for (const Partition partition : revoked_) owned.erase(partition);
    std::erase_if(open, [&](const ContractRecord& r) {
      return std::binary_search(revoked_.begin(), revoked_.end(), r.partition);
    });
    revoked_.clear();
    source_->answer();
  }
  void close() {
    source_->close();
    sink_->release(partitions());
    owned.clear();
  }

  PartitionSet partitions() const {
    PartitionSet set;
    for (const auto& entry : owned) set.push_back(entry.first);
    return set;
  }
  Source& source() { return *source_; }
  LogSink& sink() { return *sink_; }
  const PartitionSet& revoked() const { return revoked_; }
  const PartitionSet& lost() const { return lost_; }

  ContractWaker waker;  // outlives source and sink
  std::map<Partition, Owned> owned;
  Membership membership;
  std::vector<ContractRecord> open;  // read since the last commit
  bool answers_revoked = true;

 private:
  void take(const row::RawBatch& batch) {
    CHECK(owned.contains(batch.partition));
    for (const row::RawRecord& record : batch.records) {
      open.push_back(
          {batch.partition, record.offset, std::string(record.key), std::string(record.value)});
    }
    if (!batch.records.empty()) {
      CHECK(source_->position(batch.partition) > batch.records.back().offset);
    }
  }
  void claim(const Assigned& assigned) {
    membership = assigned.membership;
    if (!assigned.partitions.empty()) {
      sink_->begin_claim(assigned.partitions, assigned.membership);
      contract_wait(waker, "the claim", [&] {
        SinkEvent event = sink_->poll();
        if (auto* failed = std::get_if<ClaimFailed>(&event)) {
          // As the engine does: an open transaction of a predecessor may stand before the state.
          if (!failed->retry) FAIL(failed->error.message);
          sink_->begin_claim(assigned.partitions, assigned.membership);
          return false;
        }
        const auto* claimed = std::get_if<Claimed>(&event);
        if (claimed == nullptr) return false;
        REQUIRE(claimed->owned.size() == assigned.partitions.size());
        for (const Owned& own : claimed->owned) {
          owned[own.partition] = own;
          source_->start(own.partition, own.next);
        }
        return true;
      });
    }
    source_->answer();
  }
  void settle(const Commit& commit, const Positions& durable) {
    for (const PartitionCommit& moved : commit.partitions) {
      CHECK(durable.find(moved.partition) == moved.next);
      const auto own = owned.find(moved.partition);
      if (own == owned.end()) continue;
      own->second.next = moved.next;
      own->second.fates = moved.fates;
    }
    written_.clear();
    open.clear();
  }

  std::unique_ptr<Source> source_;
  std::unique_ptr<LogSink> sink_;
  PartitionSet revoked_;
  PartitionSet lost_;
  std::vector<std::unique_ptr<wire::RecordsBuilder>> written_;
};

// Appends `values` to one partition, in one batch; waits until that is done.
inline void contract_append(Log& log, const std::string& topic, int32_t partition,
                            const std::vector<std::string>& values, Millis at = {1}) {
  ContractWaker waker;
  auto appender = log.open_appender({topic}, waker);
  REQUIRE(appender.has_value());
  wire::RecordsBuilder records;
  for (const std::string& value : values) {
    records.append({.key = value, .value = value, .timestamp = at.value, .has_key = true});
  }
  (*appender)->begin_append({{0, partition, records.count(), records.base_timestamp(),
                              records.max_timestamp(), records.bytes()}});
  contract_wait(waker, "the append", [&] {
    SinkEvent event = (*appender)->poll();
    const auto* ended = std::get_if<Ended>(&event);
    if (ended == nullptr) return false;
    REQUIRE(ended->end == CommitEnd::done);
    return true;
  });
}

// name0 … name(n-1)
inline std::vector<std::string> contract_values(const std::string& name, int count) {
  std::vector<std::string> values;
  for (int i = 0; i < count; ++i) values.push_back(name + std::to_string(i));
  return values;
}

// Everything that readers of this partition see now, in order.
inline std::vector<std::string> contract_read(Log& log, const std::string& topic, int32_t partition,
                                              Offset from = {0}) {
  std::vector<std::string> values;
  while (true) {
    Offset next = from;
    auto batch = log.read(topic, partition, from, {}, &next);
    REQUIRE(batch.has_value());
    for (const row::RawRecord& record : batch->records) {
      CHECK(record.offset >= from);
      values.emplace_back(record.value);
    }
    if (next == from) return values;
    from = next;
  }
}

// Readers see exactly these; a log may show what is durable a little later.
inline void contract_expect(Log& log, const std::string& topic, int32_t partition,
                            const std::vector<std::string>& expected) {
  const auto deadline = std::chrono::steady_clock::now() + kContractWait;
  auto seen = contract_read(log, topic, partition);
  while (seen != expected && seen.size() <= expected.size() &&
         std::chrono::steady_clock::now() < deadline) {
    seen = contract_read(log, topic, partition);
  }
  CHECK(seen == expected);
}

inline TopicState contract_topic(Log& log, const std::string& name) {
  auto topics = log.topics();
  REQUIRE(topics.has_value());
  for (TopicState& topic : *topics) {
    if (topic.name == name) return std::move(topic);
  }
  FAIL("no topic ", name);
  return {};
}

inline void contract_topics(Log& log, std::vector<TopicSpec> specs) {
  auto made = log.create_missing(specs);
  REQUIRE(made.has_value());
}

struct ContractCase {
  const char* name;
  void (*run)(LogHarness&);
};
// All cases, in the order in which a new log learns them.
inline std::vector<ContractCase> log_contract();

}  // namespace penstock::flow

#include "flow/log_contract_cases.h"  // the cases
