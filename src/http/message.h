// message.h — what an HTTP client says and hears: addresses, requests, answers, failures.
//
// Paths and queries are kept as they are sent, that is percent-encoded by whoever made them: a
// signature covers these very bytes.
//
// Thread      values, free functions.
// Limits      an address has at most 8 KiB.
// Errors      H001 for an address that is none; error_of() turns a Failure into H002 … H006.
//
//     PENSTOCK_TRY(url, parse_url("https://sts.eu-north-1.amazonaws.com/"));
//     Request request{.method = "POST", .url = url, .body = "Action=…"};
//     request.headers.push_back({"content-type", "application/x-www-form-urlencoded"});
#pragma once

#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::http {

struct Url {
  bool tls = true;
  std::string host;  // lower case; an IPv6 address without its brackets
  uint16_t port = 443;
  std::string path = "/";  // as sent
  std::string query = {};  // as sent, without the ?
  bool operator==(const Url&) const = default;
};

// http:// or https://, without user and fragment.
Result<Url> parse_url(std::string_view text);
// What the Host header says: the port only where it is not the scheme's own.
std::string host_of(const Url& url);
std::string text_of(const Url& url);

// RFC 3986: everything but letters, digits and -_.~ as %XX; `keep` stays as well ("/" in paths).
std::string percent_encoded(std::string_view text, std::string_view keep = {});
// Appends name=value, both encoded, to a form or a query.
void add_pair(std::string& form, std::string_view name, std::string_view value);
// The same to url.query.
void add_query(Url& url, std::string_view name, std::string_view value);

struct Header {
  std::string name;
  std::string value;
};

// The first header of that name, in any case; "" when there is none.
std::string_view find_header(const std::vector<Header>& headers, std::string_view name);

struct Request {
  std::string method = "GET";
  Url url;
  // Host, Content-Length and Connection are added by the client; the rest is sent as it stands.
  std::vector<Header> headers = {};
  std::string body = {};
  int64_t timeout_millis = 10'000;            // from begin() to the last byte of the answer
  size_t max_answer_bytes = 4 * 1024 * 1024;  // of the answer's body
  // Doing it twice is as good as once, as it always is for GET and HEAD. Then a kept connection
  // that turns out to be closed costs one more try on a new one, and no failure.
  bool repeatable = false;
};

struct Response {
  unsigned status = 0;
  std::vector<Header> headers = {};
  std::string body = {};
  std::string_view header(std::string_view name) const { return find_header(headers, name); }
};

enum class FailureKind : uint8_t {
  address,    // the request itself cannot be sent: a line break in a header
  resolve,    // the host's name has no address
  connect,    // nobody listens there, or the proxy refuses
  tls,        // no secure connection: certificate, protocol
  timeout,    // the request's time, or the time to connect, is over
  reset,      // the connection ended before the answer's end
  malformed,  // what came is no HTTP answer
  too_large,  // the answer's body is above the request's limit, or its head above 64 KiB
  stopped,    // the client was destroyed
};

struct Failure {
  FailureKind kind = FailureKind::reset;
  bool sent = false;    // the server may have got the request, and acted on it
  std::string message;  // without the request's query, headers and body, which may hold secrets
};

using Outcome = std::expected<Response, Failure>;

// `what` was being done: "calling sts.eu-north-1.amazonaws.com".
Error error_of(const Failure& failure, std::string_view what);

}  // namespace penstock::http
