// connection.h — one connection to one server, and the request it is busy with.
//
// Driven from outside: turn() does what can be done without blocking. It knows no clock and no
// other connection.
//
// Thread      one owner.
// Lifetime    the TLS context outlives it.
#pragma once

#include "http/client.h"
#include "http/resolver.h"
#include "http/response_reader.h"
#include "http/tls.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace penstock::http {

struct Exchange {
  Request request;
  Done done;
  int64_t deadline_millis = 0;  // steady clock
  bool repeated = false;
};

// What turn() came to.
enum class Turn : uint8_t {
  pending,
  answered,  // finish() has the outcome; the connection may be kept
  failed,    // the connection is over; finish() has the failure
};

class Connection {
 public:
  // `pool`: the owner's name for the connections to this server.
  Connection(TlsContext& tls, Url server, std::string pool)
      : tls_(tls), server_(std::move(server)), pool_(std::move(pool)) {}
  ~Connection();
  Connection(const Connection&) = delete;

  // The request that it is opened for waits in it from the beginning.
  void give(std::unique_ptr<Exchange> exchange);
  // After the look-up: tries the addresses in turn.
  Turn open(std::vector<Address> addresses);
  Turn turn();
  // The time for this address is over: the next one, or failed.
  Turn next_address(const std::string& why);
  // Ends the request: the outcome, and the exchange it belongs to.
  std::unique_ptr<Exchange> finish(Outcome& outcome);
  // Makes turn()'s failure from outside: a time-out, a name without address.
  void fail(FailureKind kind, std::string message);

  int fd() const { return fd_; }
  bool busy() const { return exchange_ != nullptr; }
  const Exchange* exchange() const { return exchange_.get(); }
  bool connected() const { return phase_ >= Phase::ready; }
  bool wants_write() const { return wants_write_; }
  size_t addresses_left() const { return addresses_.size() - next_; }
  // After finish(): may another request be given?
  bool can_stay() const { return phase_ == Phase::ready; }
  // The failure came from a connection that had been kept, before any byte of an answer.
  bool was_stale() const { return stale_; }
  bool request_sent() const { return sent_; }
  const Url& server() const { return server_; }
  const std::string& pool() const { return pool_; }

  // The owner's notes.
  int64_t connect_deadline = 0;  // of the whole opening
  int64_t address_deadline = 0;  // of this address
  int64_t address_millis = 0;
  int64_t idle_since = 0;
  uint32_t watched = 0;  // what epoll was asked for; 0 = nothing yet of this socket

 private:
  enum class Phase : uint8_t { closed, connecting, handshake, ready, exchanging };

  Turn try_address();
  Turn check_connected();
  Turn shake_hands();
  Turn write_request();
  Turn read_answer();
  Turn peer_closed();
  Turn failed(FailureKind kind, std::string message);
  TlsStep put(std::string_view bytes, size_t& count);
  TlsStep get(char* into, size_t room, size_t& count);
  void close();

  TlsContext& tls_;
  Url server_;
  std::string pool_;
  int fd_ = -1;
  Phase phase_ = Phase::closed;
  std::vector<Address> addresses_;
  size_t next_ = 0;
  std::optional<TlsStream> stream_;
  std::unique_ptr<Exchange> exchange_;
  std::string out_;
  size_t written_ = 0;
  bool sent_ = false;
  bool wants_write_ = false;
  bool used_ = false;  // it has answered before
  bool stale_ = false;
  int write_errno_ = 0;
  std::optional<ResponseReader> reader_;
  Failure failure_;
};

}  // namespace penstock::http
