// limits.h — how large a record may be that a topic takes, and batches that fit.
//
// The broker compares a batch, as it comes, with the topic's max.message.bytes; librdkafka neither
// asks for that number nor splits what was refused. So it is asked for here, and the client told:
// batches of several records stay below the smallest number of its topics, a single record may have
// what its own topic takes. Counted uncompressed: compression never makes a batch larger.
//
// Thread      a LimitWatch belongs to one owner; the rest is free functions.
// Lifetime    the client, the admin's, outlives a LimitWatch.
// Limits      kUnknownRecordBytes where the cluster does not tell (no right to DescribeConfigs);
//             never more than kMaxRecordBytes, which a client can still be sent and read. A watch
//             asks every kAskEvery.
//
//     PENSTOCK_TRY_VOID(keep_to_limits(conf.get(), settings, {1048588, 20000}));
//     LimitWatch watch(admin, outputs, limits);
//     if (bytes > watch.record_bytes_max(output)) …          // never waits
#pragma once

#include "log/kafka/handles.h"
#include "log/kafka/settings.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace penstock::log::kafka {

inline constexpr uint64_t kUnknownRecordBytes = 1'000'000;  // what librdkafka lets pass by itself
inline constexpr uint64_t kMaxRecordBytes = 96'000'000;

struct TopicSettings {
  int64_t keep_millis = -1;  // retention.ms; -1 for ever
  uint64_t record_bytes_max = kUnknownRecordBytes;
};

// A request's resources for these topics.
class TopicResources {
 public:
  explicit TopicResources(const std::vector<std::string>& names);
  rd_kafka_ConfigResource_t** data() { return wanted_.data(); }
  size_t size() const { return wanted_.size(); }

 private:
  std::vector<ConfigResource> handles_;
  std::vector<rd_kafka_ConfigResource_t*> wanted_;
};
// What an answer says of each name; what is not told is as in TopicSettings{}.
std::vector<TopicSettings> settings_of(const rd_kafka_event_t* event,
                                       const std::vector<std::string>& names,
                                       const Settings& settings);

// Of a producer that writes to topics with these limits.
Result<void> keep_to_limits(rd_kafka_conf_t* conf, const Settings& settings,
                            const std::vector<uint64_t>& record_bytes_max);

// The same record again would be refused again.
bool is_too_large(const Error& error);

class Admin;

class LimitWatch {
 public:
  static constexpr std::chrono::seconds kAskEvery{10};

  LimitWatch(Admin& admin, std::vector<std::string> topics, std::vector<uint64_t> now);
  // Never waits: what the last answer says. Asks again when it is time.
  uint64_t record_bytes_max(size_t topic);
  // Somebody else has asked.
  void learn(std::vector<uint64_t> now) { record_bytes_max_ = std::move(now); }
  const std::vector<uint64_t>& all() const { return record_bytes_max_; }

 private:
  void ask();

  Admin& admin_;
  std::vector<std::string> topics_;
  std::vector<uint64_t> record_bytes_max_;
  Queue answers_;
  std::chrono::steady_clock::time_point asked_;
  bool waiting_ = false;
};

}  // namespace penstock::log::kafka
