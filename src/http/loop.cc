#include "http/loop.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace penstock::http {
namespace {

constexpr int64_t kTickMillis = 20;  // how late a time-out may be seen
constexpr int64_t kIdleTickMillis = 1'000;
constexpr int64_t kLeastAddressMillis = 250;
constexpr size_t kEvents = 64;

int64_t steady_millis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string key_of(const Url& url) {
  return fmt::format("{}{}:{}", url.tls ? "s/" : "p/", url.host, url.port);
}

bool is_sendable(std::string_view text) {
  return std::ranges::none_of(text, [](char letter) {
    const auto byte = static_cast<unsigned char>(letter);
    return byte < 0x20 && byte != '\t';
  });
}

// Nothing in it may end a line or a word of the request's head.
bool is_sendable(const Request& request) {
  const auto word = [](std::string_view text) {
    return !text.empty() && is_sendable(text) && !text.contains(' ') && !text.contains('\t');
  };
  return word(request.method) && word(request.url.path) && word(request.url.host) &&
         (request.url.query.empty() || word(request.url.query)) &&
         std::ranges::all_of(request.headers, [&](const Header& header) {
           return word(header.name) && is_sendable(header.value);
         });
}

bool is_repeatable(const Request& request) {
  return request.repeatable || request.method == "GET" || request.method == "HEAD";
}

}  // namespace

Mailbox::Mailbox() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
Mailbox::~Mailbox() { close(fd_); }

template <class Put>
void Mailbox::post(const Put& put) {
  const std::scoped_lock lock(mutex_);
  put(mail_);
  if (!std::exchange(asleep_, false)) return;
  const uint64_t one = 1;
  (void)!write(fd_, &one, sizeof one);
}

void Mailbox::begin(std::unique_ptr<Exchange> exchange) {
  post([&](Mail& mail) { mail.begun.push_back(std::move(exchange)); });
}

void Mailbox::found(Lookup lookup) {
  post([&](Mail& mail) { mail.lookups.push_back(std::move(lookup)); });
}

void Mailbox::stop() {
  post([](Mail& mail) { mail.stop = true; });
}

Mailbox::Mail Mailbox::take() {
  const std::scoped_lock lock(mutex_);
  asleep_ = mail_.begun.empty() && mail_.lookups.empty() && !mail_.stop;
  return std::exchange(mail_, {});
}

Client::Loop::Loop(ClientOptions options, std::shared_ptr<TlsContext> tls)
    : options_(std::move(options)),
      tls_(std::move(tls)),
      mail_(std::make_shared<Mailbox>()),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  epoll_event door{.events = EPOLLIN, .data = {.ptr = nullptr}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, mail_->fd(), &door);
  thread_ = std::thread([this] { run(); });
}

Client::Loop::~Loop() {
  mail_->stop();
  thread_.join();
  close(epoll_);
}

void Client::Loop::begin(Request request, Done done) {
  auto exchange = std::make_unique<Exchange>();
  exchange->deadline_millis = steady_millis() + request.timeout_millis;
  exchange->request = std::move(request);
  exchange->done = std::move(done);
  mail_->begin(std::move(exchange));
}

void Client::Loop::run() {
  // OpenSSL writes to sockets without a flag against it; in this thread nobody wants the signal.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  checked_millis_ = steady_millis();
  std::array<epoll_event, kEvents> events{};
  while (!stop_) {
    take_mail();
    const int count = stop_ ? 0 : epoll_wait(epoll_, events.data(), kEvents, patience());
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (connection == nullptr) {
        uint64_t ignored = 0;
        (void)!read(mail_->fd(), &ignored, sizeof ignored);
      } else if (connection->fd() >= 0) {
        after(*connection, connection->turn());
      }
    }
    check_times();
    gone_.clear();
  }
  end_all();
}

void Client::Loop::take_mail() {
  // Until nothing came: only then does the next mail ring.
  while (true) {
    Mailbox::Mail mail = mail_->take();
    stop_ |= mail.stop;
    if (mail.begun.empty() && mail.lookups.empty()) return;
    for (auto& exchange : mail.begun) {
      ++busy_;
      place(std::move(exchange));
    }
    for (Mailbox::Lookup& lookup : mail.lookups) resolved(std::move(lookup));
  }
}

