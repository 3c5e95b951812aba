#include "log/kafka/limits.h"

#include "log/kafka/admin.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace penstock::log::kafka {
namespace {

constexpr uint64_t kBatchBytes = 1'000'000;  // librdkafka's own measure

uint64_t property(const Settings& settings, const char* name, uint64_t otherwise) {
  const auto found = settings.properties.find(name);
  return found == settings.properties.end() ? otherwise
                                            : std::strtoull(found->second.c_str(), nullptr, 10);
}

Result<void> set_number(rd_kafka_conf_t* conf, const char* name, uint64_t value) {
  std::array<char, 256> said{};
  const std::string text = std::to_string(value);
  if (rd_kafka_conf_set(conf, name, text.c_str(), said.data(), said.size()) == RD_KAFKA_CONF_OK) {
    return {};
  }
  return fail("L107"_code, std::string(name) + ": " + said.data());
}

}  // namespace

TopicResources::TopicResources(const std::vector<std::string>& names) {
  for (auto name = names.begin(); name != names.end(); ++name) {
    // librdkafka takes the answer to a name that was asked for twice for no answer at all.
    if (std::find(names.begin(), name, *name) != name) continue;
    handles_.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name->c_str()));
    wanted_.push_back(handles_.back().get());
  }
}

std::vector<TopicSettings> settings_of(const rd_kafka_event_t* event,
                                       const std::vector<std::string>& names,
                                       const Settings& settings) {
  std::vector<TopicSettings> told(names.size());
  size_t count = 0;
  const auto** found = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(const_cast<rd_kafka_event_t*>(event)), &count);
  for (size_t i = 0; i < count; ++i) {
    const auto at =
        std::ranges::find(names, rd_kafka_ConfigResource_name(found[i])) - names.begin();
    if (at == std::ssize(names)) continue;
    TopicSettings& topic = told[static_cast<size_t>(at)];
    uint64_t message = kUnknownRecordBytes, segment = kMaxRecordBytes;
    size_t entries = 0;
    const auto** configs = rd_kafka_ConfigResource_configs(found[i], &entries);
    for (size_t e = 0; e < entries; ++e) {
      const char* value = rd_kafka_ConfigEntry_value(configs[e]);
      if (value == nullptr) continue;
      const std::string_view name = rd_kafka_ConfigEntry_name(configs[e]);
      if (name == "retention.ms") topic.keep_millis = std::strtoll(value, nullptr, 10);
      if (name == "max.message.bytes") message = std::strtoull(value, nullptr, 10);
      if (name == "segment.bytes") segment = std::strtoull(value, nullptr, 10);
    }
    topic.record_bytes_max = std::min({message, segment, kMaxRecordBytes,
                                       property(settings, "message.max.bytes", kMaxRecordBytes)});
  }
  for (size_t i = 0; i < names.size(); ++i) {
    told[i] = told[static_cast<size_t>(std::ranges::find(names, names[i]) - names.begin())];
  }
  return told;
}

Result<void> keep_to_limits(rd_kafka_conf_t* conf, const Settings& settings,
                            const std::vector<uint64_t>& record_bytes_max) {
  if (record_bytes_max.empty()) return {};
  const auto [least, most] = std::ranges::minmax(record_bytes_max);
  const uint64_t batch = property(settings, "batch.size", kBatchBytes);
  PENSTOCK_TRY_VOID(set_number(conf, "batch.size", std::clamp<uint64_t>(least, 1, batch)));
  if (settings.properties.contains("message.max.bytes")) return {};
  return set_number(conf, "message.max.bytes", std::max(most, kUnknownRecordBytes));
}

bool is_too_large(const Error& error) { return error.code == "L112"_code; }

LimitWatch::LimitWatch(Admin& admin, std::vector<std::string> topics, std::vector<uint64_t> now)
    : admin_(admin),
      topics_(std::move(topics)),
      record_bytes_max_(std::move(now)),
      answers_(rd_kafka_queue_new(admin.client())),
      asked_(std::chrono::steady_clock::now()) {}

void LimitWatch::ask() {
  TopicResources wanted(topics_);
  rd_kafka_DescribeConfigs(admin_.client(), wanted.data(), wanted.size(), nullptr, answers_.get());
  waiting_ = true;
}

// Trouble with the asking says nothing about the topics.
uint64_t LimitWatch::record_bytes_max(size_t topic) {
  const auto now = std::chrono::steady_clock::now();
  if (!waiting_ && now >= asked_ + kAskEvery) {
    asked_ = now;
    ask();
  }
  if (!waiting_) return record_bytes_max_[topic];
  const Event event(rd_kafka_queue_poll(answers_.get(), 0));
  if (event == nullptr) return record_bytes_max_[topic];
  waiting_ = false;
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return record_bytes_max_[topic];
  }
  const auto told = settings_of(event.get(), topics_, admin_.settings());
  for (size_t i = 0; i < told.size(); ++i) record_bytes_max_[i] = told[i].record_bytes_max;
  return record_bytes_max_[topic];
}

}  // namespace penstock::log::kafka
