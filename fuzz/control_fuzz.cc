// Any bytes from a client of the control socket: the server answers whole requests and drops all
// else, and the next client is served.
#include "ops/control.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

using namespace penstock;  // NOLINT: a program of one page

namespace {

class Quiet final : public ops::Output {
 public:
  void out(std::string_view text) override { told += text; }
  void note(std::string_view) override {}
  bool gone() override { return false; }
  std::string told;
};

struct Owner {
  Owner() {
    char name[] = "/tmp/control-fuzz-XXXXXX";
    folder = ::mkdtemp(name);
    auto opened =
        ops::ControlServer::open(folder, [](const std::string& request, ops::Output& output) {
          output.out(request);
          return 7;
        });
    if (!opened) std::abort();
    server = std::move(*opened);
  }
  std::string folder;
  std::unique_ptr<ops::ControlServer> server;
};

void send_raw(const std::string& folder, const uint8_t* data, size_t size) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, (folder + "/control.sock").c_str(), sizeof name.sun_path - 1);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    std::abort();
  (void)!::send(fd, data, size, MSG_NOSIGNAL);
  ::shutdown(fd, SHUT_WR);
  char answer[4096];
  while (::recv(fd, answer, sizeof answer, 0) > 0) {
  }
  ::close(fd);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Owner owner;
  send_raw(owner.folder, data, size);
  Quiet output;
  const auto code = ops::ask_owner(owner.folder, "still there?", output);
  if (!code || *code != 7 || output.told != "still there?") std::abort();
  return 0;
}
