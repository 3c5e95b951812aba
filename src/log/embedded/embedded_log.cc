#include "log/embedded/embedded_log.h"

#include "base/check.h"
#include "log/embedded/embedded_sink.h"
#include "log/embedded/group_source.h"
#include "log/embedded/schema_store.h"

#include <algorithm>
#include <utility>

namespace penstock::log {
namespace {

class Implementation final : public EmbeddedLog {
 public:
  Implementation(FolderLock lock, std::unique_ptr<Db> db, bool read_only)
      : lock_(std::move(lock)), db_(std::move(db)), schemas_(*db_, read_only) {}

  Result<void> load() {
    PENSTOCK_TRY_VOID(catalog_.load(*db_));
    PENSTOCK_TRY_VOID(rows_.load(*db_));
    return schemas_.load();
  }
  void start(const EmbeddedOptions& options) {
    committer_.emplace(*db_, catalog_, rows_, members_, retention_,
                       CommitterOptions{options.sync, options.clock, options.retention_every_millis,
                                        options.failpoint});
  }

  Result<std::vector<std::string>> create_missing(
      const std::vector<flow::TopicSpec>& topics) override {
    if (!committer_) return read_only();
    return catalog_.create_missing(*db_, topics);
  }
  void declare_groups(const std::vector<flow::SourceSpec>& groups) override {
    retention_.declare(groups);
  }
  Result<std::unique_ptr<flow::Source>> open_source(const flow::SourceSpec& spec,
                                                    flow::Waker& waker) override;
  Result<std::unique_ptr<flow::LogSink>> open_sink(const flow::SinkSpec& spec,
                                                   flow::Waker& waker) override;
  Result<std::unique_ptr<flow::Appender>> open_appender(const std::vector<std::string>& topics,
                                                        flow::Waker& waker) override;
  flow::SchemaSource& schemas() override { return schemas_; }
  Result<std::vector<flow::TopicState>> topics() override;
  Result<std::vector<flow::GroupState>> groups() override;
  Result<row::RawBatch> read(std::string_view topic, int32_t partition, Offset from,
                             const flow::PollLimits& limits, Offset* next) override;

  void retain(Millis now) override;
  std::vector<RetentionWarning> warnings() const override { return retention_.warnings(); }
  Result<void> remove_topic(std::string_view name) override {
    if (!committer_) return read_only();
    return catalog_.remove(*db_, name);
  }
  void evict(flow::Source& source) override {
    auto* member = dynamic_cast<GroupSource*>(&source);
    PENSTOCK_CHECK(member != nullptr);
    member->evict();
  }

 private:
  static Failure read_only() {
    return fail("L009"_code, "the data folder is open for reading only");
  }
  Result<std::vector<TopicPtr>> find_all(const std::vector<std::string>& names) const {
    std::vector<TopicPtr> topics;
    for (const std::string& name : names) {
      PENSTOCK_TRY(topic, catalog_.find(name));
      topics.push_back(std::move(topic));
    }
    return topics;
  }

  // In the order of their needs: each uses those above it.
  FolderLock lock_;
  std::unique_ptr<Db> db_;
  Catalog catalog_;
  GroupRows rows_;
  Members members_;
  Retention retention_;
  SchemaStore schemas_;
  std::optional<Committer> committer_;  // none when read-only
};

Result<std::unique_ptr<flow::Source>> Implementation::open_source(const flow::SourceSpec& spec,
                                                                  flow::Waker& waker) {
  if (!committer_) return read_only();
  PENSTOCK_TRY(topics, find_all(spec.topics));
  auto source = std::make_unique<GroupSource>(*db_, members_, *committer_, spec.group,
                                              std::move(topics), waker);
  PENSTOCK_TRY_VOID(source->join());
  return source;
}

Result<std::unique_ptr<flow::LogSink>> Implementation::open_sink(const flow::SinkSpec& spec,
                                                                 flow::Waker& waker) {
  if (!committer_) return read_only();
  PENSTOCK_TRY(outputs, find_all(spec.outputs));
  std::vector<Input> inputs;
  for (const std::string& name : spec.inputs) {
    const auto topic = catalog_.find(name);
    inputs.push_back(topic ? Input{name, (*topic)->lineage, *topic}
                           : Input{name, "input:" + name, nullptr});
  }
  return std::make_unique<EmbeddedSink>(*committer_, spec.group, std::move(inputs),
                                        std::move(outputs), spec.stateful, waker);
}

Result<std::unique_ptr<flow::Appender>> Implementation::open_appender(
    const std::vector<std::string>& names, flow::Waker& waker) {
  if (!committer_) return read_only();
  PENSTOCK_TRY(topics, find_all(names));
  return std::make_unique<EmbeddedAppender>(*committer_, std::move(topics), waker);
}

Result<std::vector<flow::TopicState>> Implementation::topics() {
  const std::lock_guard lock(rows_.mutex());  // no write is half published
  std::vector<flow::TopicState> states;
  for (const TopicPtr& topic : catalog_.all()) {
    flow::TopicState state{topic->name, topic->lineage, topic->keep_millis, {}};
    for (int32_t p = 0; p < topic->partitions(); ++p) {
      const TopicPartition& partition = topic->partition(p);
      state.partitions.push_back({p, partition.start(), partition.end()});
    }
    states.push_back(std::move(state));
  }
  return states;
}

Result<std::vector<flow::GroupState>> Implementation::groups() {
  std::vector<flow::GroupState> states;
  {
    const std::lock_guard lock(rows_.mutex());
    states = rows_.states();
  }
  for (const std::string& name : members_.groups()) {
    if (std::ranges::find(states, name, &flow::GroupState::name) == states.end()) {
      states.push_back({name, {}, 0});
    }
  }
  std::ranges::sort(states, {}, &flow::GroupState::name);
  for (flow::GroupState& state : states) state.members = members_.count(state.name);
  return states;
}

Result<row::RawBatch> Implementation::read(std::string_view name, int32_t partition, Offset from,
                                           const flow::PollLimits& limits, Offset* next) {
  PENSTOCK_TRY(topic, catalog_.find(name));
  if (partition < 0 || partition >= topic->partitions()) {
    return fail("L004"_code, "there is no such partition of topic \"" + topic->name + "\"");
  }
  row::RawBatch batch;
  batch.partition = {0, partition};
  const TopicPartition& of = topic->partition(partition);
  ChunkReader reader(*db_, topic, partition, std::clamp(from, of.start(), of.end()));
  PENSTOCK_TRY_VOID(reader.poll(limits, batch));
  if (next != nullptr) *next = reader.position();
  return batch;
}

void Implementation::retain(Millis now) {
  if (!committer_) return;
  auto request = std::make_shared<Request>();
  request->kind = Request::Kind::retain;
  request->now = now;
  committer_->run(std::move(request));
}

}  // namespace

Result<std::unique_ptr<EmbeddedLog>> open_embedded_log(const EmbeddedOptions& options) {
  auto lock = options.read_only ? FolderLock::look(options.folder)
                                : FolderLock::own(options.folder, options.socket_path);
  if (!lock) return std::unexpected(std::move(lock).error());
  PENSTOCK_TRY(db, Db::open(options.folder, options.read_only));
  auto log = std::make_unique<Implementation>(std::move(*lock), std::move(db), options.read_only);
  PENSTOCK_TRY_VOID(log->load());
  if (!options.read_only) log->start(options);
  return log;
}

}  // namespace penstock::log
