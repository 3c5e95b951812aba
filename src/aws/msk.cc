#include "aws/msk.h"

#include "aws/answer.h"
#include "aws/digest.h"
#include "aws/signer.h"
#include "aws/sts.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace penstock::aws {
namespace {

constexpr int kTries = 3;
constexpr size_t kMaxArnBytes = 512;

struct Kind {
  MskLogin login;
  std::string_view suffix;  // of the answer's members
  std::string_view name;    // for people
};
constexpr std::array kKinds = {
    Kind{MskLogin::none, "", "without a login"}, Kind{MskLogin::tls, "Tls", "TLS"},
    Kind{MskLogin::scram, "SaslScram", "SASL/SCRAM"}, Kind{MskLogin::iam, "SaslIam", "IAM"}};

bool is_broker_list(std::string_view text) {
  return text.contains(':') && std::ranges::all_of(text, [](unsigned char letter) {
           return std::isalnum(letter) != 0 || letter == '.' || letter == '-' || letter == ':' ||
                  letter == ',';
         });
}

}  // namespace

Result<MskCluster> parse_msk_arn(std::string_view arn) {
  std::array<std::string_view, 6> parts;
  std::string_view rest = arn;
  for (std::string_view& part : parts) {
    const size_t end = &part == &parts.back() ? rest.size() : std::min(rest.find(':'), rest.size());
    part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const bool plain = std::ranges::all_of(arn, [](char each) { return each > ' ' && each < 0x7f; });
  if (arn.size() > kMaxArnBytes || !plain || parts[0] != "arn" || !parts[1].starts_with("aws") ||
      parts[2] != "kafka" || parts[3].empty() || !parts[5].starts_with("cluster/")) {
    return fail("W007"_code, fmt::format("{} is not the ARN of an MSK cluster", quoted(arn)));
  }
  return MskCluster{std::string(arn), std::string(parts[3])};
}

Result<std::string> msk_brokers_of(std::string_view json, const MskCluster& cluster,
                                   MskLogin login) {
  const Kind& kind = *std::ranges::find(kKinds, login, &Kind::login);
  for (const std::string_view way : {"", "VpcConnectivity", "Public"}) {
    const std::string member = fmt::format("bootstrapBrokerString{}{}", way, kind.suffix);
    PENSTOCK_TRY(brokers, text_member(json, member, "GetBootstrapBrokers"));
    if (!brokers || brokers->empty()) continue;
    if (is_broker_list(*brokers)) return std::move(*brokers);
    return fail("W006"_code, fmt::format("the answer of GetBootstrapBrokers cannot be read: {} is "
                                         "no list of brokers",
                                         member));
  }
  return fail("W008"_code,
              fmt::format("{} has no brokers for logins by {}", cluster.arn, kind.name));
}

Result<std::string> msk_brokers(Session& session, const Credentials& credentials,
                                const MskCluster& cluster, MskLogin login) {
  PENSTOCK_TRY(url, session.endpoint("kafka", cluster.region));
  // The signature sees the path encoded once more (signer.h).
  url.path = fmt::format("/v1/clusters/{}/bootstrap-brokers", http::percent_encoded(cluster.arn));
  Signer signer({cluster.region, "kafka"});
  const std::string what = fmt::format("GetBootstrapBrokers {}", cluster.arn);
  PENSTOCK_TRY(response,
               call(session, {.url = std::move(url)}, what, kTries,
                    [&](http::Request& each) { signer.sign(each, credentials, session.now()); }));
  return msk_brokers_of(response.body, cluster, login);
}

std::string msk_token(const std::string& region, const Credentials& credentials, Millis now,
                      std::string_view agent) {
  const std::string host =
      fmt::format("kafka.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
  http::Request request{.url = {.host = host}};
  http::add_query(request.url, "Action", "kafka-cluster:Connect");
  Signer signer({region, "kafka-cluster"});
  http::Url url = signer.presign(request, credentials, now, kMskTokenSeconds);
  http::add_query(url, "User-Agent", agent);
  return base64url(http::text_of(url));
}

}  // namespace penstock::aws
