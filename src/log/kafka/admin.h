// admin.h — asking a cluster about its topics and groups, and making topics.
//
// Thread      any; calls block until answered, at most kAdminMillis.
// Lifetime    of its KafkaLog; shared by everything that the log makes.
// Limits      one request answers for all topics of a call; partitions of one topic <= 4,096.
// Errors      L004 no such topic; L006 a topic that cannot be; L1xx what kafka_error() makes of the
//             cluster's answer.
//
//     PENSTOCK_TRY(admin, Admin::open(settings));
//     PENSTOCK_TRY(made, admin->create({{.name = "p.schemas", .compacted = true}}));
//     PENSTOCK_TRY(topics, admin->describe({"preprocessed"}));   // topics[0].lineage
#pragma once

#include "base/error.h"
#include "flow/log.h"
#include "log/kafka/handles.h"
#include "log/kafka/limits.h"
#include "log/kafka/settings.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace penstock::log::kafka {

inline constexpr int kAdminMillis = 15'000;

struct NewTopic {
  std::string name;
  int32_t partitions = 1;
  int32_t replicas = -1;  // -1: the broker's default
  int64_t keep_millis = -1;
  bool compacted = false;
  uint64_t record_bytes_max = 0;  // max.message.bytes; 0: the broker's default
};

struct TopicInfo {
  std::string name;
  std::string lineage;  // the topic's id; empty: there is no such topic
  int32_t partitions = 0;
  bool led = false;  // each partition has a leader
};

// A topic id as text.
std::string lineage_text(const rd_kafka_Uuid_t* id);

// A group's committed offset, as the cluster has it.
struct CommittedOffset {
  std::string topic;
  int32_t partition = 0;
  Offset next;
  std::string metadata;
};

class Admin {
 public:
  // Waits until the cluster answers, at most Settings::unreachable_millis.
  static Result<std::unique_ptr<Admin>> open(const Settings& settings);

  // Makes what is missing and waits until every partition has a leader; returns the names made
  // here.
  // A topic that somebody else makes at the same time is fine.
  Result<std::vector<std::string>> create(const std::vector<NewTopic>& topics);
  // Of a topic of our own, up to so many.
  Result<void> add_partitions(const std::string& topic, int32_t total);
  // One for each name, in the same order.
  Result<std::vector<TopicInfo>> describe(const std::vector<std::string>& names);
  // Names of all topics that are not internal to Kafka.
  Result<std::vector<std::string>> all_topics();
  // Of each; `once`: without asking again where nobody answers.
  Result<std::vector<TopicSettings>> topic_settings(const std::vector<std::string>& names,
                                                    bool once = false);
  // First kept and next to be written, of every partition. `committed`: up to the last stable
  // offset.
  Result<std::vector<std::vector<flow::PartitionState>>> bounds(
      const std::vector<TopicInfo>& topics, bool committed = false);
  // Empty for a group that never was.
  Result<std::vector<CommittedOffset>> committed(const std::string& group);
  Result<uint32_t> members(const std::string& group);

  rd_kafka_t* client() const { return client_.get(); }
  const Settings& settings() const { return settings_; }

 private:
  Admin(Settings settings, Client client)
      : settings_(std::move(settings)), client_(std::move(client)) {}
  Result<void> wait_for_leaders(const std::vector<std::string>& names);

  Settings settings_;
  Client client_;
};

}  // namespace penstock::log::kafka
