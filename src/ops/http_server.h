// http_server.h — answers GET over HTTP/1.1: health, metrics.
//
// Thread      one of its own; the handler is called there, one request after the other, and has to
//             be quick.
// Lifetime    what the handler refers to outlives the server.
// Limits      64 connections at once, 8 KiB of header, 5 s without a byte; GET and HEAD only.
// Errors      U009 when the address is malformed or taken.
//
//     PENSTOCK_TRY(server, HttpServer::open("0.0.0.0:9464", [&](std::string_view path) {
//       return path == "/livez" ? HttpAnswer{200, "text/plain", "ok\n"} : HttpAnswer{404, …};
//     }));
#pragma once

#include "base/error.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace penstock::ops {

struct HttpAnswer {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};
// Of the path without its query.
using HttpHandler = std::function<HttpAnswer(std::string_view path)>;

class HttpServer {
 public:
  // "HOST:PORT" or ":PORT"; port 0 takes a free one.
  static Result<std::unique_ptr<HttpServer>> open(const std::string& address, HttpHandler handler);
  virtual ~HttpServer() = default;
  virtual uint16_t port() const = 0;
};

}  // namespace penstock::ops