int Client::Loop::patience() const {
  if (busy_ > 0) return static_cast<int>(kTickMillis);
  return pools_.empty() ? -1 : static_cast<int>(kIdleTickMillis);
}

void Client::Loop::place(std::unique_ptr<Exchange> exchange) {
  if (!is_sendable(exchange->request)) {
    tell(std::move(exchange), std::unexpected(Failure{FailureKind::address, false,
                                                      "the request cannot be sent: its address "
                                                      "or a header holds a line break or blank"}));
    return;
  }
  const std::string key = key_of(exchange->request.url);
  Pool& pool = pools_[key];
  if (!pool.idle.empty() && !exchange->repeated) {
    Connection& connection = *pool.idle.back();
    pool.idle.pop_back();
    connection.give(std::move(exchange));
    after(connection, connection.turn());
  } else if (pool.all.size() < options_.connections_per_host) {
    open(pool, key, std::move(exchange));
  } else {
    pool.waiting.push_back(std::move(exchange));
  }
}

void Client::Loop::open(Pool& pool, const std::string& key, std::unique_ptr<Exchange> exchange) {
  const Url server = exchange->request.url;
  Connection& connection = *pool.all.emplace_back(std::make_unique<Connection>(*tls_, server, key));
  connection.connect_deadline = steady_millis() + options_.connect_millis;
  connection.give(std::move(exchange));
  pool.unresolved.push_back(&connection);
  if (std::exchange(pool.resolving, true)) return;
  look_up(server.host, server.port,
          [mail = mail_, key](Addresses addresses) { mail->found({key, std::move(addresses)}); });
}

void Client::Loop::resolved(Mailbox::Lookup lookup) {
  Pool& pool = pools_[lookup.pool];
  pool.resolving = false;
  const std::vector<Connection*> those = std::exchange(pool.unresolved, {});
  for (Connection* connection : those) {
    if (!lookup.addresses) {
      connection->fail(FailureKind::resolve, lookup.addresses.error());
      after(*connection, Turn::failed);
      continue;
    }
    const auto count = static_cast<int64_t>(lookup.addresses->size());
    connection->address_millis = std::max(kLeastAddressMillis, options_.connect_millis / count);
    connection->address_deadline = steady_millis() + connection->address_millis;
    after(*connection, connection->open(*lookup.addresses));
  }
}

void Client::Loop::after(Connection& connection, Turn turned) {
  if (turned == Turn::pending) {
    watch(connection);
    return;
  }
  Pool& pool = pools_.find(connection.pool())->second;
  if (!connection.busy()) {  // it was idle
    settle(pool, connection);
    return;
  }
  const bool stale = turned == Turn::failed && connection.was_stale();
  const bool sent = connection.request_sent();
  Outcome outcome;
  std::unique_ptr<Exchange> exchange = connection.finish(outcome);
  settle(pool, connection);
  if (stale && !exchange->repeated && (!sent || is_repeatable(exchange->request))) {
    exchange->repeated = true;
    place(std::move(exchange));
    return;
  }
  tell(std::move(exchange), std::move(outcome));
}

// The connection has nothing to do: the next in line, idle, or gone.
void Client::Loop::settle(Pool& pool, Connection& connection) {
  if (!connection.can_stay()) {
    retire(pool, connection);
    if (pool.waiting.empty()) return;
    auto next = std::move(pool.waiting.front());
    pool.waiting.pop_front();
    place(std::move(next));
    return;
  }
  if (pool.waiting.empty()) {
    connection.idle_since = steady_millis();
    pool.idle.push_back(&connection);
    watch(connection);
    return;
  }
  connection.give(std::move(pool.waiting.front()));
  pool.waiting.pop_front();
  after(connection, connection.turn());
}

void Client::Loop::tell(std::unique_ptr<Exchange> exchange, Outcome outcome) {
  --busy_;
  exchange->done(std::move(outcome));
}

