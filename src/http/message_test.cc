#include "http/message.h"

#include "http/response_reader.h"

#include <doctest/doctest.h>

#include <string>

namespace penstock::http {
namespace {

// The state after all bytes, fed in pieces of `step`.
ReadState read(std::string_view text, size_t step, Response* into = nullptr) {
  ResponseReader reader(100, false);
  ReadState state = ReadState::more;
  for (size_t at = 0; at < text.size(); at += step) state = reader.feed(text.substr(at, step));
  if (into != nullptr) *into = reader.take();
  return state;
}

}  // namespace

TEST_CASE("addresses: parts as sent, ports by default, and what is none") {
  const auto url = parse_url("https://STS.amazonaws.com?a=b%20c");
  REQUIRE(url);
  CHECK(*url == Url{.host = "sts.amazonaws.com", .path = "/", .query = "a=b%20c"});
  const auto v6 = parse_url("http://[fd00:ec2::254]/latest");
  REQUIRE(v6);
  CHECK(v6->host == "fd00:ec2::254");
  CHECK(v6->port == 80);
  CHECK(host_of(*v6) == "[fd00:ec2::254]");
  CHECK(text_of(*parse_url("http://h:8000/x?y")) == "http://h:8000/x?y");
  for (const char* bad :
       {"", "h", "ftp://h", "http://", "http://h:0", "http://h:70000", "http://h:x", "http://a b",
        "http://h/\r\nX: y", "http://u:secret@h/", "http://h/#f", "http://[::1", "http://::1/"}) {
    CAPTURE(bad);
    const auto none = parse_url(bad);
    REQUIRE(!none);
    CHECK(!none.error().message.contains("secret"));
  }
}

TEST_CASE("percent encoding keeps what is unreserved") {
  CHECK(percent_encoded("a-b_c.d~e/f g\xc3\xa9") == "a-b_c.d~e%2Ff%20g%C3%A9");
  CHECK(percent_encoded("/a b", "/") == "/a%20b");
  Url url;
  add_query(url, "Action", "kafka-cluster:Connect");
  add_query(url, "x y", "");
  CHECK(url.query == "Action=kafka-cluster%3AConnect&x%20y=");
}

TEST_CASE("an answer reads the same in pieces of any size") {
  const std::string text =
      "HTTP/1.1 400 Bad Request\r\nx-amzn-RequestId:  7 \r\nTransfer-Encoding: chunked\r\n\r\n"
      "a\r\n0123456789\r\n2;ext\r\nab\r\n0\r\nX-Trailer: t\r\n\r\n";
  for (size_t step = 1; step <= text.size(); ++step) {
    CAPTURE(step);
    Response response;
    REQUIRE(read(text, step, &response) == ReadState::done);
    CHECK(response.status == 400);
    CHECK(response.header("X-AMZN-REQUESTID") == "7");
    CHECK(response.body == "0123456789ab");
  }
}

TEST_CASE("what is no HTTP answer is refused, whatever the pieces") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const std::string& bad :
       {std::string("HTTP/2 200 OK\r\n\r\n"), std::string("HTTP/1.1 20x\r\n\r\n"),
        std::string("HTTP/1.1 999 no\r\n\r\n"), std::string("HTTP/1.1 101 Switching\r\n\r\n"),
        ok + "no colon\r\n\r\n", ok + "a b: c\r\n\r\n", ok + "a: b\r\n folded\r\n\r\n",
        ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", ok + "Content-Length: -1\r\n\r\n",
        ok + "Content-Length: 1\r\nTransfer-Encoding: "
             "chunked\r\n\r\n",
        ok + "Transfer-Encoding: gzip\r\n\r\n", ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        ok + "Transfer-Encoding: chunked\r\n\r\n1\n"}) {
    CAPTURE(bad);
    for (const size_t step : {size_t{1}, bad.size()})
      CHECK(read(bad, step) == ReadState::malformed);
  }
}

TEST_CASE("what is too much is refused before it is kept") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const std::string& large :
       {ok + "Content-Length: 101\r\n\r\n", ok + "\r\n" + std::string(101, 'x'),
        ok + "Transfer-Encoding: chunked\r\n\r\n65\r\n",
        ok + "X: " + std::string(70'000, 'x') + "\r\n\r\n",
        ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(70'000, 'x')}) {
    for (const size_t step : {size_t{1}, size_t{1000}, large.size()}) {
      CHECK(read(large, step) == ReadState::too_large);
    }
  }
  std::string many = ok;
  for (int i = 0; i < 201; ++i) many += "X: y\r\n";
  CHECK(read(many + "\r\n", 1000) == ReadState::too_large);
}

}  // namespace penstock::http
