// aws_access.h — who we are at AWS, for what a store asks there: S3 and logins.
//
// Thread      shared by all sinks of a store; made once.
// Lifetime    the clock outlives it.
// Errors      W001 … W005, H003.
//
//     PENSTOCK_TRY(access, AwsAccess::open(clock));
//     access->identity()
#pragma once

#include "aws/identity.h"
#include "base/clock.h"
#include "http/client.h"

#include <memory>

namespace penstock::store::redshift {

class AwsAccess {
 public:
  // Waits for the first credentials.
  static Result<std::shared_ptr<AwsAccess>> open(const Clock& clock);
  aws::Identity& identity() { return *identity_; }

 private:
  AwsAccess() = default;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<aws::Identity> identity_;  // ends before the client
};

}  // namespace penstock::store::redshift
