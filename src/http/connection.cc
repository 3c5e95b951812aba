#include "http/connection.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace penstock::http {
namespace {

constexpr size_t kReadBytes = 64 * 1024;

std::string error_text(int code) {
  std::array<char, 128> text{};
  return strerror_r(code, text.data(), text.size());
}

bool has_header(const Request& request, std::string_view name) {
  return !find_header(request.headers, name).empty();
}

std::string bytes_of(const Request& request) {
  std::string out;
  out.reserve(512 + request.body.size());
  out += request.method;
  out += ' ';
  out += request.url.path;
  if (!request.url.query.empty()) {
    out += '?';
    out += request.url.query;
  }
  out += " HTTP/1.1\r\n";
  if (!has_header(request, "host")) out += "Host: " + host_of(request.url) + "\r\n";
  for (const Header& header : request.headers) {
    out += header.name;
    out += ": ";
    out += header.value;
    out += "\r\n";
  }
  const bool has_body =
      !request.body.empty() || request.method == "POST" || request.method == "PUT";
  if (has_body) out += fmt::format("Content-Length: {}\r\n", request.body.size());
  out += "\r\n";
  out += request.body;
  return out;
}

}  // namespace

Connection::~Connection() { close(); }

void Connection::close() {
  stream_.reset();
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  watched = 0;  // closing left epoll
  phase_ = Phase::closed;
  wants_write_ = false;
}

void Connection::give(std::unique_ptr<Exchange> exchange) {
  exchange_ = std::move(exchange);
  const Request& request = exchange_->request;
  out_ = bytes_of(request);
  written_ = 0;
  sent_ = false;
  stale_ = false;
  write_errno_ = 0;
  reader_.emplace(request.max_answer_bytes, request.method == "HEAD");
  if (phase_ == Phase::ready) phase_ = Phase::exchanging;
}

void Connection::fail(FailureKind kind, std::string message) { failed(kind, std::move(message)); }

Turn Connection::failed(FailureKind kind, std::string message) {
  stale_ = used_ && reader_ && !reader_->started() && kind == FailureKind::reset;
  failure_ = {kind, sent_, std::move(message)};
  close();
  return Turn::failed;
}

std::unique_ptr<Exchange> Connection::finish(Outcome& outcome) {
  if (phase_ == Phase::closed) {
    outcome = std::unexpected(std::move(failure_));
  } else {
    outcome = reader_->take();
    used_ = true;
    if (reader_->keep_alive() && written_ == out_.size()) {
      phase_ = Phase::ready;
    } else {
      close();
    }
  }
  wants_write_ = false;
  reader_.reset();
  out_ = {};
  return std::move(exchange_);
}

Turn Connection::open(std::vector<Address> addresses) {
  addresses_ = std::move(addresses);
  next_ = 0;
  return try_address();
}

Turn Connection::next_address(const std::string& why) {
  if (next_ < addresses_.size()) return try_address();
  return failed(FailureKind::connect,
                fmt::format("cannot connect to {}: {}", host_of(server_), why));
}

Turn Connection::try_address() {
  close();
  const Address& address = addresses_[next_++];
  fd_ = socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return next_address(error_text(errno));
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  phase_ = Phase::connecting;
  wants_write_ = true;
  const auto* to = reinterpret_cast<const sockaddr*>(&address.bytes);  // NOLINT: as sockets have it
  if (connect(fd_, to, address.size) == 0) return check_connected();
  if (errno == EINPROGRESS) return Turn::pending;
  return next_address(error_text(errno));
}

Turn Connection::check_connected() {
  int code = 0;
  socklen_t size = sizeof code;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &size);
  if (code != 0) return next_address(error_text(code));
  sockaddr_storage peer{};
  socklen_t peer_size = sizeof peer;
  // Not yet: a turn of the other sort (epoll tells nothing of a socket that still connects).
  if (getpeername(fd_, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) return Turn::pending;
  wants_write_ = false;
  if (!server_.tls) {
    phase_ = Phase::exchanging;
    return write_request();
  }
  stream_.emplace(tls_, fd_, server_.host);
  phase_ = Phase::handshake;
  return shake_hands();
}

