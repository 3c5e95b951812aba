// A late request, a process that was stopped, a broker that goes away in the middle, a client that
// never answers: what each would do without the rule against it is shown beside it.
#include "flow/log_contract.h"
#include "log/kafka/membership.h"
#include "log/kafka/test_broker_process.h"
#include "log/kafka/test_cluster.h"
#include "log/kafka/test_proxy.h"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penstock::log::kafka {
namespace {

constexpr int kProduce = 0, kAddOffsets = 25, kEndTxn = 26;

// A cluster's producing half that reaches it through a proxy.
struct Behind {
  Behind(const Cluster& cluster, const TestProxy& proxy) {
    Settings through = cluster.settings;
    through.brokers = proxy.brokers();
    auto asked = Admin::open(through);
    if (!asked) FAIL(render(asked.error()));
    admin = std::move(*asked);
    auto produces = Producing::open(*admin, {});
    if (!produces) FAIL(render(produces.error()));
    producing = std::move(*produces);
  }
  std::unique_ptr<Admin> admin;
  std::unique_ptr<Producing> producing;
};

flow::Owned claim(flow::LogSink& sink, ContractWaker& waker, const flow::Membership& membership) {
  sink.begin_claim({{0, 0}}, membership);
  flow::SinkEvent event = event_of(sink, waker);
  if (auto* failed = std::get_if<flow::ClaimFailed>(&event)) FAIL(render(failed->error));
  REQUIRE(std::holds_alternative<flow::Claimed>(event));
  return std::get<flow::Claimed>(event).owned.at(0);
}

// What an epoch that copies n records of the input writes and commits.
class Copies {
 public:
  explicit Copies(const std::vector<std::string>& values) {
    for (const std::string& value : values) {
      records_.append({.key = value, .value = value, .timestamp = 1, .has_key = true});
    }
  }
  void write(flow::LogSink& sink) const {
    REQUIRE(sink.write({0, 0, records_.count(), Millis{1}, Millis{1}, records_.bytes()}) ==
            flow::WriteAnswer::accepted);
  }
  flow::Commit commit(const flow::Owned& own, const flow::Membership& membership) const {
    const int64_t next = own.next.value + records_.count();
    return {{{{0, 0}, own.term, own.next, {next}, fates_of(static_cast<uint64_t>(next))}},
            membership};
  }

 private:
  mutable wire::RecordsBuilder records_;
};

Offset end_of(Admin& admin, const std::string& topic) {
  const auto bounds = admin.bounds({{topic, "", 1}}, false);
  REQUIRE(bounds.has_value());
  return bounds->at(0).at(0).end;
}

// Commits, over retries and aborts, as the engine does.
CommitEnd commit_at_last(flow::LogSink& sink, ContractWaker& waker, const Copies& copies,
                         const flow::Commit& commit) {
  copies.write(sink);
  while (true) {
    sink.begin_commit(commit);
    const flow::SinkEvent event = event_of(sink, waker);
    const auto& ended = std::get<flow::Ended>(event);
    if (ended.end == CommitEnd::abort) {
      sink.begin_abort();
      REQUIRE(std::holds_alternative<flow::Aborted>(event_of(sink, waker)));
      copies.write(sink);
    } else if (ended.end != CommitEnd::retry) {
      return ended.end;
    }
  }
}

const std::vector<std::string> kFirst = {"v0", "v1", "v2"}, kSecond = {"v3", "v4", "v5"};
const std::vector<std::string> kAll = {"v0", "v1", "v2", "v3", "v4", "v5"};

}  // namespace

