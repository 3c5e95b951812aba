#include "ops/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <thread>
#include <utility>

namespace penstock::ops {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

constexpr size_t kConnections = 64;
constexpr uint32_t kHeaderBytes = 8 << 10;
constexpr auto kPatience = std::chrono::seconds(5);

// One connection, kept alive by its own pending operation.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, const HttpHandler& handler, size_t& open)
      : stream_(std::move(socket)), handler_(handler), open_(open) {
    ++open_;
  }
  ~Connection() { --open_; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeaderBytes);
    parser_->body_limit(0);
    stream_.expires_after(kPatience);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code error, size_t) {
                       if (!error) self->answer();
                     });
  }

 private:
  void answer() {
    const auto& request = parser_->get();
    std::string_view target(request.target().data(), request.target().size());
    target = target.substr(0, target.find('?'));
    const bool head = request.method() == http::verb::head;
    HttpAnswer made{405, "text/plain; charset=utf-8", "only GET and HEAD\n"};
    if (head || request.method() == http::verb::get) made = handler_(target);
    response_ = {};
    response_.version(request.version());
    response_.result(made.status);
    response_.set(http::field::content_type, made.content_type);
    response_.set(http::field::cache_control, "no-store");
    response_.keep_alive(request.keep_alive());
    response_.content_length(made.body.size());
    if (!head) response_.body() = std::move(made.body);
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, size_t) {
                        if (!error && self->response_.keep_alive()) self->read();
                      });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{kHeaderBytes * 2};
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
  const HttpHandler& handler_;
  size_t& open_;
};

class BeastServer final : public HttpServer {
 public:
  explicit BeastServer(HttpHandler handler) : handler_(std::move(handler)) {}
  ~BeastServer() override {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }
  uint16_t port() const override { return port_; }

  beast::error_code listen(const std::string& host, uint16_t port) {
    beast::error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (error) return error;
    const tcp::endpoint endpoint(address, port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return error;
    port_ = acceptor_.local_endpoint(error).port();
    accept();
    thread_ = std::thread([this] { context_.run(); });
    return error;
  }

 private:
  void accept() {
    acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (!error && open_ < kConnections) {
        std::make_shared<Connection>(std::move(socket), handler_, open_)->read();
      }
      if (error != asio::error::operation_aborted) accept();
    });
  }

  HttpHandler handler_;
  size_t open_ = 0;  // before the context, whose pending operations count down in it
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::open(const std::string& address,
                                                     HttpHandler handler) {
  const size_t colon = address.rfind(':');
  std::string host = colon == std::string::npos ? std::string() : address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "0.0.0.0";
  uint16_t port = 0;
  const char* first = address.data() + (colon == std::string::npos ? 0 : colon + 1);
  const char* last = address.data() + address.size();
  const auto [end, error] = std::from_chars(first, last, port);
  if (colon == std::string::npos || error != std::errc() || end != last) {
    return fail("U009"_code, fmt::format("\"{}\" is no address to listen on", address));
  }
  auto server = std::make_unique<BeastServer>(std::move(handler));
  if (const auto problem = server->listen(host, port)) {
    return fail("U009"_code, fmt::format("cannot listen on {}: {}", address, problem.message()));
  }
  return server;
}

}  // namespace penstock::ops