void Client::Loop::watch(Connection& connection) {
  const uint32_t wanted = connection.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN;
  epoll_event event{.events = wanted, .data = {.ptr = &connection}};
  if (connection.fd() < 0 || connection.watched == wanted) return;
  const int change = connection.watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  epoll_ctl(epoll_, change, connection.fd(), &event);
  connection.watched = wanted;
}

void Client::Loop::retire(Pool& pool, Connection& connection) {
  std::erase(pool.idle, &connection);
  std::erase(pool.unresolved, &connection);
  const auto found = std::ranges::find(pool.all, &connection, &std::unique_ptr<Connection>::get);
  gone_.push_back(std::move(*found));
  pool.all.erase(found);
}

void Client::Loop::check_times() {
  const int64_t now = steady_millis();
  if (now - checked_millis_ < (busy_ > 0 ? kTickMillis : kIdleTickMillis)) return;
  checked_millis_ = now;
  for (auto& [key, pool] : pools_) {
    std::vector<Connection*> those;
    those.reserve(pool.all.size());
    for (const auto& each : pool.all) those.push_back(each.get());
    for (Connection* connection : those) check_time(*connection, now);
    check_waiting(pool, now);
  }
  std::erase_if(pools_, [](const auto& each) {
    const Pool& pool = each.second;
    return pool.all.empty() && pool.waiting.empty() && !pool.resolving;
  });
}

void Client::Loop::check_time(Connection& connection, int64_t now) {
  if (!connection.busy()) {
    if (connection.fd() < 0) return;  // retired since this round began
    if (now - connection.idle_since < options_.idle_millis) return;
    connection.fail(FailureKind::timeout, "idle");
    settle(pools_.find(connection.pool())->second, connection);
    return;
  }
  const std::string host = host_of(connection.server());
  if (now >= connection.exchange()->deadline_millis) {
    connection.fail(FailureKind::timeout,
                    fmt::format("{} did not answer in {} ms", host,
                                connection.exchange()->request.timeout_millis));
    after(connection, Turn::failed);
    return;
  }
  if (connection.connected()) return;
  if (now >= connection.connect_deadline) {
    connection.fail(FailureKind::timeout,
                    fmt::format("no connection to {} in {} ms", host, options_.connect_millis));
    after(connection, Turn::failed);
  } else if (connection.address_deadline > 0 && now >= connection.address_deadline &&
             connection.addresses_left() > 0) {
    connection.address_deadline = now + connection.address_millis;
    after(connection, connection.next_address("no answer"));
  }
}

void Client::Loop::check_waiting(Pool& pool, int64_t now) {
  std::deque<std::unique_ptr<Exchange>> late;
  for (auto& exchange : pool.waiting) {
    if (now >= exchange->deadline_millis) late.push_back(std::move(exchange));
  }
  std::erase(pool.waiting, nullptr);
  for (auto& exchange : late) {
    const std::string message =
        fmt::format("no connection to {} was free in {} ms", host_of(exchange->request.url),
                    exchange->request.timeout_millis);
    tell(std::move(exchange), std::unexpected(Failure{FailureKind::timeout, false, message}));
  }
}

void Client::Loop::end_all() {
  const Failure stopped{FailureKind::stopped, true, "the client is going"};
  for (auto& [key, pool] : pools_) {
    for (const auto& connection : pool.all) {
      if (!connection->busy()) continue;
      connection->fail(FailureKind::stopped, stopped.message);
      Outcome outcome;
      auto exchange = connection->finish(outcome);
      tell(std::move(exchange), std::move(outcome));
    }
    for (auto& exchange : pool.waiting) {
      tell(std::move(exchange),
           std::unexpected(Failure{FailureKind::stopped, false, stopped.message}));
    }
  }
  pools_.clear();
  Mailbox::Mail mail = mail_->take();
  for (auto& exchange : mail.begun) {
    exchange->done(std::unexpected(Failure{FailureKind::stopped, false, stopped.message}));
  }
}

}  // namespace penstock::http