// The client asks again by itself when an EndTxn is not answered; the first one may still arrive,
// in the middle of the next transaction, and make half of it visible.
TEST_CASE("a late end of a transaction ends no later one") {
  TestProxy proxy;
  Cluster cluster;
  Behind behind(cluster, proxy);
  bool torn = false;
  SUBCASE("by the rule of retirement") {}
  SUBCASE("without it the epoch is torn") {
    behind.producing->world_for_test().never_retire = true;
    torn = true;
  }
  ContractWaker waker;
  flow::contract_append(*cluster.log, cluster.in, 0, kAll);
  Member member(cluster, waker);
  const flow::SinkSpec spec{cluster.group, {cluster.in}, {cluster.out}, "w"};
  {
    auto sink = behind.producing->open_sink(spec, waker);
    REQUIRE(sink.has_value());
    flow::Owned own = claim(**sink, waker, member.membership);
    const Copies first(kFirst), second(kSecond);
    proxy.hold(kEndTxn);
    REQUIRE(commit_at_last(**sink, waker, first, first.commit(own, member.membership)) ==
            CommitEnd::done);
    REQUIRE(proxy.holds());
    own.next = {3};
    // All of the second is written, and its positions are not, when the first one's end arrives.
    const Offset before = end_of(*cluster.admin, cluster.out);
    proxy.stop_at(kAddOffsets);
    second.write(**sink);
    (*sink)->begin_commit(second.commit(own, member.membership));
    flow::contract_wait(waker, "the second epoch's records", [&] {
      return proxy.stopped() && end_of(*cluster.admin, cluster.out).value >= before.value + 3;
    });
    proxy.release();
  }  // and its worker dies
  proxy.go_on();
  CHECK(behind.producing->retired() == (torn ? 0 : 1));
  auto next = behind.producing->open_sink(spec, waker);
  REQUIRE(next.has_value());
  const flow::Owned own = claim(**next, waker, member.membership);
  CHECK(own.next == Offset{3});
  const Copies again(kSecond);
  REQUIRE(commit_at_last(**next, waker, again, again.commit(own, member.membership)) ==
          CommitEnd::done);
  std::vector<std::string> expected = kAll;
  if (torn) expected.insert(expected.end(), kSecond.begin(), kSecond.end());
  flow::contract_expect(*cluster.log, cluster.out, 0, expected);
}

// ---- a process that was stopped, replaced, and goes on

