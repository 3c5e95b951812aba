// msk.h — Amazon MSK: a cluster's brokers by its ARN, and the token that logs in to them by IAM.
//
// Thread      msk_token() is free; msk_brokers() waits for the answer.
// Errors      W003, W004, W006 … W008, H….
//
//     PENSTOCK_TRY(cluster, parse_msk_arn("arn:aws:kafka:eu-north-1:1:cluster/meters/abc-1"));
//     PENSTOCK_TRY(brokers, msk_brokers(*session, credentials, cluster, MskLogin::iam));
//     const MskToken token = msk_token(cluster.region, credentials, session->now());
#pragma once

#include "aws/credentials.h"
#include "aws/session.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::aws {

struct MskCluster {
  std::string arn;
  std::string region;
};
Result<MskCluster> parse_msk_arn(std::string_view arn);

enum class MskLogin : uint8_t { none, tls, scram, iam };

// "b-1.…:9098,b-2.…:9098": within the cluster's network, else by PrivateLink, else public.
Result<std::string> msk_brokers(Session& session, const Credentials& credentials,
                                const MskCluster& cluster, MskLogin login);
// The same from the service's answer.
Result<std::string> msk_brokers_of(std::string_view json, const MskCluster& cluster,
                                   MskLogin login);

inline constexpr int64_t kMskTokenSeconds = 900;

// What SASL/OAUTHBEARER sends: a presigned "connect", good for kMskTokenSeconds from `now` on, as
// long as the credentials are. `agent` is told to the brokers' log, unsigned.
std::string msk_token(const std::string& region, const Credentials& credentials, Millis now,
                      std::string_view agent = "penstock");

}  // namespace penstock::aws
