// sts.h — AWS STS: other credentials for those we have, or for a token.
//
// Thread      they wait for the answer: not on a worker's thread.
// Errors      W003 … W006, H002 … H006.
//
//     PENSTOCK_TRY(credentials, assume_role(*session, mine, {.arn = arn, .session = name}));
#pragma once

#include "aws/credentials.h"
#include "aws/session.h"

#include <string>

namespace penstock::aws {

struct Role {
  std::string arn;
  std::string session;
  std::string external_id = {};
  std::string seconds = {};  // "" = STS's own hour
};

// `token`: a web identity's, as it lies in its file now.
Result<Credentials> assume_role_with_token(Session& session, const Role& role, const Secret& token);
Result<Credentials> assume_role(Session& session, const Credentials& mine, const Role& role);

// Sends and waits; repeats what may pass (no connection, 5xx, throttling) `tries` times in all. An
// answer that is not 2xx is an error; its Date is noted. `sign` is called before each try.
Result<http::Response> call(Session& session, http::Request request, std::string_view what,
                            int tries, const std::function<void(http::Request&)>& sign = {});

}  // namespace penstock::aws
