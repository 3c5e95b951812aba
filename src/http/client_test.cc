#include "http/client.h"

#include "http/http_fixture.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <vector>

namespace penstock::http {
namespace {

std::unique_ptr<Client> client(ClientOptions options = {}) {
  auto made = Client::make(std::move(options));
  REQUIRE(made);
  return std::move(*made);
}

// Answers each request with its own bytes.
void echo(TestPeer& peer) {
  for (std::string text = peer.request(); !text.empty(); text = peer.request()) {
    peer.say(ok(text));
  }
}

}  // namespace

TEST_CASE("a request arrives as it was made, and its answer comes back") {
  const TestServer server(echo);
  const auto http = client();
  Request request{.method = "POST", .url = server.url("/a%2Fb"), .body = "{}"};
  request.url.query = "x=1";
  request.headers = {{"X-Amz-Target", "DynamoDB_20120810.PutItem"}};
  const Outcome outcome = http->perform(request);
  REQUIRE(outcome);
  CHECK(outcome->status == 200);
  CHECK(outcome->body == "POST /a%2Fb?x=1 HTTP/1.1\r\nHost: " + host_of(request.url) +
                             "\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Length: "
                             "2\r\n\r\n{}");
}

TEST_CASE("connections are kept; no more than allowed are made, and the rest wait in line") {
  const TestServer server(echo);
  const auto http = client({.connections_per_host = 3});
  std::mutex mutex;
  std::condition_variable changed;
  int good = 0;
  int left = 500;
  for (int i = 0; i < 500; ++i) {
    Request request{.method = "POST", .url = server.url(), .body = std::to_string(i)};
    http->begin(std::move(request), [&, i](Outcome outcome) {
      const std::scoped_lock lock(mutex);
      good += outcome && outcome->body.ends_with("\r\n\r\n" + std::to_string(i)) ? 1 : 0;
      if (--left == 0) changed.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return left == 0; });
  CHECK(good == 500);
  CHECK(server.connections() == 3);
}

TEST_CASE("a Call is polled, woken once, and may be dropped") {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  const TestServer server([&](TestPeer& peer) {
    (void)peer.request();
    released.wait();
    peer.say(ok("late"));
  });
  std::promise<void> woken;
  const auto http = client();
  Call call(*http, {.url = server.url()}, [&] { woken.set_value(); });
  {
    const Call dropped(*http, {.url = server.url()}, [] {});
  }
  CHECK(!call.take());
  release.set_value();
  woken.get_future().wait();
  auto outcome = call.take();
  REQUIRE(outcome);
  REQUIRE(*outcome);
  CHECK((*outcome)->body == "late");
  CHECK(!call.take());
}

TEST_CASE("a chunked answer, one that ends with its connection, one after 100 Continue") {
  const TestServer server([](TestPeer& peer) {
    const std::string text = peer.request();
    if (text.starts_with("GET /chunked ")) {
      peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n");
      peer.say("2\r\nde\r\n0\r\nTrailer: x\r\n\r\n");
    } else if (text.starts_with("GET /ends ")) {
      peer.say("HTTP/1.0 200 OK\r\n\r\nabcde");
    } else {
      peer.say("HTTP/1.1 100 Continue\r\n\r\n" + ok("abcde"));
    }
  });
  const auto http = client();
  for (const char* path : {"/chunked", "/ends", "/continue"}) {
    CAPTURE(path);
    const Outcome outcome = http->perform({.url = server.url(path)});
    REQUIRE(outcome);
    CHECK(outcome->body == "abcde");
  }
}

TEST_CASE("failures say what happened, and whether the server may have acted") {
  const TestServer server([](TestPeer& peer) {
    const std::string text = peer.request();
    if (text.starts_with("GET /cut ")) return;
    if (text.starts_with("GET /half ")) peer.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    if (text.starts_with("GET /nonsense ")) peer.say("SSH-2.0-OpenSSH_9.2\r\n\r\n");
    if (text.starts_with("GET /large ")) peer.say(ok(std::string(2000, 'x')));
    if (text.starts_with("GET /silent ")) (void)peer.request();
  });
  const auto http = client();
  const auto failure = [&](const char* path) {
    const Outcome outcome =
        http->perform({.url = server.url(path), .timeout_millis = 200, .max_answer_bytes = 1000});
    REQUIRE(!outcome);
    CHECK(outcome.error().sent);
    return outcome.error().kind;
  };
  CHECK(failure("/cut") == FailureKind::reset);
  CHECK(failure("/half") == FailureKind::reset);
  CHECK(failure("/nonsense") == FailureKind::malformed);
  CHECK(failure("/large") == FailureKind::too_large);
  CHECK(failure("/silent") == FailureKind::timeout);
}

TEST_CASE("nobody listens, no such name, an address that splits the head: nothing was sent") {
  Url gone;
  {
    const TestServer server(echo);
    gone = server.url();
  }
  const auto http = client();
  const auto failure = [&](const Url& url) {
    const Outcome outcome = http->perform({.url = url});
    REQUIRE(!outcome);
    CHECK(!outcome.error().sent);
    return outcome.error().kind;
  };
  CHECK(failure(gone) == FailureKind::connect);
  CHECK(failure({.host = "no-such-host.invalid"}) == FailureKind::resolve);
  gone.path = "/ HTTP/1.1\r\nX: y\r\n\r\n";
  CHECK(failure(gone) == FailureKind::address);
}

TEST_CASE("a kept connection that was closed costs a repeatable request nothing") {
  std::promise<void> closed;
  const TestServer server([&](TestPeer& peer) {
    (void)peer.request();
    peer.say(ok("one"));
    if (peer.number > 1) return;
    // The second request on this connection is read and never answered.
    (void)peer.request();
  });
  const auto http = client();
  REQUIRE(http->perform({.url = server.url()}));
  const Outcome repeated = http->perform({.url = server.url(), .repeatable = true});
  REQUIRE(repeated);
  CHECK(repeated->body == "one");
  CHECK(server.connections() == 2);
}

TEST_CASE("what is not repeatable is not sent twice") {
  std::atomic<int> seen = 0;
  const TestServer server([&](TestPeer& peer) {
    (void)peer.request();
    ++seen;
    peer.say(ok("one"));
    if (!peer.request().empty()) ++seen;
  });
  const auto http = client();
  REQUIRE(http->perform({.url = server.url()}));
  const Outcome outcome = http->perform({.method = "POST", .url = server.url()});
  REQUIRE(!outcome);
  CHECK(outcome.error().kind == FailureKind::reset);
  CHECK(outcome.error().sent);
  CHECK(seen == 2);
}

TEST_CASE("a client that goes ends what is on its way") {
  const TestServer server([](TestPeer& peer) {
    (void)peer.request();
    (void)peer.request();
  });
  std::promise<Outcome> ended;
  auto http = client();
  http->begin({.url = server.url()}, [&](Outcome outcome) { ended.set_value(std::move(outcome)); });
  http.reset();
  const Outcome outcome = ended.get_future().get();
  REQUIRE(!outcome);
  CHECK(outcome.error().kind == FailureKind::stopped);
}

}  // namespace penstock::http
