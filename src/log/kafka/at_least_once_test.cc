// `delivery: at_least_once`: wherever a commit breaks off, nothing is lost, and what is made again
// is only that epoch; state and position fit together at every claim.
#include "flow/log_contract.h"
#include "log/kafka/kafka_log.h"
#include "log/kafka/membership.h"
#include "log/kafka/producing.h"
#include "log/kafka/test_broker.h"

#include <doctest/doctest.h>

#include <charconv>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace penstock::log::kafka {
namespace {

using flow::CommitEnd;
using flow::ContractWorker;

// A log of at least once, seen through its sinks' world.
class Trial final : public flow::Log {
 public:
  Trial() {
    Settings settings = test_settings(fresh_name());
    settings.at_least_once = true;
    auto opened = KafkaLog::open(settings);
    if (!opened) FAIL(render(opened.error()));
    log_ = std::move(*opened);
    auto admin = Admin::open(settings);
    REQUIRE(admin.has_value());
    admin_ = std::move(*admin);
    auto producing = Producing::open(*admin_, {});
    REQUIRE(producing.has_value());
    producing_ = std::move(*producing);
    in = settings.pipeline + ".in";
    out = settings.pipeline + ".out";
    group = settings.pipeline + ".g";
    flow::contract_topics(*log_, {{.name = in}, {.name = out}});
  }

  Result<std::vector<std::string>> create_missing(
      const std::vector<flow::TopicSpec>& topics) override {
    return log_->create_missing(topics);
  }
  void declare_groups(const std::vector<flow::SourceSpec>& groups) override {
    log_->declare_groups(groups);
  }
  Result<std::unique_ptr<flow::Source>> open_source(const flow::SourceSpec& spec,
                                                    flow::Waker& waker) override {
    return log_->open_source(spec, waker);
  }
  Result<std::unique_ptr<flow::LogSink>> open_sink(const flow::SinkSpec& spec,
                                                   flow::Waker& waker) override {
    return producing_->open_sink(spec, waker);
  }
  Result<std::unique_ptr<flow::Appender>> open_appender(const std::vector<std::string>& topics,
                                                        flow::Waker& waker) override {
    return log_->open_appender(topics, waker);
  }
  flow::SchemaSource& schemas() override { return log_->schemas(); }
  Result<std::vector<flow::TopicState>> topics() override { return log_->topics(); }
  Result<std::vector<flow::GroupState>> groups() override { return log_->groups(); }
  Result<row::RawBatch> read(std::string_view topic, int32_t partition, Offset from,
                             const flow::PollLimits& limits, Offset* next) override {
    return log_->read(topic, partition, from, limits, next);
  }

  SinkWorld& world() { return producing_->world_for_test(); }
  ContractWorker worker() { return {*this, group, {in}, {out}, "w", true}; }
  Offset committed() {
    const auto offsets = admin_->committed(group);
    REQUIRE(offsets.has_value());
    return offsets->empty() ? Offset{0} : offsets->front().next;
  }

  std::string in, out, group;

 private:
  std::unique_ptr<KafkaLog> log_;
  std::unique_ptr<Admin> admin_;
  std::unique_ptr<Producing> producing_;
};

// What the state says: its own position, and how many records it has seen.
struct Seen {
  int64_t position = 0;
  int64_t count = 0;
};
Seen seen_of(const flow::Owned& own) {
  Seen seen;
  for (const flow::StateRow& row : own.state) {
    int64_t& to = row.key == flow::kStatePositionKey ? seen.position : seen.count;
    std::from_chars(row.value.data(), row.value.data() + row.value.size(), to);
  }
  return seen;
}

// One epoch as the engine makes it: the copies, what is remembered, and the position it belongs to.
CommitEnd copy_and_remember(ContractWorker& worker, int64_t seen_before) {
  worker.copy_open();
  const std::string count = std::to_string(seen_before + static_cast<int64_t>(worker.open.size()));
  const std::string position = std::to_string(worker.source().position({0, 0}).value);
  const flow::StateChange changes[] = {{{0, 0}, "seen", count},
                                       {{0, 0}, flow::kStatePositionKey, position}};
  REQUIRE(worker.sink().write_state(changes) == flow::WriteAnswer::accepted);
  return worker.commit();
}

}  // namespace

