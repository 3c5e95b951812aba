// s3_call.h — one request to S3: signed, sent, read, and repeated while it may pass.
//
// Repeated is what S3 says may pass (500, 503, SlowDown, a clock that is wrong, a token that ran
// out, bytes damaged on their way) and what was not answered, with the pauses of retry.h. All
// requests of this room may be repeated: those that change something put or delete by name.
//
// Thread      one owner; stop() from any.
// Lifetime    the identity outlives it.
// Errors      to_error(): S040 (refused), S041 (no such bucket, or elsewhere), S042 (later),
//             S043 (no answer of S3's).
//
//     S3Caller caller(identity, address, {});
//     const S3Request request{.method = "GET", .key = "k", .action = "s3:GetObject"};
//     const S3Reply reply = caller.perform(request);
//     if (reply.trouble != S3Trouble::none) return to_error(reply, request, address);
#pragma once

#include "aws/identity.h"
#include "aws/repeater.h"
#include "aws/s3_address.h"
#include "aws/signer.h"

#include <string>
#include <string_view>
#include <vector>

namespace penstock::aws {

enum class S3Trouble : uint8_t {
  none,
  passing,    // later
  throttled,  // later, more slowly
  missing,    // no such object, upload or configuration
  settings,   // rights, credentials, the bucket: somebody has to change something
  answer,     // what came is no answer of S3's
  stopped,
};

struct S3Request {
  std::string_view method;
  std::string_view key = {};  // "" is the bucket
  std::string query = {};
  std::vector<http::Header> headers = {};
  std::string_view body = {};
  std::string_view action;  // the right that it needs, for people: "s3:PutObject"
  size_t max_answer_bytes = 8 * 1024 * 1024;
  bool repeatable = true;  // also without our knowing, by the client
  bool in_body = false;    // the answer is XML; even 200 may turn out to be an error in it
};

struct S3Reply {
  S3Trouble trouble = S3Trouble::none;
  std::string code = {};     // "NoSuchKey"; "HTTP 403" where there is none
  std::string message = {};  // S3's own
  std::string region = {};   // where the bucket really is, when S3 says another one than ours
  bool repeated = false;     // an earlier try may have been carried out
  http::Response response = {};
};

class S3Caller {
 public:
  S3Caller(Identity& identity, S3Address address, RetryOptions options);

  S3Reply perform(const S3Request& request);
  // The pause and the request that are on, and all later ones, end as `stopped`.
  void stop() noexcept { repeater_.stop(); }
  const S3Address& address() const { return address_; }

 private:
  http::Request make(const S3Request& request);
  S3Reply read(const S3Request& request, http::Outcome outcome);

  Identity& identity_;
  S3Address address_;
  Repeater repeater_;
  Signer signer_;
};

Error to_error(const S3Reply& reply, const S3Request& request, const S3Address& address);
// S043: `what` ("a list") is not as S3 writes it.
Failure unreadable(const S3Address& address, std::string_view what);

}  // namespace penstock::aws
