// logins.h — who a connection logs in as, when that is not a name and a password of the file.
//
// Thread      any; obtain() waits.
// Errors      W001 … W006.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "store/redshift/aws_access.h"

#include <functional>
#include <memory>
#include <string>

namespace penstock::store::redshift {

struct Login {
  std::string user, password;
};

class Logins {
 public:
  virtual ~Logins() = default;
  // Asked before each connection.
  virtual Result<Login> obtain() = 0;
  // The server did not take the last one.
  virtual void refused() {}
};

struct IamPlace {
  std::string host;
  std::string cluster = {}, workgroup = {}, region = {};  // of the host, unless it is an alias
  std::string database = {}, user = {};
};
// Logins that AWS gives for a while (GetClusterCredentials…, GetCredentials). S021 for a place that
// names no cluster.
Result<std::shared_ptr<Logins>> iam_logins(
    const IamPlace& place, std::function<Result<std::shared_ptr<AwsAccess>>()> access);

}  // namespace penstock::store::redshift
