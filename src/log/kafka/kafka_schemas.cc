#include "log/kafka/kafka_schemas.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace penstock::log::kafka {
namespace {

constexpr int kPollMillis = 20;
constexpr std::chrono::milliseconds kPause{200};
constexpr std::chrono::seconds kVerdictHolds{1};  // then an unknown one is looked for again

std::string key_of(uint64_t fingerprint) { return fmt::format("{:016x}", fingerprint); }

}  // namespace

KafkaSchemas::KafkaSchemas(Admin& admin, std::string topic)
    : admin_(admin), topic_(std::move(topic)), writer_(admin.settings(), {topic_}) {}

Result<std::unique_ptr<KafkaSchemas>> KafkaSchemas::open(Admin& admin, const std::string& topic) {
  std::unique_ptr<KafkaSchemas> schemas(new KafkaSchemas(admin, topic));
  PENSTOCK_TRY(log, Changelog::open(admin.settings(), topic, 0));
  PENSTOCK_TRY_VOID(schemas->read_to_end(log));
  schemas->follower_ = std::thread(
      [self = schemas.get(), log = std::move(log)]() mutable { self->follow(std::move(log)); });
  return schemas;
}

KafkaSchemas::~KafkaSchemas() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  writer_.vital()->stop = true;
  changed_.notify_all();
  if (follower_.joinable()) follower_.join();
}

Result<void> KafkaSchemas::read_to_end(Changelog& log) {
  PENSTOCK_TRY(end, end_of(admin_, topic_, 0));
  const auto deadline = Clock::now() + std::chrono::milliseconds(kAdminMillis);
  while (log.position() < end) {
    if (stop_ || Clock::now() >= deadline) {
      return fail("L122"_code, topic_ + " was not read to its end");
    }
    PENSTOCK_TRY_VOID(log.poll(kPollMillis, [this](const ChangelogRow& row) { take(row); }));
  }
  return {};
}

void KafkaSchemas::take(const ChangelogRow& row) {
  if (!row.value) return;
  auto schema = avro::parse(*row.value);
  if (!schema || key_of((*schema)->fingerprint()) != row.key) return;
  const std::lock_guard lock(mutex_);
  unknown_.erase((*schema)->fingerprint());
  schemas_.emplace((*schema)->fingerprint(), std::move(*schema));
}

// Everything asked before this moment is answered: what is not here was not in the topic then.
void KafkaSchemas::settle(Clock::time_point asked_before) {
  const std::lock_guard lock(mutex_);
  asking_ = false;
  for (auto& [fingerprint, question] : unknown_) {
    if (question.asked < asked_before) question.settled = true;
    if (!question.settled) asking_ = true;
  }
}

void KafkaSchemas::follow(Changelog log) {
  while (true) {
    bool asking = false;
    {
      std::unique_lock lock(mutex_);
      if (!asking_) changed_.wait_for(lock, kPause, [&] { return stop_ || asking_; });
      if (stop_) return;
      asking = asking_;
    }
    const auto now = Clock::now();
    const Result<void> read =
        asking ? read_to_end(log) : log.poll(0, [this](const ChangelogRow& row) { take(row); });
    if (asking && read) settle(now);
    if (read) continue;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPause, [&] { return stop_.load(); });
  }
}

flow::SchemaSource::Found KafkaSchemas::find(uint64_t fingerprint) {
  const std::lock_guard lock(mutex_);
  const auto known = schemas_.find(fingerprint);
  if (known != schemas_.end()) return {known->second, true};
  const auto now = Clock::now();
  auto question = unknown_.find(fingerprint);
  if (question != unknown_.end() && question->second.settled) {
    if (now - question->second.asked < kVerdictHolds) return {nullptr, true};
    question->second = {now, false};
  } else if (question == unknown_.end()) {
    if (unknown_.size() >= kMaxUnknown) unknown_.clear();
    unknown_.emplace(fingerprint, Question{now, false});
  }
  asking_ = true;
  changed_.notify_all();
  return {nullptr, false};
}

Result<void> KafkaSchemas::add(const avro::SchemaPtr& schema) {
  {
    const std::lock_guard lock(mutex_);
    if (schemas_.contains(schema->fingerprint())) return {};
  }
  const std::lock_guard writing(writing_);
  flow::Ended ended = writer_.append(0, 0, key_of(schema->fingerprint()), schema->json());
  if (ended.end != flow::CommitEnd::done) return std::unexpected(std::move(ended.error));
  const std::lock_guard lock(mutex_);
  unknown_.erase(schema->fingerprint());
  schemas_.emplace(schema->fingerprint(), schema);
  return {};
}

std::vector<avro::SchemaPtr> KafkaSchemas::all() {
  const std::lock_guard lock(mutex_);
  std::vector<avro::SchemaPtr> all;
  all.reserve(schemas_.size());
  for (const auto& [fingerprint, schema] : schemas_) all.push_back(schema);
  return all;
}

}  // namespace penstock::log::kafka