namespace {

// The other side of a pipe: a line at a time.
struct Line {
  int from, to;
  std::string read() const {
    std::string line;
    char letter = 0;
    while (::read(from, &letter, 1) == 1 && letter != '\n') line += letter;
    return line;
  }
  void write(std::string line) const {
    line += '\n';
    REQUIRE(::write(to, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
  }
};

// This program again, as a process of its own that runs one case.
struct Child {
  Child(const char* test_case, const std::string& pipeline) {
    int down[2], up[2];
    REQUIRE((::pipe(down) == 0 && ::pipe(up) == 0));
    pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      ::dup2(down[0], 3);
      ::dup2(up[1], 4);
      ::setenv("PENSTOCK_TEST_PIPELINE", pipeline.c_str(), 1);
      const std::string filter = std::string("-tc=") + test_case;
      ::execl("/proc/self/exe", "log_kafka_test", filter.c_str(), "-ns", nullptr);
      ::_exit(127);
    }
    ::close(down[0]);
    ::close(up[1]);
    line = {up[0], down[1]};
  }
  ~Child() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  pid_t pid;
  Line line{};
};

}  // namespace

TEST_CASE("the process that is stopped" * doctest::skip()) {
  const char* pipeline = std::getenv("PENSTOCK_TEST_PIPELINE");  // NOLINT
  REQUIRE(pipeline != nullptr);
  const std::string name = pipeline;
  const Line line{3, 4};
  auto log = KafkaLog::open(test_settings(name));
  REQUIRE(log.has_value());
  ContractWorker worker(**log, name + ".g", {name + ".in"}, {name + ".out"}, "old");
  worker.turn_until_assigned(1);
  worker.turn_until_read(3);
  worker.copy_open();
  flow::Commit late = worker.epoch();
  line.write("holds");
  const std::string order = line.read();
  if (order == "unpinned") {
    // As without the rule: whoever this process is by now vouches for what it held.
    flow::Membership now;
    worker.turn_until("to be a member again", [&] { return !worker.lost().empty(); });
    flow::contract_wait(worker.waker, "the assignment", [&] {
      flow::SourceEvent event = worker.source().poll({});
      if (auto* assigned = std::get_if<flow::Assigned>(&event)) now = assigned->membership;
      return now != nullptr;
    });
    late.membership = now;
  }
  line.write(worker.commit(late) == CommitEnd::done ? "done" : "refused");
  line.read();
}

TEST_CASE("a process that was stopped, replaced and goes on commits nothing old") {
  Cluster cluster;
  std::string order = "pinned", answer = "refused";
  std::vector<std::string> expected = kFirst;
  SUBCASE("by the pinned membership") {}
  SUBCASE("without it its epoch is there twice") {
    order = "unpinned";
    answer = "done";
    expected.insert(expected.end(), kFirst.begin(), kFirst.end());
  }
  flow::contract_append(*cluster.log, cluster.in, 0, kFirst);
  Child child("the process that is stopped", cluster.name);
  REQUIRE(child.line.read() == "holds");
  REQUIRE(::kill(child.pid, SIGSTOP) == 0);
  {
    ContractWorker fresh(*cluster.log, cluster.group, {cluster.in}, {cluster.out}, "fresh");
    fresh.turn_until_assigned(1);  // when the session of the other is over
    fresh.turn_until_read(3);
    fresh.copy_open();
    REQUIRE(fresh.commit() == CommitEnd::done);
    flow::contract_expect(*cluster.log, cluster.out, 0, kFirst);
    fresh.close();
  }
  child.line.write(order);
  REQUIRE(::kill(child.pid, SIGCONT) == 0);
  CHECK(child.line.read() == answer);
  flow::contract_expect(*cluster.log, cluster.out, 0, expected);
}

// ---- a broker that goes away

TEST_CASE("an epoch broken by an outage of the broker is there once when it is back") {
  TestProxy proxy;
  int at = 0;
  SUBCASE("while its records are on their way") { at = kProduce; }
  SUBCASE("before its positions") { at = kAddOffsets; }
  SUBCASE("before its end") { at = kEndTxn; }
  CAPTURE(at);
  Cluster cluster;
  Behind behind(cluster, proxy);
  ContractWaker waker;
  flow::contract_append(*cluster.log, cluster.in, 0, kFirst);
  Member member(cluster, waker);
  const flow::SinkSpec spec{cluster.group, {cluster.in}, {cluster.out}, "w"};
  auto sink = behind.producing->open_sink(spec, waker);
  REQUIRE(sink.has_value());
  const flow::Owned own = claim(**sink, waker, member.membership);
  const Copies copies(kFirst);
  proxy.stop_at(at);
  copies.write(**sink);
  (*sink)->begin_commit(copies.commit(own, member.membership));
  flow::contract_wait(waker, "the request", [&] { return proxy.stopped(); });
  BrokerProcess broker;
  broker.kill();
  proxy.go_on();
  broker.start();
  const flow::SinkEvent event = event_of(**sink, waker);
  const CommitEnd end = std::get<flow::Ended>(event).end;
  MESSAGE("the commit ended: ", static_cast<int>(end));
  sink->reset();
  // As the engine does after anything but `done`: another sink of this member, which ends what is
  // open, and what a claim says is true. Without it the broker would, after 10 s and a scan that
  // comes every 10 s.
  {
    auto again = behind.producing->open_sink(spec, waker);
    REQUIRE(again.has_value());
    flow::contract_wait(waker, "the claim of the next sink", [&] {
      (*again)->begin_claim({{0, 0}}, member.membership);
      return std::holds_alternative<flow::Claimed>(event_of(**again, waker));
    });
  }
  // The member may have been forgotten with the broker's group, so by another one.
  member.source->close();
  ContractWorker worker(*cluster.log, cluster.group, {cluster.in}, {cluster.out}, "next");
  worker.turn_until_assigned(1);
  const Offset next = worker.owned.begin()->second.next;
  CHECK((end != CommitEnd::done || next == Offset{3}));
  if (next == Offset{0}) {
    worker.turn_until_read(3);
    worker.copy_open();
    REQUIRE(worker.commit() == CommitEnd::done);
  }
  flow::contract_expect(*cluster.log, cluster.out, 0, kFirst);
}

// ---- an answer that is long in coming

TEST_CASE("what keeps a commit is told while it is kept") {
  TestProxy proxy;
  Cluster cluster;
  Behind behind(cluster, proxy);
  behind.producing->world_for_test().tell_wait_millis = 200;
  ContractWaker waker;
  Member member(cluster, waker);
  auto sink = behind.producing->open_sink({cluster.group, {cluster.in}, {cluster.out}, "w"}, waker);
  REQUIRE(sink.has_value());
  const flow::Owned own = claim(**sink, waker, member.membership);
  const Copies copies(kFirst);
  copies.write(**sink);
  proxy.stop_at(kEndTxn);
  (*sink)->begin_commit(copies.commit(own, member.membership));
  std::optional<Error> why;
  flow::contract_wait(waker, "what keeps it", [&] {
    const flow::SinkEvent event = (*sink)->poll();
    REQUIRE(std::holds_alternative<flow::Waiting>(event));
    why = std::get<flow::Waiting>(event).why;
    return why.has_value();
  });
  CHECK(why->code == "L101"_code);
  CHECK(why->message.find("committing as ") != std::string::npos);
  proxy.go_on();
  CHECK(std::get<flow::Ended>(event_of(**sink, waker)).end == CommitEnd::done);
  CHECK(end_of(*cluster.admin, cluster.out) == Offset{4});  // and the transaction's marker
}

// ---- a client that never answers

TEST_CASE("a call of the client that never returns ends the process, and nothing waits for it") {
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false, reached = false;
    static rd_kafka_resp_err_t sent(rd_kafka_t*, rd_kafka_message_t*, void* self) {
      auto& gate = *static_cast<Gate*>(self);
      std::unique_lock lock(gate.mutex);
      gate.reached = true;
      gate.changed.wait(lock, [&] { return gate.open; });
      return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    static rd_kafka_resp_err_t made(rd_kafka_t* client, const rd_kafka_conf_t*, void* self, char*,
                                    size_t) {
      return rd_kafka_interceptor_add_on_send(client, "gate", sent, self);
    }
  };
  const auto gate = std::make_shared<Gate>();
  Cluster cluster;
  auto watched = Producing::open(*cluster.admin, {.watchdog_millis = 3'000});
  REQUIRE(watched.has_value());
  (*watched)->world_for_test().configure_for_test = [gate](rd_kafka_conf_s* conf) {
    rd_kafka_conf_interceptor_add_on_new(conf, "gate", Gate::made, gate.get());
  };
  ContractWaker waker;
  Member member(cluster, waker);
  auto sink = (*watched)->open_sink({cluster.group, {cluster.in}, {cluster.out}, "w"}, waker);
  REQUIRE(sink.has_value());
  const flow::Owned own = claim(**sink, waker, member.membership);
  const Copies copies(kFirst);
  copies.write(**sink);
  (*sink)->begin_commit(copies.commit(own, member.membership));
  const flow::SinkEvent event = event_of(**sink, waker);
  const auto* ended = std::get_if<flow::Ended>(&event);
  REQUIRE(ended != nullptr);
  CHECK(gate->reached);
  CHECK(ended->end == CommitEnd::fatal);
  CHECK(ended->error.code == "L125"_code);
  sink->reset();  // does not wait for the call
  // A process would end here. This one lets the call return, and its memory go after it.
  {
    const std::lock_guard lock(gate->mutex);
    gate->open = true;
  }
  gate->changed.notify_all();
}

}  // namespace penstock::log::kafka
