// client.h — HTTP/1.1 requests, many at once, on kept connections; nobody waits for them.
//
// One thread of the client's moves all connections. begin() only hands a request over; its end is
// told by a callback on that thread, which puts the answer somewhere and wakes whoever waits. For
// those who are polled there is Call.
//
// Thread      begin() and perform() from any thread; perform() not from a callback.
// Lifetime    the destructor ends what is on its way as `stopped`; after it no callback comes.
// Limits      connections per host by the options, further requests wait in line; see message.h.
// Errors      H003 from make(); everything else is a Failure of its request. Redirects are not
//             followed and a status is never a Failure.
//
//     PENSTOCK_TRY(client, Client::make({}));
//     client->begin(std::move(request), [&](Outcome outcome) { box.put(std::move(outcome)); });
//
//     Call call(*client, std::move(request), [&waker] { waker.wake(); });
//     if (auto outcome = call.take()) …      // each time the owner is polled
#pragma once

#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace penstock::http {

struct ClientOptions {
  int64_t connect_millis = 3'000;  // name, TCP, TLS; all addresses of the host together
  int64_t idle_millis = 20'000;    // a connection that nobody needs is closed
  size_t connections_per_host = 64;
  std::string authorities = {};  // who signs the servers' certificates: a PEM file; "" = system's
  std::string certificate = {};  // our own, a PEM file, for servers that ask; "" = none
  std::string key = {};          // of it, a PEM file
};

// Called once for each request, on the client's thread, never inside begin(). Be quick.
using Done = std::move_only_function<void(Outcome)>;

class Client {
 public:
  static Result<std::unique_ptr<Client>> make(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;

  void begin(Request request, Done done);
  // For threads that may wait.
  Outcome perform(Request request);

 private:
  class Loop;
  explicit Client(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

// One request of an owner that is polled.
class Call {
 public:
  // `wake` is called on the client's thread when take() has something; it outlives the request,
  // not only the Call.
  Call(Client& client, Request request, std::function<void()> wake);
  // Whoever drops a Call drops its answer; the request itself may still be done.
  ~Call();
  Call(Call&&) noexcept;
  Call& operator=(Call&&) noexcept;

  // The outcome, once.
  std::optional<Outcome> take();

 private:
  struct Slot;
  std::shared_ptr<Slot> slot_;
};

}  // namespace penstock::http
