// loop.h — the thread behind a client: its connections by host, its clock, its door.
//
// Thread      begin() from any thread; all else on the loop's own.
// Lifetime    the destructor ends all requests and joins the thread.
#pragma once

#include "http/connection.h"

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace penstock::http {

// Where other threads put requests and look-ups; it outlives the loop for late look-ups.
class Mailbox {
 public:
  struct Lookup {
    std::string pool;
    Addresses addresses;
  };
  struct Mail {
    std::vector<std::unique_ptr<Exchange>> begun;
    std::vector<Lookup> lookups;
    bool stop = false;
  };

  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;

  void begin(std::unique_ptr<Exchange> exchange);
  void found(Lookup lookup);
  void stop();
  // What came since. When it is nothing, the next mail makes fd() readable.
  Mail take();
  int fd() const { return fd_; }

 private:
  template <class Put>
  void post(const Put& put);
  std::mutex mutex_;
  Mail mail_;
  bool asleep_ = false;
  int fd_ = -1;
};

class Client::Loop {
 public:
  Loop(ClientOptions options, std::shared_ptr<TlsContext> tls);
  ~Loop();

  void begin(Request request, Done done);

 private:
  // The connections to one server.
  struct Pool {
    std::vector<std::unique_ptr<Connection>> all;
    std::vector<Connection*> idle;  // the last one used comes first
    std::vector<Connection*> unresolved;
    std::deque<std::unique_ptr<Exchange>> waiting;  // for a free connection
    bool resolving = false;
  };

  void run();
  void take_mail();
  void place(std::unique_ptr<Exchange> exchange);
  void open(Pool& pool, const std::string& key, std::unique_ptr<Exchange> exchange);
  void resolved(Mailbox::Lookup lookup);
  void after(Connection& connection, Turn turned);
  void settle(Pool& pool, Connection& connection);
  void tell(std::unique_ptr<Exchange> exchange, Outcome outcome);
  void watch(Connection& connection);
  void retire(Pool& pool, Connection& connection);
  void check_times();
  void check_time(Connection& connection, int64_t now);
  void check_waiting(Pool& pool, int64_t now);
  void end_all();
  int patience() const;

  const ClientOptions options_;
  const std::shared_ptr<TlsContext> tls_;
  const std::shared_ptr<Mailbox> mail_;
  int epoll_ = -1;
  std::map<std::string, Pool> pools_;
  std::vector<std::unique_ptr<Connection>> gone_;  // until no event of this round names them
  size_t busy_ = 0;                                // requests on their way or waiting
  int64_t checked_millis_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace penstock::http
