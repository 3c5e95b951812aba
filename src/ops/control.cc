#include "ops/control.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

namespace penstock::ops {
namespace {

constexpr size_t kFrameBytesMax = 1 << 20;
constexpr int kRequestsMax = 32;
constexpr int kLookMillis = 100;
constexpr int kLastWordsMillis = 5'000;  // a client that leaves waits no longer for a silent owner

// A file descriptor with an owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// `stopping`, where given, ends waiting for a peer that does not read (the socket has a timeout
// then).
bool write_all(int fd, std::string_view bytes, const std::atomic<bool>* stopping) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EAGAIN && stopping && !*stopping) continue;
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return true;
}

bool read_all(int fd, char* to, size_t size) {
  while (size > 0) {
    const ssize_t got = ::recv(fd, to, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool write_frame(int fd, char kind, std::string_view bytes,
                 const std::atomic<bool>* stopping = nullptr) {
  std::string frame(1, kind);
  for (int shift = 0; shift < 32; shift += 8)
    frame.push_back(static_cast<char>(bytes.size() >> shift));
  frame.append(bytes);
  return write_all(fd, frame, stopping);
}

// False at the end of the connection and for a frame that is too large.
bool read_frame(int fd, char& kind, std::string& bytes) {
  unsigned char head[5];
  if (!read_all(fd, reinterpret_cast<char*>(head), sizeof head)) return false;
  kind = static_cast<char>(head[0]);
  const size_t size =
      head[1] | (head[2] << 8) | (head[3] << 16) | (static_cast<size_t>(head[4]) << 24);
  if (size > kFrameBytesMax) return false;
  bytes.resize(size);
  return read_all(fd, bytes.data(), size);
}

// sun_path holds 107 bytes and folders are longer: the socket is named through a descriptor of its
// folder.
struct Address {
  Descriptor folder;
  sockaddr_un name{};
};

bool make_address(const std::string& folder, Address& address) {
  address.folder = Descriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (address.folder.get() < 0) return false;
  address.name.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/control.sock", address.folder.get());
  std::memcpy(address.name.sun_path, path.c_str(), path.size() + 1);
  return true;
}

const sockaddr* as_sockaddr(const sockaddr_un& name) {
  return reinterpret_cast<const sockaddr*>(&name);
}

class SocketOutput final : public Output {
 public:
  SocketOutput(int fd, const std::atomic<bool>& stopping) : fd_(fd), stopping_(stopping) {}
  void out(std::string_view text) override { pieces('o', text); }
  void note(std::string_view text) override { pieces('e', text); }
  bool gone() override {
    if (broken_ || stopping_) return true;
    // A client that only closed its own half still listens.
    pollfd event{fd_, POLLIN | POLLRDHUP, 0};
    return ::poll(&event, 1, 0) > 0 && (event.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
  }

 private:
  void pieces(char kind, std::string_view text) {
    while (!text.empty() && !broken_) {
      const std::string_view piece = text.substr(0, kFrameBytesMax);
      if (!write_frame(fd_, kind, piece, &stopping_)) broken_ = true;
      text.remove_prefix(piece.size());
    }
  }
  int fd_;
  const std::atomic<bool>& stopping_;
  bool broken_ = false;
};

class Server final : public ControlServer {
 public:
  Server(Descriptor listener, Descriptor wake_read, Descriptor wake_write, std::string folder,
         Handler handler)
      : listener_(std::move(listener)),
        wake_read_(std::move(wake_read)),
        wake_write_(std::move(wake_write)),
        folder_(std::move(folder)),
        handler_(std::move(handler)),
        thread_([this] { accept_loop(); }) {}

  ~Server() override {
    stopping_ = true;
    [[maybe_unused]] const ssize_t woken = ::write(wake_write_.get(), "x", 1);
    thread_.join();
    std::unique_lock lock(mutex_);
    all_done_.wait(lock, [this] { return running_ == 0; });
    ::unlink((folder_ + "/control.sock").c_str());
  }

 private:
  void accept_loop() {
    while (!stopping_) {
      pollfd events[2] = {{listener_.get(), POLLIN, 0}, {wake_read_.get(), POLLIN, 0}};
      if (::poll(events, 2, -1) < 0 && errno != EINTR) return;
      if (stopping_) return;
      if ((events[0].revents & POLLIN) == 0) continue;
      Descriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (client.get() >= 0) start(std::move(client));
    }
  }

  void start(Descriptor client) {
    {
      const std::lock_guard lock(mutex_);
      if (running_ >= kRequestsMax) {
        write_frame(client.get(), 'e', "penstock: too many requests at once; try again\n");
        write_frame(client.get(), 'x', "69");
        return;
      }
      ++running_;
    }
    std::thread([this, held = std::move(client)] {
      serve(held.get());
      const std::lock_guard lock(mutex_);
      if (--running_ == 0) all_done_.notify_all();
    }).detach();
  }

  void serve(int fd) {
    // A client that says nothing must not hold a thread for ever.
    const timeval patience{5, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    // Nor may one that reads nothing (it was stopped, its pager waits) keep the owner from ending.
    const timeval look{0, kLookMillis * 1000};
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &look, sizeof look);
    char kind = 0;
    std::string request;
    if (!read_frame(fd, kind, request) || kind != 'q') return;
    SocketOutput output(fd, stopping_);
    const int code = handler_(request, output);
    write_frame(fd, 'x', std::to_string(code), &stopping_);
  }

  Descriptor listener_, wake_read_, wake_write_;
  std::string folder_;
  Handler handler_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable all_done_;
  int running_ = 0;
  std::thread thread_;
};

Failure no_socket(const std::string& folder, std::string_view what) {
  return fail("C002"_code, fmt::format("{} in {}: {}", what, folder, std::strerror(errno)));
}

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::open(const std::string& folder,
                                                           Handler handler) {
  Address address;
  if (!make_address(folder, address)) return no_socket(folder, "cannot open the data folder");
  ::unlink((folder + "/control.sock").c_str());  // a former owner's; the folder's lock is ours
  Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (listener.get() < 0 ||
      ::bind(listener.get(), as_sockaddr(address.name), sizeof address.name) != 0 ||
      ::chmod((folder + "/control.sock").c_str(), S_IRUSR | S_IWUSR) != 0 ||
      ::listen(listener.get(), 16) != 0) {
    return no_socket(folder, "cannot make the control socket");
  }
  int wake[2];
  if (::pipe2(wake, O_CLOEXEC) != 0) return no_socket(folder, "cannot make the control socket");
  return std::make_unique<Server>(std::move(listener), Descriptor(wake[0]), Descriptor(wake[1]),
                                  folder, std::move(handler));
}

Result<int> ask_owner(const std::string& folder, std::string_view request, Output& output) {
  Address address;
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!make_address(folder, address) ||
      ::connect(socket.get(), as_sockaddr(address.name), sizeof address.name) != 0 ||
      !write_frame(socket.get(), 'q', request)) {
    return fail("C001"_code,
                fmt::format("the owner of {} does not answer: {}", folder, std::strerror(errno)));
  }
  char kind = 0;
  std::string bytes;
  bool leaving = false;
  int silent_millis = 0;  // since we are leaving
  while (silent_millis < kLastWordsMillis) {
    // A drain here is told to the owner by closing our half; its last words are still read.
    if (!leaving && output.gone()) {
      leaving = true;
      ::shutdown(socket.get(), SHUT_WR);
    }
    pollfd event{socket.get(), POLLIN, 0};
    if (::poll(&event, 1, kLookMillis) <= 0) {
      if (leaving) silent_millis += kLookMillis;
      continue;
    }
    silent_millis = 0;
    if (!read_frame(socket.get(), kind, bytes)) break;
    if (kind == 'o') output.out(bytes);
    if (kind == 'e') output.note(bytes);
    if (kind == 'x') return std::atoi(bytes.c_str());
  }
  return fail("C001"_code, fmt::format("the owner of {} went away before it had answered", folder));
}

}  // namespace penstock::ops
