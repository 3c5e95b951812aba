// redshift_login.h — the database login of Redshift that AWS gives for a while instead of a
// password.
//
// A cluster is asked by GetClusterCredentials for a named user, else by
// GetClusterCredentialsWithIAM for the user that stands for our role; Serverless by
// GetCredentials. A login is for connecting: a connection outlives it. So obtain() is called at
// each connect, gives the same login again while it is good for kLoginLeftMillis more, and then
// asks anew; refuse() is for a login that the server did not take.
//
// Thread      any; obtain() waits, for one answer on behalf of all who ask.
// Lifetime    the identity outlives it.
// Limits      a login is good for 15 minutes, as AWS gives it by itself.
// Errors      W003 … W006, H002 … H006; W005: neither the host nor the settings name a region.
//
//     RedshiftLogins logins(*identity, {.place = *redshift_place(host), .database = "energy"});
//     PENSTOCK_TRY(login, logins.obtain());
//     connect(host, login.user, login.password.reveal());   // else logins.refuse(login)
#pragma once

#include "aws/identity.h"

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::aws {

inline constexpr int64_t kLoginLeftMillis = 300'000;

struct RedshiftPlace {
  bool serverless = false;
  std::string name;         // of the cluster, or of the workgroup
  std::string region = {};  // "": AWS's own settings
};

// CLUSTER.x.REGION.redshift.amazonaws.com, or WORKGROUP.ACCOUNT.REGION.redshift-serverless….
std::optional<RedshiftPlace> redshift_place(std::string_view host);

struct RedshiftLogin {
  std::string user;
  Secret password;
  Millis expires;
};

struct RedshiftAccess {
  RedshiftPlace place;
  std::string database;
  std::string user = {};    // "": the one that stands for our role
  std::string secret = {};  // of the Data API: the ARN in Secrets Manager of a name and password
};

class RedshiftLogins {
 public:
  RedshiftLogins(Identity& identity, RedshiftAccess access)
      : identity_(identity), access_(std::move(access)) {}

  Result<RedshiftLogin> obtain();
  // The next obtain() asks anew, if this is the login that it would give.
  void refuse(const RedshiftLogin& login);

 private:
  Result<RedshiftLogin> ask();

  Identity& identity_;
  const RedshiftAccess access_;
  std::mutex mutex_;
  std::optional<RedshiftLogin> last_;
};

}  // namespace penstock::aws
