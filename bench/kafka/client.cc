#include "kafka/client.h"

#include <cstdio>
#include <cstdlib>

namespace penstock::bench {

void give_up(std::string_view what, std::string_view why) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(why.size()), why.data());
  std::exit(1);
}

void check(rd_kafka_resp_err_t code, std::string_view what) {
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) give_up(what, rd_kafka_err2str(code));
}

void check(rd_kafka_error_t* error, std::string_view what) {
  const log::kafka::ErrorHandle owned(error);
  if (owned != nullptr) give_up(what, rd_kafka_error_string(owned.get()));
}

Client make(const std::string& brokers, Role role, const Properties& over) {
  log::kafka::Settings settings;
  settings.brokers = brokers;
  settings.pipeline = "bench";
  auto conf = log::kafka::make_conf(settings, role);
  if (!conf) give_up("settings", conf.error().message);
  for (const auto& [name, value] : over) {
    char said[512];
    if (rd_kafka_conf_set(conf->get(), name.c_str(), value.c_str(), said, sizeof said) !=
        RD_KAFKA_CONF_OK) {
      give_up(name, said);
    }
  }
  auto client = log::kafka::make_client(*std::move(conf), role);
  if (!client) give_up("client", client.error().message);
  return *std::move(client);
}

int32_t partitions_of(rd_kafka_t* client, const std::string& topic) {
  const log::kafka::TopicHandle handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  const struct rd_kafka_metadata* got = nullptr;
  check(rd_kafka_metadata(client, 0, handle.get(), &got, 10'000), "metadata of " + topic);
  const log::kafka::MetadataHandle metadata(got);
  if (metadata->topic_cnt != 1 || metadata->topics[0].partition_cnt < 1) {
    give_up(topic, "there is no such topic");
  }
  return metadata->topics[0].partition_cnt;
}

void produce(rd_kafka_t* client, rd_kafka_topic_t* topic, int32_t partition, std::string_view key,
             std::string_view value) {
  while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, const_cast<char*>(value.data()),
                          value.size(), key.data(), key.size(), nullptr) != 0) {
    const auto code = rd_kafka_last_error();
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) check(code, "produce");
    rd_kafka_poll(client, 10);
  }
}

}  // namespace penstock::bench
