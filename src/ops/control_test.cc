#include "ops/control.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <utility>

using namespace penstock;

namespace {

struct Heard final : ops::Output {
  void out(std::string_view text) override { data += text; }
  void note(std::string_view text) override { notes += text; }
  bool gone() override { return false; }
  std::string data, notes;
};

struct Folder {
  Folder() {
    // Longer than sun_path has room for.
    std::string name =
        (std::filesystem::temp_directory_path() / "penstock_control_XXXXXX").string();
    root = mkdtemp(name.data());
    path = root + "/" + std::string(120, 'd');
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(root); }
  std::string root, path;
};

}  // namespace

TEST_CASE("a request is run by the owner, output and exit code come back") {
  Folder folder;
  auto server =
      ops::ControlServer::open(folder.path, [](const std::string& request, ops::Output& output) {
        output.out("data of " + request);
        output.note("a note");
        output.out(std::string(3'000'000, 'x'));
        return 7;
      });
  REQUIRE(server.has_value());
  Heard heard;
  const auto code = ops::ask_owner(folder.path, "lag", heard);
  REQUIRE(code.has_value());
  CHECK(*code == 7);
  CHECK(heard.data.starts_with("data of lag"));
  CHECK(heard.data.size() == 3'000'011);
  CHECK(heard.notes == "a note");
}

TEST_CASE("without an owner there is a clear error") {
  Folder folder;
  Heard heard;
  const auto code = ops::ask_owner(folder.path, "lag", heard);
  REQUIRE_FALSE(code.has_value());
  CHECK(code.error().code == "C001"_code);
}

TEST_CASE("stopping the owner tells a long verb that its client is gone") {
  Folder folder;
  std::atomic<bool> began = false;
  auto server = ops::ControlServer::open(folder.path, [&](const std::string&, ops::Output& output) {
    began = true;
    while (!output.gone()) std::this_thread::yield();
    return 0;
  });
  REQUIRE(server.has_value());
  std::thread client([&] {
    Heard heard;
    CHECK(ops::ask_owner(folder.path, "tail", heard).has_value());
  });
  while (!began) std::this_thread::yield();
  server->reset();
  client.join();
}

TEST_CASE("a client that is asked to drain tells the owner and hears its last words") {
  struct Leaving final : ops::Output {
    void out(std::string_view text) override { data += text; }
    void note(std::string_view) override {}
    bool gone() override { return true; }
    std::string data;
  };
  Folder folder;
  auto server = ops::ControlServer::open(folder.path, [](const std::string&, ops::Output& output) {
    while (!output.gone()) std::this_thread::yield();
    output.out("stopped at row 7");
    return 130;
  });
  REQUIRE(server.has_value());
  Leaving leaving;
  const auto code = ops::ask_owner(folder.path, "send", leaving);
  REQUIRE(code.has_value());
  CHECK(*code == 130);
  CHECK(leaving.data == "stopped at row 7");
}

namespace {

// A client that asks and then reads nothing, as one that was stopped.
class Deaf {
 public:
  explicit Deaf(const std::string& socket_path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    socket_path.copy(name.sun_path, sizeof name.sun_path - 1);
    REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
    const std::string frame("q\x04\0\0\0tail", 9);
    REQUIRE(::send(fd_, frame.data(), frame.size(), 0) == 9);
  }
  ~Deaf() { hang_up(); }
  void hang_up() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

}  // namespace

TEST_CASE("a client that reads nothing does not keep the owner from ending") {
  std::string root = (std::filesystem::temp_directory_path() / "penstock_deaf_XXXXXX").string();
  REQUIRE(mkdtemp(root.data()) != nullptr);
  std::atomic<uint64_t> written = 0;
  auto server = ops::ControlServer::open(root, [&](const std::string&, ops::Output& output) {
    while (!output.gone()) {
      output.out(std::string(100'000, 'x'));
      ++written;
    }
    return 0;
  });
  REQUIRE(server.has_value());
  Deaf client(root + "/control.sock");
  // Until the socket's buffer is full: nothing is written for a while.
  for (uint64_t before = UINT64_MAX; written == 0 || written != before;) {
    before = written;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // poll: written
  }
  auto ended = std::async(std::launch::async, [&] { server->reset(); });
  const bool in_time = ended.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
  CHECK(in_time);
  client.hang_up();  // so that a server that waits comes to its end, too
  ended.wait();
  std::filesystem::remove_all(root);
}
