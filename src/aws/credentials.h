// credentials.h — who we are to AWS, for a while.
//
// Thread      values.
#pragma once

#include "base/secret.h"
#include "base/units.h"

#include <string>

namespace penstock::aws {

struct Credentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token = {};  // empty for the lasting keys of a user
  Millis expires = kNever;    // wall time
};

}  // namespace penstock::aws
