#include "log/kafka/kafka_log.h"

#include "flow/dead_letter.h"
#include "log/kafka/admin.h"
#include "log/kafka/group_states.h"
#include "log/kafka/kafka_source.h"
#include "log/kafka/names.h"
#include "log/kafka/producing.h"
#include "log/kafka/reader.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace penstock::log::kafka {
namespace {

class RealKafkaLog final : public KafkaLog {
 public:
  explicit RealKafkaLog(std::unique_ptr<Admin> admin)
      : admin_(std::move(admin)), reader_(*admin_), group_states_(*admin_, reader_) {}
  Result<void> prepare();

  Result<std::vector<std::string>> create_missing(
      const std::vector<flow::TopicSpec>& topics) override;
  void declare_groups(const std::vector<flow::SourceSpec>& groups) override;
  Result<std::unique_ptr<flow::Source>> open_source(const flow::SourceSpec& spec,
                                                    flow::Waker& waker) override;
  Result<std::unique_ptr<flow::LogSink>> open_sink(const flow::SinkSpec& spec,
                                                   flow::Waker& waker) override;
  Result<std::unique_ptr<flow::Appender>> open_appender(const std::vector<std::string>& topics,
                                                        flow::Waker& waker) override;
  flow::SchemaSource& schemas() override { return producing_->schemas(); }
  Result<std::vector<flow::TopicState>> topics() override;
  Result<std::vector<flow::GroupState>> groups() override;
  Result<row::RawBatch> read(std::string_view topic, int32_t partition, Offset from,
                             const flow::PollLimits& limits, Offset* next) override {
    return reader_.read(topic, partition, from, limits, next);
  }
  void lose_next_answer_for_test(bool written) override {
    producing_->lose_next_answer_for_test(written);
  }

 private:
  void know(const std::vector<std::string>& topics, const std::string& group = {});
  Result<std::vector<std::string>> create_letters(std::vector<NewTopic> letters,
                                                  const std::vector<flow::TopicSpec>& topics);

  std::unique_ptr<Admin> admin_;
  Reader reader_;
  GroupStates group_states_;
  std::unique_ptr<Producing> producing_;
  std::mutex mutex_;
  std::set<std::string> topics_;    // that this process made, reads or writes
  std::set<std::string> declared_;  // that its pipeline names
  std::set<std::string> groups_;
};

// The log's own topics. Their rows are few and small: one partition each.
Result<void> RealKafkaLog::prepare() {
  const std::string& pipeline = admin_->settings().pipeline;
  PENSTOCK_TRY_VOID(admin_->create({{.name = names::schemas(pipeline), .compacted = true},
                                    {.name = names::positions(pipeline), .compacted = true}}));
  PENSTOCK_TRY(producing, Producing::open(*admin_, {}));
  producing_ = std::move(producing);
  return {};
}

void RealKafkaLog::know(const std::vector<std::string>& topics, const std::string& group) {
  const std::lock_guard lock(mutex_);
  topics_.insert(topics.begin(), topics.end());
  if (!group.empty()) groups_.insert(group);
}

Result<std::vector<std::string>> RealKafkaLog::create_missing(
    const std::vector<flow::TopicSpec>& topics) {
  std::vector<NewTopic> wanted, letters;
  std::vector<std::string> names;
  for (const flow::TopicSpec& topic : topics) {
    (topic.letters_of.empty() ? wanted : letters)
        .push_back({topic.name, topic.partitions, topic.replicas, topic.keep_millis, false});
    names.push_back(topic.name);
  }
  PENSTOCK_TRY(made, admin_->create(wanted));
  PENSTOCK_TRY(letters_made, create_letters(std::move(letters), topics));
  made.insert(made.end(), letters_made.begin(), letters_made.end());
  std::ranges::sort(made, {}, [&](const std::string& name) {
    return std::ranges::find(names, name) - names.begin();
  });
  know(names);
  return std::move(made);
}

// After the topics whose records become letters, for what those take counts.
Result<std::vector<std::string>> RealKafkaLog::create_letters(
    std::vector<NewTopic> letters, const std::vector<flow::TopicSpec>& topics) {
  for (NewTopic& letter : letters) {
    const auto& of = std::ranges::find(topics, letter.name, &flow::TopicSpec::name)->letters_of;
    PENSTOCK_TRY(set, admin_->topic_settings(of));
    for (const TopicSettings& topic : set) {
      letter.record_bytes_max =
          std::max(letter.record_bytes_max, topic.record_bytes_max + flow::kMaxLetterBytes);
    }
  }
  return admin_->create(letters);
}

void RealKafkaLog::declare_groups(const std::vector<flow::SourceSpec>& groups) {
  const std::lock_guard lock(mutex_);
  for (const flow::SourceSpec& group : groups) {
    if (!group.group.empty()) groups_.insert(group.group);
    declared_.insert(group.topics.begin(), group.topics.end());
  }
}

Result<std::unique_ptr<flow::Source>> RealKafkaLog::open_source(const flow::SourceSpec& spec,
                                                                flow::Waker& waker) {
  PENSTOCK_TRY(source, KafkaSource::open(*admin_, spec, waker));
  know(spec.topics, spec.group);
  return std::move(source);
}

Result<std::unique_ptr<flow::LogSink>> RealKafkaLog::open_sink(const flow::SinkSpec& spec,
                                                               flow::Waker& waker) {
  PENSTOCK_TRY(sink, producing_->open_sink(spec, waker));
  know(spec.outputs, spec.group);
  return std::move(sink);
}

Result<std::unique_ptr<flow::Appender>> RealKafkaLog::open_appender(
    const std::vector<std::string>& topics, flow::Waker& waker) {
  PENSTOCK_TRY(appender, producing_->open_appender(topics, waker));
  know(topics);
  return std::move(appender);
}

Result<std::vector<flow::TopicState>> RealKafkaLog::topics() {
  std::vector<std::string> names;
  {
    const std::lock_guard lock(mutex_);
    names.assign(topics_.begin(), topics_.end());
  }
  if (names.empty()) {  // whoever only looks: at what it may see of its pipeline's
    PENSTOCK_TRY(all, admin_->all_topics());
    names = std::move(all);
    const std::lock_guard lock(mutex_);
    std::erase_if(names, [&](const std::string& name) {
      return !declared_.empty() && !declared_.contains(name);
    });
  }
  PENSTOCK_TRY(infos, admin_->describe(names));
  std::erase_if(infos, [](const TopicInfo& topic) { return topic.lineage.empty(); });
  names.clear();
  for (const TopicInfo& info : infos) names.push_back(info.name);
  PENSTOCK_TRY(set, admin_->topic_settings(names));
  PENSTOCK_TRY(bounds, admin_->bounds(infos));
  std::vector<flow::TopicState> states;
  for (size_t i = 0; i < infos.size(); ++i) {
    states.push_back({infos[i].name, infos[i].lineage, set[i].keep_millis, std::move(bounds[i])});
  }
  return states;
}

Result<std::vector<flow::GroupState>> RealKafkaLog::groups() {
  std::set<std::string> names;
  {
    const std::lock_guard lock(mutex_);
    names = groups_;
  }
  return group_states_.look(names);
}

}  // namespace

Result<std::unique_ptr<KafkaLog>> KafkaLog::open(Settings settings) {
  PENSTOCK_TRY(admin, Admin::open(settings));
  auto log = std::make_unique<RealKafkaLog>(std::move(admin));
  PENSTOCK_TRY_VOID(log->prepare());
  return std::unique_ptr<KafkaLog>(std::move(log));
}

}  // namespace penstock::log::kafka
