// test_broker.h — the broker that tests of this room run against.
//
// Errors      without PENSTOCK_TEST_KAFKA a test fails and says how to start one.
//
//     auto log = KafkaLog::open(test_settings(fresh_name()));
#pragma once

#include "log/kafka/admin.h"
#include "log/kafka/settings.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <netdb.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

namespace penstock::log::kafka {

inline std::string test_brokers() {
  const char* brokers = std::getenv("PENSTOCK_TEST_KAFKA");  // NOLINT: nobody sets it meanwhile
  if (brokers == nullptr) {
    FAIL("PENSTOCK_TEST_KAFKA names no broker; cure: run this test by tools/with_kafka COMMAND");
  }
  return brokers;
}

// A name that nothing on the cluster has.
inline std::string fresh_name() {
  static std::atomic<int> count{0};
  static const uint32_t process = std::random_device{}();
  return "t" + std::to_string(process) + "-" + std::to_string(++count);
}

inline Settings test_settings(const std::string& pipeline) {
  Settings settings;
  settings.brokers = test_brokers();
  settings.pipeline = pipeline;
  return settings;
}

// A connection to the (single) broker, for requests that librdkafka does not offer.
class RawBroker {
 public:
  RawBroker() {
    const std::string brokers = test_brokers();
    const size_t colon = brokers.find(':');
    const std::string host = brokers.substr(0, colon);
    const std::string port = brokers.substr(colon + 1, brokers.find(',') - colon - 1);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    REQUIRE(getaddrinfo(host.c_str(), port.c_str(), &hints, &found) == 0);
    socket_ = socket(found->ai_family, SOCK_STREAM, 0);
    REQUIRE(connect(socket_, found->ai_addr, found->ai_addrlen) == 0);
    freeaddrinfo(found);
  }
  RawBroker(const RawBroker&) = delete;
  ~RawBroker() { ::close(socket_); }

  // Sends one request; the answer without its length.
  std::string ask(const std::string& request) {
    const std::string sent = int32(static_cast<int32_t>(request.size())) + request;
    REQUIRE(send(socket_, sent.data(), sent.size(), 0) == static_cast<ssize_t>(sent.size()));
    std::string size = receive(4);
    uint32_t length = 0;
    for (const char byte : size) length = length << 8 | static_cast<uint8_t>(byte);
    return receive(length);
  }

  static std::string int16(int16_t value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value)};
  }
  static std::string int32(int32_t value) {
    return int16(static_cast<int16_t>(value >> 16)) + int16(static_cast<int16_t>(value));
  }
  static std::string text(std::string_view value) {
    return int16(static_cast<int16_t>(value.size())) + std::string(value);
  }

 private:
  std::string receive(size_t size) {
    std::string bytes(size, '\0');
    for (size_t have = 0; have < size;) {
      const ssize_t got = recv(socket_, bytes.data() + have, size - have, 0);
      REQUIRE(got > 0);
      have += static_cast<size_t>(got);
    }
    return bytes;
  }

  int socket_ = -1;
};

// LeaveGroup v3 on behalf of a member that does not know of it.
inline bool remove_member(const std::string& group, const std::string& member) {
  using R = RawBroker;
  RawBroker broker;
  const std::string answer =
      broker.ask(R::int16(13) + R::int16(3) + R::int32(1) + R::text("test") + R::text(group) +
                 R::int32(1) + R::text(member) + R::int16(-1));
  // correlation id, throttle time, error code, one member: id, no instance, error code
  return answer.size() >= 10 && answer.substr(8, 2) == R::int16(0) &&
         answer.substr(answer.size() - 2) == R::int16(0);
}

// Until the cluster tells the new value, too.
inline bool set_max_message_bytes(const std::string& topic, uint64_t bytes) {
  auto admin = Admin::open(test_settings("limits"));
  REQUIRE(admin.has_value());
  rd_kafka_t* client = (*admin)->client();
  const ConfigResource resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const ErrorHandle wrong(rd_kafka_ConfigResource_add_incremental_config(
      resource.get(), "max.message.bytes", RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET,
      std::to_string(bytes).c_str()));
  REQUIRE(wrong == nullptr);
  const Queue answers(rd_kafka_queue_new(client));
  rd_kafka_ConfigResource_t* wanted = resource.get();
  rd_kafka_IncrementalAlterConfigs(client, &wanted, 1, nullptr, answers.get());
  const Event event(rd_kafka_queue_poll(answers.get(), 20'000));
  if (event == nullptr || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return false;
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    const auto set = (*admin)->topic_settings({topic});
    if (set && set->at(0).record_bytes_max == bytes) return true;
  }
  return false;
}

}  // namespace penstock::log::kafka
