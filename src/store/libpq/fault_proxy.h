// fault_proxy.h — a proxy between libpq and a server that knows PostgreSQL's protocol well enough
// to lose one request on purpose. For tests.
//
// A request is a Query or the end of a COPY. The n-th from arm() is lost: its connection is cut
// before the server sees it, or after the server has done it and before the answer comes back.
//
// Thread      a thread of its own; the calls from any.
// Lifetime    the server outlives it.
// Limits      connections without TLS.
#pragma once

#include "flow/store_contract.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace penstock::store {

class FaultProxy {
 public:
  explicit FaultProxy(int server_port) : server_port_(server_port) {
    listen_again();
    thread_ = std::thread([this] { work(); });
  }
  ~FaultProxy() {
    quit_ = true;
    thread_.join();
    for (Pair& pair : pairs_) close_both(pair);
    if (listener_ >= 0) close(listener_);
  }
  int port() const { return port_; }

  void arm(const flow::StoreCut& cut) {
    const std::lock_guard lock(mutex_);
    cut_ = cut;
  }
  bool disarm() {
    const std::lock_guard lock(mutex_);
    return !std::exchange(cut_, std::nullopt).has_value();
  }
  // Connections are cut, and new ones refused.
  void set_away(bool away) {
    const std::lock_guard lock(mutex_);
    for (Pair& pair : pairs_) pair.dead = pair.dead || away;
    if (away == (listener_ < 0)) return;
    if (away) {
      close(std::exchange(listener_, -1));
    } else {
      listen_again();
    }
  }
  // From now on now and then a message of the server's is another one than it sent, and its
  // connection ends after it. 0: no more.
  void garble(uint64_t seed) { garbles_ = seed; }
  // The answer to a request, counted as by arm(), never comes, or only its first half does; the
  // connection stays.
  void hush(const flow::StoreCut& cut) {
    const std::lock_guard lock(mutex_);
    hush_ = cut;
  }
  bool was_hushed() {
    const std::lock_guard lock(mutex_);
    return !std::exchange(hush_, std::nullopt).has_value();
  }
  // The next connection that sends data of a COPY stands still from then on, before its end.
  void stall_in_copy() { stalls_ = true; }
  void wait_for_stall() {
    std::unique_lock lock(mutex_);
    REQUIRE(stalled_.wait_for(lock, flow::kStoreContractWait, [&] { return !stalls_; }));
  }
  void go_on() {
    const std::lock_guard lock(mutex_);
    for (Pair& pair : pairs_) {
      pair.stalled = false;
      if (!pair.kept.empty()) send_all(pair, pair.server, std::exchange(pair.kept, {}));
    }
  }
  uint64_t transactions() const { return transactions_; }

 private:
  struct Pair {
    int client = -1, server = -1;
    std::string from_client, from_server;
    std::string kept;  // of a client that stands still
    bool started = false;
    bool swallows = false;  // the answer to the request is lost, then the connection
    bool stalled = false;
    bool hushed = false;
    bool half = false;  // the next answer comes to its half
    bool dead = false;
  };