TEST_CASE("at least once: wherever a commit breaks off, nothing is lost") {
  Trial trial;
  std::vector<std::string> produced;
  int round = 0;
  for (const LoseAt at : {LoseAt::after_records, LoseAt::after_positions, LoseAt::after_commit}) {
    CAPTURE(static_cast<int>(at));
    // One epoch that ends well, and one that breaks off.
    for (const bool breaks : {false, true}) {
      const auto values = flow::contract_values("r" + std::to_string(round++) + "-", 3);
      flow::contract_append(trial, trial.in, 0, values);
      produced.insert(produced.end(), values.begin(), values.end());
      ContractWorker worker = trial.worker();
      worker.turn_until_assigned(1);
      const flow::Owned own = worker.owned.begin()->second;
      const Seen seen = seen_of(own);
      CHECK(seen.position == own.next.value);
      CHECK(seen.count == own.next.value);  // the topic has no markers
      worker.turn_until_read(3);
      if (breaks) trial.world().lose_next_answer = at;
      REQUIRE(copy_and_remember(worker, seen.count) ==
              (breaks ? CommitEnd::unknown : CommitEnd::done));
      worker.close();
    }
    // Who comes next makes the epoch again, or finds it done.
    ContractWorker next = trial.worker();
    next.turn_until_assigned(1);
    const flow::Owned own = next.owned.begin()->second;
    const auto end = static_cast<int64_t>(produced.size());
    CHECK(own.next.value == (at == LoseAt::after_commit ? end : end - 3));
    CHECK(seen_of(own).position == own.next.value);
    CHECK(seen_of(own).count == own.next.value);
    if (own.next.value < end) {
      next.turn_until_read(static_cast<size_t>(end - own.next.value));
      CHECK(copy_and_remember(next, seen_of(own).count) == CommitEnd::done);
    }
    next.close();
    CHECK(trial.committed() == Offset{end});
  }
  std::map<std::string, int> copies;
  std::vector<std::string> first;
  for (const std::string& value : flow::contract_read(trial, trial.out, 0)) {
    if (copies[value]++ == 0) first.push_back(value);
  }
  CHECK(first == produced);  // nothing lost, and in order
  for (const auto& [value, count] : copies) {
    CAPTURE(value);
    const bool again = value.starts_with("r1-") || value.starts_with("r3-");
    CHECK(count == (again ? 2 : 1));  // only the epochs that broke off
  }
}

TEST_CASE("at least once: a former owner's epoch moves neither position nor state") {
  Trial trial;
  flow::contract_append(trial, trial.in, 0, flow::contract_values("a", 3));
  ContractWorker old = trial.worker();
  old.turn_until_assigned(1);
  old.turn_until_read(3);
  const auto* member = dynamic_cast<const KafkaMembership*>(old.membership.get());
  REQUIRE(remove_member(trial.group, member->member_id));
  ContractWorker fresh = trial.worker();
  fresh.turn_until_assigned(1);
  fresh.turn_until_read(3);
  REQUIRE(copy_and_remember(fresh, 0) == CommitEnd::done);
  flow::contract_append(trial, trial.in, 0, flow::contract_values("b", 3));
  fresh.turn_until_read(3);
  REQUIRE(copy_and_remember(fresh, 3) == CommitEnd::done);
  CHECK(copy_and_remember(old, 0) == CommitEnd::abort);
  CHECK(trial.committed() == Offset{6});
  fresh.close();
  old.close();
  ContractWorker last = trial.worker();
  last.turn_until_assigned(1);
  CHECK(last.owned.begin()->second.next == Offset{6});
  CHECK(seen_of(last.owned.begin()->second).count == 6);
}

}  // namespace penstock::log::kafka
