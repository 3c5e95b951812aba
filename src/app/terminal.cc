#include "app/terminal.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

namespace penstock::app {
namespace {

std::atomic<int> signals_seen = 0;
int signal_pipe[2] = {-1, -1};
bool output_closed = false;
int output_errno = 0;

void on_signal(int number) {
  const int before = signals_seen.fetch_add(1);
  if (before > 0 && number == SIGINT) _exit(130);
  const int saved = errno;
  [[maybe_unused]] const ssize_t wrote = ::write(signal_pipe[1], "x", 1);
  errno = saved;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    text.remove_prefix(static_cast<size_t>(wrote));
  }
  return true;
}

// Started with a standard stream closed, the next file opened would get its number, and what is
// told to people would be written into it.
void hold_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // Reading from a closed standard input stays an error; what is written goes nowhere.
    if (::open("/dev/null", O_WRONLY) != fd) _exit(70);
  }
}

}  // namespace

Terminal::Terminal() {
  hold_standard_streams();
  if (::pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) _exit(70);
  struct sigaction action = {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
}

void Terminal::out(std::string_view text) {
  if (output_closed || write_all(STDOUT_FILENO, text)) return;
  output_closed = true;
  if (errno != EPIPE) output_errno = errno;  // a reader that left had enough
}

void Terminal::note(std::string_view text) { write_all(STDERR_FILENO, text); }

bool Terminal::gone() { return output_closed || signals_seen > 0; }

Result<void> Terminal::end() const {
  if (output_errno == 0) return {};
  return fail("U010"_code, std::string("standard output: ") + std::strerror(output_errno));
}

bool Terminal::is_terminal() { return ::isatty(STDERR_FILENO) != 0; }

bool Terminal::output_is_terminal() { return ::isatty(STDOUT_FILENO) != 0; }

bool Terminal::drain_requested() { return signals_seen > 0; }

int Terminal::signal_descriptor() { return signal_pipe[0]; }

}  // namespace penstock::app