  static sockaddr_in address(int port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return to;
  }
  void listen_again() {
    const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in at = address(port_);
    socklen_t size = sizeof at;
    REQUIRE(bind(made, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(made, 16) == 0);
    getsockname(made, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    listener_ = made;
  }
  static void close_both(Pair& pair) {
    if (pair.client >= 0) close(std::exchange(pair.client, -1));
    if (pair.server >= 0) close(std::exchange(pair.server, -1));
  }

  void work() {
    while (!quit_) {
      std::vector<pollfd> watched;
      {
        const std::lock_guard lock(mutex_);
        for (Pair& pair : pairs_) {
          if (pair.dead) close_both(pair);
        }
        pairs_.remove_if([](const Pair& pair) { return pair.dead; });
        watched.push_back({listener_, POLLIN, 0});
        for (const Pair& pair : pairs_) {
          watched.push_back({pair.stalled ? -1 : pair.client, POLLIN, 0});
          watched.push_back({pair.stalled ? -1 : pair.server, POLLIN, 0});
        }
      }
      poll(watched.data(), watched.size(), 5);
      const std::lock_guard lock(mutex_);
      size_t i = 1;
      for (Pair& pair : pairs_) {
        if (i + 1 >= watched.size()) break;
        const bool client = watched[i].revents != 0, server = watched[i + 1].revents != 0;
        i += 2;
        if (!pair.dead && client) pass(pair, pair.client, pair.from_client, true);
        if (!pair.dead && server) pass(pair, pair.server, pair.from_server, false);
      }
      if (watched[0].revents != 0 && listener_ >= 0) accept_one();
    }
  }

  void accept_one() {
    Pair pair;
    pair.client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (pair.client < 0) return;
    pair.server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in to = address(server_port_);
    if (connect(pair.server, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      close_both(pair);
      return;
    }
    // Messages are passed on one by one: none of them waits for the former one's acknowledgement.
    const int yes = 1;
    for (const int each : {pair.client, pair.server})
      setsockopt(each, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    pairs_.push_back(std::move(pair));
  }

  void pass(Pair& pair, int from, std::string& buffer, bool is_client) {
    char bytes[65536];
    const ssize_t got = recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      pair.dead = true;
      return;
    }
    buffer.append(bytes, static_cast<size_t>(got));
    size_t at = 0;
    while (!pair.dead) {
      const bool typed = !is_client || pair.started;
      const size_t head = typed ? 5 : 4;
      if (buffer.size() < at + head) break;
      uint32_t length = 0;
      for (size_t i = head - 4; i < head; ++i)
        length = length << 8 | static_cast<unsigned char>(buffer[at + i]);
      const size_t whole = length + head - 4;
      if (buffer.size() < at + whole) break;
      message(pair, std::string_view(buffer).substr(at, whole), is_client, typed);
      at += whole;
    }
    buffer.erase(0, at);
  }

  void message(Pair& pair, std::string_view bytes, bool is_client, bool typed) {
    if (is_client) {
      pair.started = true;
      if (typed && (bytes[0] == 'Q' || bytes[0] == 'c')) request(pair, bytes);
      if (stalls_ && typed && bytes[0] == 'd') {
        stalls_ = false;
        pair.stalled = true;
        stalled_.notify_all();
        send_all(pair, pair.server, bytes);
        return;
      }
      if (pair.stalled) {
        pair.kept += bytes;
      } else if (!pair.dead) {
        send_all(pair, pair.server, bytes);
      }
      return;
    }
    if (pair.hushed) {
      if (std::exchange(pair.half, false))
        send_all(pair, pair.client, bytes.substr(0, bytes.size() / 2));
    } else if (!pair.swallows) {
      send_all(pair, pair.client, garbled(pair, bytes));
    } else if (bytes[0] == 'Z' || bytes[0] == 'G') {
      pair.dead = true;
    }
  }

  // One message in a hundred gets another byte, a shorter text, or another type.
  std::string garbled(Pair& pair, std::string_view bytes) {
    std::string changed(bytes);
    if (garbles_ == 0) return changed;
    const auto next = [&](uint64_t below) {
      garbles_ = garbles_ * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
      return (garbles_ >> 33) % below;
    };
    if (next(100) != 0) return changed;
    pair.dead = true;
    for (uint64_t i = 0; i <= next(4); ++i)
      changed[next(changed.size())] = static_cast<char>(next(256));
    if (next(4) == 0) changed.resize(1 + next(changed.size()));
    return changed;
  }

  void request(Pair& pair, std::string_view bytes) {
    if (bytes.substr(5).starts_with("BEGIN")) ++transactions_;
    if (hush_ && hush_->after-- == 0) {
      pair.hushed = true;
      pair.half = hush_->applied;
      hush_.reset();
    }
    if (!cut_ || cut_->after-- > 0) return;
    pair.swallows = cut_->applied;
    pair.dead = !cut_->applied;
    cut_.reset();
  }

  static void send_all(Pair& pair, int to, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        pair.dead = true;
        return;
      }
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  int server_port_;
  int port_ = 0;
  std::atomic<bool> quit_ = false;
  std::atomic<bool> stalls_ = false;
  std::atomic<uint64_t> garbles_ = 0;
  std::condition_variable stalled_;
  std::atomic<uint64_t> transactions_ = 0;
  std::mutex mutex_;  // guards what follows
  int listener_ = -1;
  std::list<Pair> pairs_;
  std::optional<flow::StoreCut> cut_, hush_;
  std::thread thread_;
};

}  // namespace penstock::store
