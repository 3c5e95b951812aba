#include "store/thread/threaded_sink.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace penstock::store {
namespace {

constexpr auto kLong = std::chrono::seconds(30);

class CountingWaker final : public flow::Waker {
 public:
  void wake() noexcept override { woken_.release(); }
  bool wait() { return woken_.try_acquire_for(kLong); }

 private:
  std::counting_semaphore<> woken_{0};
};

// What the session was asked, and the doors that its calls wait at.
struct Server {
  std::vector<std::string> calls;  // the helper's, read when no call is on its way
  std::counting_semaphore<> begun{0}, door{0};
  std::atomic<bool> stopped{false}, ended{false};
  flow::CommitEnd answer = flow::CommitEnd::done;
  std::thread::id caller;
};

class Session final : public StoreSession {
 public:
  explicit Session(Server& server) : server_(server) {}
  ~Session() override { server_.ended = true; }
  flow::SinkEvent claim(const flow::PartitionSet& partitions) override {
    pass("claim " + std::to_string(partitions.size()));
    return flow::Claimed{};
  }
  flow::Ended commit(const flow::Commit&, std::span<const flow::StoreRows> rows,
                     std::set<flow::RowId>&) override {
    pass("commit " + std::to_string(rows.size()));
    return {server_.answer, {}, {}, {}};
  }
  void forget_epoch() noexcept override { server_.calls.emplace_back("forget"); }
  void stop() noexcept override {
    server_.stopped = true;
    server_.door.release();
  }

 private:
  void pass(std::string call) {
    server_.caller = std::this_thread::get_id();
    server_.calls.push_back(std::move(call));
    server_.begun.release();
    server_.door.acquire();
  }
  Server& server_;
};

flow::Commit a_commit() { return {{{{0, 0}, {}, {0}, {1}, {}}}, nullptr}; }

flow::CommitEnd committed(ThreadedStoreSink& sink, Server& server, CountingWaker& waker) {
  sink.begin_commit(a_commit());
  server.door.release();
  REQUIRE(waker.wait());
  const flow::SinkEvent event = sink.poll();
  REQUIRE(std::holds_alternative<flow::Ended>(event));
  return std::get<flow::Ended>(event).end;
}

flow::StoreRows rows_of(uint32_t count) {
  flow::StoreRows rows;
  rows.count = count;
  return rows;
}

}  // namespace

TEST_CASE("the worker goes on while a call waits, and each call is answered once") {
  Server server;
  CountingWaker waker;
  ThreadedStoreSink sink(std::make_unique<Session>(server), waker);
  CHECK(std::holds_alternative<flow::Waiting>(sink.poll()));
  sink.begin_claim({{0, 0}, {0, 1}}, nullptr);
  REQUIRE(server.begun.try_acquire_for(kLong));
  CHECK(std::holds_alternative<flow::Waiting>(sink.poll()));
  CHECK(server.caller != std::this_thread::get_id());
  server.door.release();
  REQUIRE(waker.wait());
  CHECK(std::holds_alternative<flow::Claimed>(sink.poll()));
  CHECK(std::holds_alternative<flow::Waiting>(sink.poll()));
  CHECK(server.calls == std::vector<std::string>{"claim 2"});
}

TEST_CASE("rows stay until their commit is done, and leave with an abort") {
  Server server;
  CountingWaker waker;
  ThreadedStoreSink sink(std::make_unique<Session>(server), waker);
  sink.write(rows_of(3));
  sink.write(rows_of(0));  // nothing to keep
  server.answer = flow::CommitEnd::retry;
  CHECK(committed(sink, server, waker) == flow::CommitEnd::retry);
  server.answer = flow::CommitEnd::done;
  CHECK(committed(sink, server, waker) == flow::CommitEnd::done);
  CHECK(committed(sink, server, waker) == flow::CommitEnd::done);
  sink.write(rows_of(1));
  sink.begin_abort();
  REQUIRE(waker.wait());
  CHECK(std::holds_alternative<flow::Aborted>(sink.poll()));
  CHECK(committed(sink, server, waker) == flow::CommitEnd::done);
  CHECK(server.calls == std::vector<std::string>{"commit 1", "commit 1", "forget", "commit 0",
                                                 "forget", "forget", "commit 0", "forget"});
}

TEST_CASE("no answer is without its wake, in thousands of calls") {
  Server server;
  CountingWaker waker;
  ThreadedStoreSink sink(std::make_unique<Session>(server), waker);
  for (int i = 0; i < 5'000; ++i) REQUIRE(committed(sink, server, waker) == flow::CommitEnd::done);
}

TEST_CASE("the sink goes while a call waits: the session is told to stop, and ended") {
  Server server;
  CountingWaker waker;
  {
    ThreadedStoreSink sink(std::make_unique<Session>(server), waker);
    sink.begin_commit(a_commit());
    REQUIRE(server.begun.try_acquire_for(kLong));
    CHECK(!server.stopped);
  }
  CHECK(server.stopped);
  CHECK(server.ended);
  ThreadedStoreSink idle(std::make_unique<Session>(server), waker);  // and without any call
}

}  // namespace penstock::store
