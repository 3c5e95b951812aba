// signer.h — AWS Signature Version 4, as headers of a request or as part of its address.
//
// What is signed is the request as it stands: path and query as they will be sent. Services other
// than S3 see the path encoded once more in what is signed, so an ARN in a path is encoded twice.
//
// Thread      one owner: the key of the day is kept.
// Lifetime    a value.
// Limits      headers are ASCII text; a presigned address is good for at most 7 days.
//
//     Signer signer({.region = "eu-north-1", .service = "dynamodb"});
//     signer.sign(request, *credentials, now);          // now: corrected by the server's clock
//     const Url url = signer.presign(request, *credentials, now, 900);
#pragma once

#include "aws/credentials.h"
#include "aws/digest.h"
#include "base/units.h"
#include "http/message.h"

#include <cstdint>
#include <string>

namespace penstock::aws {

struct Scope {
  std::string region;
  std::string service;  // as it is signed: "dynamodb", "sts", "kafka", "kafka-cluster", "s3"
};

class Signer {
 public:
  explicit Signer(Scope scope) : scope_(std::move(scope)) {}

  // Sets X-Amz-Date, X-Amz-Security-Token (when there is one), for S3 X-Amz-Content-SHA256, and
  // Authorization, in the place of those that stand there. Every other header but User-Agent,
  // Expect, Transfer-Encoding and X-Amzn-Trace-Id is signed; so add none afterwards.
  void sign(http::Request& request, const Credentials& credentials, Millis now);
  // The request's address with the signature in its query.
  http::Url presign(const http::Request& request, const Credentials& credentials, Millis now,
                    int64_t valid_seconds);
  const Scope& scope() const { return scope_; }

 private:
  std::string signature(std::string_view canonical, const Credentials& credentials,
                        const std::string& time);
  const Digest& key_of(const Credentials& credentials, std::string_view day);
  std::string scope_text(std::string_view day) const;

  Scope scope_;
  std::string key_day_;
  Secret key_secret_;
  Digest key_{};
};

// "20260102T030405Z"
std::string amz_time(Millis time);

}  // namespace penstock::aws
