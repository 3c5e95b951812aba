// kafka_schemas.h — the schemas of what lies in the log: the compacted topic <pipeline>.schemas.
//
// Key: the fingerprint, 16 hexadecimal digits; value: the schema's JSON. A thread of its own
// follows the topic and keeps all of it parsed. A fingerprint that is not there is unknown *for
// good* only when the topic was read up to its end as it was after the question.
//
// Thread      any.
// Lifetime    of its KafkaLog; the destructor waits for the follower's running call.
// Limits      kMaxUnknown questions are remembered; a schema's text as avro/schema.h has it.
// Errors      a row that is no schema is passed over; add(): L1xx.
#pragma once

#include "flow/log.h"
#include "log/kafka/changelog.h"
#include "log/kafka/kafka_appender.h"

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace penstock::log::kafka {

inline constexpr size_t kMaxUnknown = 4096;

class KafkaSchemas final : public flow::SchemaSource {
 public:
  // Returns when all that is there now was read.
  static Result<std::unique_ptr<KafkaSchemas>> open(Admin& admin, const std::string& topic);
  ~KafkaSchemas() override;

  Found find(uint64_t fingerprint) override;
  Result<void> add(const avro::SchemaPtr& schema) override;
  std::vector<avro::SchemaPtr> all() override;

 private:
  using Clock = std::chrono::steady_clock;
  KafkaSchemas(Admin& admin, std::string topic);
  Result<void> read_to_end(Changelog& log);
  void take(const ChangelogRow& row);
  void follow(Changelog log);
  void settle(Clock::time_point asked_before);

  Admin& admin_;
  const std::string topic_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, avro::SchemaPtr> schemas_;
  struct Question {
    Clock::time_point asked;
    bool settled = false;
  };
  std::map<uint64_t, Question> unknown_;
  bool asking_ = false;  // some question is not settled
  std::mutex writing_;
  AppendSession writer_;
  std::thread follower_;
};

}  // namespace penstock::log::kafka