Turn Connection::shake_hands() {
  switch (stream_->handshake()) {
    case TlsStep::done:
      phase_ = Phase::exchanging;
      return write_request();
    case TlsStep::want_read:
      wants_write_ = false;
      return Turn::pending;
    case TlsStep::want_write:
      wants_write_ = true;
      return Turn::pending;
    case TlsStep::closed:
      return failed(FailureKind::tls, fmt::format("{} ended the TLS handshake", host_of(server_)));
    case TlsStep::failed:
      break;
  }
  return failed(FailureKind::tls, fmt::format("no secure connection to {}: {}", host_of(server_),
                                              stream_->trouble()));
}

Turn Connection::turn() {
  switch (phase_) {
    case Phase::closed:
      return Turn::failed;
    case Phase::connecting:
      return check_connected();
    case Phase::handshake:
      return shake_hands();
    case Phase::ready:  // nobody asked for anything: it is the end, or nonsense
      return failed(FailureKind::reset, "closed while idle");
    case Phase::exchanging:
      break;
  }
  if (written_ == out_.size()) return read_answer();
  const Turn turned = write_request();
  // While a long request is written, the server may answer already; just after, it has not.
  if (turned != Turn::pending || !sent_ || written_ == out_.size()) return turned;
  return read_answer();
}

TlsStep Connection::put(std::string_view bytes, size_t& count) {
  if (stream_) return stream_->write(bytes, count);
  const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) {
    count = static_cast<size_t>(sent);
    return TlsStep::done;
  }
  if (errno == EAGAIN || errno == EINTR) return TlsStep::want_write;
  write_errno_ = errno;
  return TlsStep::closed;
}

TlsStep Connection::get(char* into, size_t room, size_t& count) {
  if (stream_) return stream_->read(into, room, count);
  const ssize_t got = recv(fd_, into, room, 0);
  if (got > 0) {
    count = static_cast<size_t>(got);
    return TlsStep::done;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return TlsStep::want_read;
  if (got < 0) write_errno_ = errno;
  return TlsStep::closed;
}

Turn Connection::write_request() {
  while (written_ < out_.size()) {
    size_t count = 0;
    switch (put(std::string_view(out_).substr(written_), count)) {
      case TlsStep::done:
        written_ += count;
        sent_ = true;
        continue;
      case TlsStep::want_read:
        wants_write_ = false;
        return Turn::pending;
      case TlsStep::want_write:
        wants_write_ = true;
        return Turn::pending;
      case TlsStep::closed:
      case TlsStep::failed:
        // A server that refuses a long request answers and closes: the answer may lie there.
        wants_write_ = false;
        return read_answer();
    }
  }
  wants_write_ = false;
  return Turn::pending;
}

Turn Connection::read_answer() {
  static thread_local std::array<char, kReadBytes> buffer;
  while (true) {
    size_t count = 0;
    const TlsStep step = get(buffer.data(), buffer.size(), count);
    if (step == TlsStep::want_read) return Turn::pending;
    if (step == TlsStep::want_write) {
      wants_write_ = true;
      return Turn::pending;
    }
    if (step != TlsStep::done) return peer_closed();
    switch (reader_->feed({buffer.data(), count})) {
      case ReadState::done:
        return Turn::answered;
      case ReadState::malformed:
        return failed(FailureKind::malformed,
                      fmt::format("{} answers something that is not HTTP", host_of(server_)));
      case ReadState::too_large:
        return failed(FailureKind::too_large,
                      fmt::format("the answer of {} is larger than allowed", host_of(server_)));
      case ReadState::more:
        break;
    }
    // A socket that gave less than was asked for is empty; TLS may hold more.
    if (!stream_ && count < buffer.size()) return Turn::pending;
  }
}

Turn Connection::peer_closed() {
  const bool orderly = !stream_ || stream_->trouble().empty();
  if (orderly && write_errno_ == 0 && reader_->finish() == ReadState::done) return Turn::answered;
  const std::string why = write_errno_ == 0 ? std::string() : ": " + error_text(write_errno_);
  return failed(FailureKind::reset, fmt::format("{} ended the connection {}{}", host_of(server_),
                                                !sent_               ? "before the request was sent"
                                                : reader_->started() ? "inside its answer"
                                                                     : "before it answered",
                                                why));
}

}  // namespace penstock::http
