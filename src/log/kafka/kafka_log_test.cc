#include "log/kafka/kafka_log.h"

#include "flow/log_contract.h"
#include "log/kafka/kafka_source.h"
#include "log/kafka/test_broker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::log::kafka {
namespace {

// One cluster serves all cases: each sees only topics and groups whose names begin with its own
// prefix.
class PrefixedLog final : public flow::Log {
 public:
  PrefixedLog(flow::Log& log, std::string prefix) : log_(log), prefix_(std::move(prefix)) {}

  Result<std::vector<std::string>> create_missing(
      const std::vector<flow::TopicSpec>& topics) override {
    auto wanted = topics;
    for (flow::TopicSpec& topic : wanted) topic.name = prefix_ + topic.name;
    PENSTOCK_TRY(made, log_.create_missing(wanted));
    for (std::string& name : made) name = without(name);
    return std::move(made);
  }
  void declare_groups(const std::vector<flow::SourceSpec>& groups) override {
    auto named = groups;
    for (flow::SourceSpec& group : named) group = of(std::move(group));
    log_.declare_groups(named);
  }
  Result<std::unique_ptr<flow::Source>> open_source(const flow::SourceSpec& spec,
                                                    flow::Waker& waker) override {
    return log_.open_source(of(spec), waker);
  }
  Result<std::unique_ptr<flow::LogSink>> open_sink(const flow::SinkSpec& spec,
                                                   flow::Waker& waker) override {
    flow::SinkSpec named = spec;
    named.group = prefix_ + spec.group;
    named.inputs = with(spec.inputs);
    named.outputs = with(spec.outputs);
    return log_.open_sink(named, waker);
  }
  Result<std::unique_ptr<flow::Appender>> open_appender(const std::vector<std::string>& topics,
                                                        flow::Waker& waker) override {
    return log_.open_appender(with(topics), waker);
  }
  flow::SchemaSource& schemas() override { return log_.schemas(); }
  Result<std::vector<flow::TopicState>> topics() override {
    PENSTOCK_TRY(states, log_.topics());
    for (flow::TopicState& state : states) state.name = without(state.name);
    return std::move(states);
  }
  Result<std::vector<flow::GroupState>> groups() override {
    PENSTOCK_TRY(states, log_.groups());
    for (flow::GroupState& state : states) {
      state.name = without(state.name);
      for (auto& position : state.positions) position.topic = without(position.topic);
    }
    return std::move(states);
  }
  Result<row::RawBatch> read(std::string_view topic, int32_t partition, Offset from,
                             const flow::PollLimits& limits, Offset* next) override {
    return log_.read(prefix_ + std::string(topic), partition, from, limits, next);
  }

 private:
  flow::SourceSpec of(flow::SourceSpec spec) const {
    return {prefix_ + spec.group, with(spec.topics), spec.member};
  }
  // Sources that are no topics keep their names.
  std::vector<std::string> with(std::vector<std::string> names) const {
    for (std::string& name : names) {
      if (name.find(':') == std::string::npos) name = prefix_ + name;
    }
    return names;
  }
  std::string without(const std::string& name) const {
    return name.starts_with(prefix_) ? name.substr(prefix_.size()) : name;
  }

  flow::Log& log_;
  std::string prefix_;
};

class KafkaHarness final : public flow::LogHarness {
 public:
  explicit KafkaHarness(bool at_least_once = false) : at_least_once_(at_least_once) { open(); }
  flow::Log& log() override { return *prefixed_; }
  void reopen() override {
    prefixed_.reset();
    log_.reset();
    open();
  }
  // As the cluster's own tools do it: it removes the member, which finds out with its next
  // heartbeat.
  void evict(flow::Source& source) override {
    const auto& kafka = static_cast<KafkaSource&>(source);
    const auto* member = dynamic_cast<const KafkaMembership*>(kafka.membership().get());
    REQUIRE(member != nullptr);
    REQUIRE(remove_member(kafka.group(), member->member_id));
  }
  void lose_next_answer(bool written) override { log_->lose_next_answer_for_test(written); }
  bool retain(Millis) override { return false; }
  bool limit_records(const std::string& topic, uint64_t bytes) override {
    return set_max_message_bytes(prefix_ + "." + topic, bytes);
  }

 private:
  void open() {
    Settings settings = test_settings(prefix_);
    settings.at_least_once = at_least_once_;
    auto log = KafkaLog::open(std::move(settings));
    if (!log) FAIL(render(log.error()));
    log_ = std::move(*log);
    prefixed_ = std::make_unique<PrefixedLog>(*log_, prefix_ + ".");
  }

  const bool at_least_once_;
  std::string prefix_ = fresh_name();
  std::unique_ptr<KafkaLog> log_;
  std::unique_ptr<PrefixedLog> prefixed_;
};

void run_case(const std::vector<flow::ContractCase>& cases, bool at_least_once) {
  const flow::ContractCase* chosen = nullptr;
  for (const flow::ContractCase& contract : cases) {
    SUBCASE(contract.name) { chosen = &contract; }
  }
  if (chosen == nullptr) return;
  INFO(std::string(chosen->name));
  KafkaHarness harness(at_least_once);
  chosen->run(harness);
}

}  // namespace

TEST_CASE("Kafka keeps the contract of logs") { run_case(flow::log_contract(), false); }

TEST_CASE("at least once, Kafka keeps what the contract says of epochs, but for repeats") {
  static constexpr std::array<std::string_view, 14> kLeftOut = {
      // An epoch that ends in the middle may be made again, and a source that is no topic has no
      // group that would fence.
      "an evicted worker is fenced",
      "an unknown end leaves state and position together",
      "inputs need not be topics",
      // The good records of an epoch that is refused for a large one may be there already.
      "a record may be as large as is said",
      "a limit may change while running",
      // No epochs: the same there.
      "topics are made once",
      "records come in order",
      "groups do not know of each other",
      "who leaves leaves all to the others",
      "pause, and start again",
      "a store stage reports its lag",
      "schemas are kept",
      "retention waits for declared groups",
      "everything is there after a restart",
  };
  auto cases = flow::log_contract();
  const size_t all = cases.size();
  std::erase_if(cases, [](const flow::ContractCase& contract) {
    return std::ranges::find(kLeftOut, contract.name) != kLeftOut.end();
  });
  REQUIRE(cases.size() == all - kLeftOut.size());
  run_case(cases, true);
}

TEST_CASE("who only looks is told of its pipeline's topics, on a cluster that others share") {
  const std::string prefix = fresh_name();
  const std::string ours = prefix + ".ours";
  const auto named = [&](const char* name) { return flow::TopicSpec{.name = prefix + name}; };
  const auto maker = KafkaLog::open(test_settings(prefix));
  if (!maker) FAIL(render(maker.error()));
  REQUIRE((*maker)->create_missing({named(".ours"), named(".others")}));
  const auto looking = KafkaLog::open(test_settings(prefix));
  if (!looking) FAIL(render(looking.error()));
  (*looking)->declare_groups({{"g", {ours, prefix + ".missing"}, {}}});
  const auto told = (*looking)->topics();
  REQUIRE(told);
  REQUIRE(told->size() == 1);
  CHECK(told->front().name == ours);
}

}  // namespace penstock::log::kafka
