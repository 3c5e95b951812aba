#include "log/kafka/producing.h"

#include "log/kafka/kafka_appender.h"
#include "log/kafka/kafka_schemas.h"
#include "log/kafka/kafka_sink.h"

#include <fmt/format.h>

#include <random>
#include <utility>

namespace penstock::log::kafka {
namespace {

std::string random_name() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

Result<std::vector<uint64_t>> limits_of(Admin& admin, const std::vector<std::string>& topics) {
  PENSTOCK_TRY(set, admin.topic_settings(topics));
  std::vector<uint64_t> limits;
  for (const TopicSettings& topic : set) limits.push_back(topic.record_bytes_max);
  return limits;
}

Result<std::vector<int32_t>> partitions_of(Admin& admin, const std::vector<std::string>& topics) {
  PENSTOCK_TRY(found, admin.describe(topics));
  std::vector<int32_t> partitions;
  for (const TopicInfo& topic : found) {
    if (topic.lineage.empty()) return fail("L004"_code, "no topic " + topic.name);
    partitions.push_back(topic.partitions);
  }
  return partitions;
}

}  // namespace

Producing::~Producing() = default;

Result<std::unique_ptr<Producing>> Producing::open(Admin& admin, const Options& options) {
  std::unique_ptr<Producing> producing(new Producing);
  producing->world_.admin = &admin;
  producing->world_.stable_members = options.stable_members;
  producing->world_.watchdog_millis = options.watchdog_millis;
  producing->world_.process = random_name();
  PENSTOCK_TRY(schemas, KafkaSchemas::open(admin, producing->world_.schemas_topic()));
  producing->schemas_ = std::move(schemas);
  return producing;
}

Result<std::unique_ptr<flow::LogSink>> Producing::open_sink(const flow::SinkSpec& spec,
                                                            flow::Waker& waker) {
  auto partitions = partitions_of(*world_.admin, spec.outputs);
  if (!partitions) return std::unexpected(std::move(partitions).error());
  PENSTOCK_TRY(limits, limits_of(*world_.admin, spec.outputs));
  return std::make_unique<KafkaSink>(world_, spec, std::move(limits), waker);
}

Result<std::unique_ptr<flow::Appender>> Producing::open_appender(
    const std::vector<std::string>& topics, flow::Waker& waker) {
  PENSTOCK_TRY(partitions, partitions_of(*world_.admin, topics));
  PENSTOCK_TRY(limits, limits_of(*world_.admin, topics));
  return std::make_unique<KafkaAppender>(world_, topics, std::move(partitions), std::move(limits),
                                         waker);
}

flow::SchemaSource& Producing::schemas() { return *schemas_; }

}  // namespace penstock::log::kafka
