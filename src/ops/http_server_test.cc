#include "ops/http_server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <unistd.h>

#include <string>

namespace penstock::ops {
namespace {

// Sends bytes and reads until the server closes.
std::string talk(uint16_t port, const std::string& request) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  (void)!::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) {
    answer.append(buffer, static_cast<size_t>(got));
  }
  ::close(fd);
  return answer;
}

std::string ask(uint16_t port, const std::string& line) {
  return talk(port, line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

HttpAnswer echo(std::string_view path) {
  if (path == "/known") return {200, "text/plain", "here"};
  return {404, "text/plain", std::string(path)};
}

TEST_CASE("GET and HEAD are answered, everything else is 405") {
  auto server = HttpServer::open("127.0.0.1:0", echo);
  REQUIRE(server.has_value());
  const uint16_t port = (*server)->port();
  REQUIRE(port != 0);
  const std::string known = ask(port, "GET /known?x=1");
  CHECK(known.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(known.ends_with("\r\n\r\nhere"));
  CHECK(ask(port, "GET /other").ends_with("\r\n\r\n/other"));
  const std::string head = ask(port, "HEAD /known");
  CHECK(head.find("Content-Length: 4\r\n") != std::string::npos);
  CHECK(head.ends_with("\r\n\r\n"));
  CHECK(ask(port, "POST /known").starts_with("HTTP/1.1 405"));
  const std::string twice = talk(port,
                                 "GET /known HTTP/1.1\r\nHost: x\r\n\r\n"
                                 "GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(twice.find("here") != std::string::npos);
  CHECK(twice.ends_with("/b"));
}

TEST_CASE("garbage and floods of header close their connection, and only theirs") {
  auto server = HttpServer::open("127.0.0.1:0", echo);
  REQUIRE(server.has_value());
  const uint16_t port = (*server)->port();
  CHECK(talk(port, std::string("\x00\xff\x16\x03\x01 garbage\r\n\r\n", 17)).empty());
  CHECK(talk(port, "GET / HTTP/1.1\r\nX: " + std::string(64 << 10, 'a')).empty());
  CHECK(ask(port, "GET /known").ends_with("here"));
}

TEST_CASE("an address that is malformed or taken is refused with its reason") {
  auto first = HttpServer::open("127.0.0.1:0", echo);
  REQUIRE(first.has_value());
  const std::string taken = fmt::format("127.0.0.1:{}", (*first)->port());
  for (const std::string& bad :
       {taken, std::string("nowhere"), std::string(":x"), std::string("not-an-ip:1"),
        std::string(":99999"), std::string("")}) {
    INFO(bad);
    const auto refused = HttpServer::open(bad, echo);
    REQUIRE(!refused.has_value());
    CHECK(refused.error().code == "U009"_code);
  }
}

}  // namespace
}  // namespace penstock::ops
