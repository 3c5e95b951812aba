// test_proxy.h — stands between a client and the (single) broker of the tests, and holds requests.
//
// It answers for the broker by its own port, so a client that begins here stays behind it.
//
// Thread      methods from any; a thread for accepting and two for each connection.
// Lifetime    outlives the clients behind it.
//
//     TestProxy proxy;
//     proxy.hold(26);                     // the next EndTxn: its connection breaks, it is kept
//     …                                   // the client asks again by itself
//     proxy.release();                    // and now it arrives
#pragma once

#include "log/kafka/test_broker.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <unistd.h>

#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace penstock::log::kafka {

class TestProxy {
 public:
  TestProxy() {
    const std::string brokers = test_brokers();
    const size_t colon = brokers.find(':');
    broker_port_ = static_cast<uint16_t>(std::stoi(brokers.substr(colon + 1)));
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = local(0);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 64) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  TestProxy(const TestProxy&) = delete;
  ~TestProxy() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      ::shutdown(listener_, SHUT_RDWR);
      for (Connection& one : connections_) one.shut();
    }
    changed_.notify_all();
    acceptor_.join();
    for (Connection& one : connections_) one.end();
    ::close(listener_);
  }

  std::string brokers() const { return "127.0.0.1:" + std::to_string(port_); }

  // The next request of this ApiKey is kept, and its client's connection breaks.
  void hold(int api) { set(hold_, api); }
  // Requests of this ApiKey are set aside until go_on(); what comes behind them passes.
  void stop_at(int api) { set(stop_, api); }
  bool holds() {
    return is([&] { return held_.has_value(); });
  }
  bool stopped() {
    return is([&] { return !stopped_.empty(); });
  }
  void go_on() {
    const std::lock_guard lock(mutex_);
    stop_ = -1;
    for (const Held& one : stopped_) send_all(one.by->broker, one.frame);
    stopped_.clear();
  }
  // Delivers what was kept, and returns when the broker has answered.
  void release() {
    std::unique_lock lock(mutex_);
    REQUIRE(held_.has_value());
    Connection& by = *held_->by;
    const uint64_t answers = by.answers;
    REQUIRE(send_all(by.broker, held_->frame));
    held_.reset();
    REQUIRE(
        changed_.wait_for(lock, std::chrono::seconds(20), [&] { return by.answers > answers; }));
  }

 private:
  struct Connection {
    int client = -1, broker = -1;
    uint64_t answers = 0;
    std::thread requests, replies;
    void shut() const {
      ::shutdown(client, SHUT_RDWR);
      ::shutdown(broker, SHUT_RDWR);
    }
    void end() {
      requests.join();
      replies.join();
      ::close(client);
      ::close(broker);
    }
  };
  struct Held {
    Connection* by;
    std::string frame;
  };

  static sockaddr_in local(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  static bool send_all(int to, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  static bool receive(int from, std::string& bytes, size_t size) {
    const size_t begin = bytes.size();
    bytes.resize(begin + size);
    for (size_t have = begin; have < bytes.size();) {
      const ssize_t got = ::recv(from, bytes.data() + have, bytes.size() - have, 0);
      if (got <= 0) return false;
      have += static_cast<size_t>(got);
    }
    return true;
  }
  // A request or an answer with its length in front.
  static bool receive_frame(int from, std::string& frame) {
    frame.clear();
    if (!receive(from, frame, 4)) return false;
    uint32_t length = 0;
    for (const char byte : frame) length = length << 8 | static_cast<uint8_t>(byte);
    return receive(from, frame, length);
  }

  void set(int& rule, int api) {
    const std::lock_guard lock(mutex_);
    rule = api;
  }
  template <class F>
  bool is(F holds) {
    const std::lock_guard lock(mutex_);
    return holds();
  }

  void accept_all() {
    while (true) {
      const int client = ::accept(listener_, nullptr, nullptr);
      const std::lock_guard lock(mutex_);
      if (over_ || client < 0) {
        if (client >= 0) ::close(client);
        return;
      }
      const int broker = ::socket(AF_INET, SOCK_STREAM, 0);
      const sockaddr_in address = local(broker_port_);
      // A broker that is away: the client is turned away as well.
      if (::connect(broker, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::shutdown(client, SHUT_RDWR);
      }
      Connection& one = connections_.emplace_back();
      one.client = client;
      one.broker = broker;
      one.requests = std::thread([this, &one] { pass_requests(one); });
      one.replies = std::thread([this, &one] { pass_replies(one); });
    }
  }

  void pass_requests(Connection& one) {
    std::string frame;
    while (receive_frame(one.client, frame)) {
      const int api = static_cast<uint8_t>(frame[4]) << 8 | static_cast<uint8_t>(frame[5]);
      const std::lock_guard lock(mutex_);
      if (api == stop_) {
        stopped_.push_back({&one, frame});
        continue;
      }
      if (api == hold_) {
        hold_ = -1;
        held_ = Held{&one, frame};
        ::shutdown(one.client, SHUT_RDWR);
        return;
      }
      if (!send_all(one.broker, frame)) break;
    }
    one.shut();
  }

  void pass_replies(Connection& one) {
    std::string frame;
    while (receive_frame(one.broker, frame)) {
      rename_broker(frame);
      send_all(one.client, frame);
      const std::lock_guard lock(mutex_);
      ++one.answers;
      changed_.notify_all();
    }
    one.shut();
  }

  // Host and port stand side by side in every answer that names brokers; a port is four bytes.
  void rename_broker(std::string& frame) const {
    static const std::string host = "127.0.0.1";
    const std::string theirs = host + RawBroker::int32(broker_port_);
    const std::string ours = host + RawBroker::int32(port_);
    for (size_t at = frame.find(theirs); at != std::string::npos; at = frame.find(theirs, at)) {
      frame.replace(at, theirs.size(), ours);
    }
  }

  uint16_t broker_port_ = 0, port_ = 0;
  int listener_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  int hold_ = -1, stop_ = -1;
  std::optional<Held> held_;
  std::vector<Held> stopped_;
  std::list<Connection> connections_;  // references stay
  std::thread acceptor_;
};

}  // namespace penstock::log::kafka
