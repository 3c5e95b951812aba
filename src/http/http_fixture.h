// http_fixture.h — a server for tests: each connection is given to a script.
//
// Thread      the script runs on a thread of the connection's own.
// Lifetime    the destructor closes what is open and joins.
//
//     TestServer server([](TestPeer& peer) { peer.request(); peer.say(ok("hello")); });
#pragma once

#include "http/message.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace penstock::http {

class TestPeer {
 public:
  TestPeer(int fd, int which) : number(which), fd_(fd) {}
  // The next request: head and body; "" at the end of the connection.
  std::string request() {
    while (!kept_.contains("\r\n\r\n")) {
      if (!fill()) return {};
    }
    const size_t head = kept_.find("\r\n\r\n") + 4;
    size_t body = 0;
    if (const size_t at = kept_.find("Content-Length: "); at < head) {
      body = std::stoul(kept_.substr(at + 16));
    }
    while (kept_.size() < head + body) {
      if (!fill()) return {};
    }
    const std::string all = kept_.substr(0, head + body);
    kept_.erase(0, head + body);
    return all;
  }
  void say(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<size_t>(sent));
    }
  }
  int fd() const { return fd_; }
  const int number;  // of the connection, from 1

 private:
  bool fill() {
    std::array<char, 65536> bytes{};
    const ssize_t got = recv(fd_, bytes.data(), bytes.size(), 0);
    if (got > 0) kept_.append(bytes.data(), static_cast<size_t>(got));
    return got > 0;
  }
  int fd_;
  std::string kept_;
};

inline std::string ok(std::string_view body) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

class TestServer {
 public:
  using Script = std::function<void(TestPeer&)>;
  explicit TestServer(Script script) : script_(std::move(script)) {
    door_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* address = reinterpret_cast<sockaddr*>(&at);
    bind(door_, address, size);
    listen(door_, 128);
    getsockname(door_, address, &size);
    port_ = ntohs(at.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~TestServer() {
    stop_ = true;
    shutdown(door_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::scoped_lock lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& each : peers_) each.join();
    ::close(door_);
  }
  TestServer(const TestServer&) = delete;
  Url url(std::string path = "/") const {
    return {.tls = false, .host = "127.0.0.1", .port = port_, .path = std::move(path)};
  }
  int connections() const { return connections_; }

 private:
  void accept_all() {
    while (!stop_) {
      const int fd = accept4(door_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      const int number = ++connections_;
      const std::scoped_lock lock(mutex_);
      open_.push_back(fd);
      peers_.emplace_back([this, fd, number] {
        TestPeer peer(fd, number);
        script_(peer);
        const std::scoped_lock closing(mutex_);
        open_.remove(fd);
        ::close(fd);
      });
    }
  }
  Script script_;
  int door_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::list<int> open_;
  std::list<std::thread> peers_;
  std::thread acceptor_;
};

}  // namespace penstock::http
