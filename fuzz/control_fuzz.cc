// Any bytes from a client of the control socket: the server answers whole requests and drops all
// else, and the next client is served. The same bytes as an owner's answer: a code, or that the
// owner went away.
#include "ops/control.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

using namespace penstock;  // NOLINT: a program of one page

namespace {

class Quiet final : public ops::Output {
 public:
  void out(std::string_view text) override { told += text; }
  void note(std::string_view text) override { noted += text; }
  bool gone() override { return leaves; }
  bool leaves = false;
  std::string told, noted;
};

std::string temporary_folder() {
  char name[] = "/tmp/control-fuzz-XXXXXX";
  return ::mkdtemp(name);
}

sockaddr_un address_in(const std::string& folder) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, (folder + "/control.sock").c_str(), sizeof name.sun_path - 1);
  return name;
}

struct Owner {
  Owner() : folder(temporary_folder()) {
    auto opened =
        ops::ControlServer::open(folder, [](const std::string& request, ops::Output& output) {
          output.out(request);
          output.note(output.gone() ? "gone" : "there");
          return 7;
        });
    if (!opened || ops::ControlServer::open(folder + "/none", {})) std::abort();
    Quiet nobody;
    if (ops::ask_owner(folder + "/none", "?", nobody)) std::abort();
    server = std::move(*opened);
  }
  std::string folder;
  std::unique_ptr<ops::ControlServer> server;
};

void send_raw(const std::string& folder, std::string_view bytes) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un name = address_in(folder);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    std::abort();
  (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ::shutdown(fd, SHUT_WR);
  char answer[4096];
  while (::recv(fd, answer, sizeof answer, 0) > 0) {
  }
  ::close(fd);
}

// Gives every client the same bytes.
class Impostor {
 public:
  Impostor() : folder(temporary_folder()), listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    const sockaddr_un name = address_in(folder);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
        ::listen(listener_, 4) != 0)
      std::abort();
  }

  // Asks, with `bytes` for an answer.
  Result<int> ask(std::string_view bytes, ops::Output& output) {
    std::thread answering([this, bytes] {
      const int client = ::accept(listener_, nullptr, nullptr);
      char request[64];
      (void)!::recv(client, request, sizeof request, 0);
      (void)!::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ::close(client);
    });
    auto code = ops::ask_owner(folder, "?", output);
    answering.join();
    return code;
  }

  const std::string folder;

 private:
  const int listener_;
};

void check_answer(std::string_view bytes) {
  static Impostor impostor;
  Quiet output;
  output.leaves = bytes.size() % 2 == 1;  // what the owner says last is read all the same
  const auto code = impostor.ask(bytes, output);
  if (!code && !code.error().message.contains("went away")) std::abort();
  if (output.told.size() + output.noted.size() > bytes.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Owner owner;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  send_raw(owner.folder, bytes);
  Quiet output;
  const auto code = ops::ask_owner(owner.folder, "still there?", output);
  if (!code || *code != 7 || output.told != "still there?" || output.noted != "there") std::abort();
  check_answer(bytes.substr(0, 1024));
  return 0;
}
