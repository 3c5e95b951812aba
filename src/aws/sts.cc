#include "aws/sts.h"

#include "aws/answer.h"
#include "aws/signer.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <utility>

namespace penstock::aws {
namespace {

constexpr int kTries = 3;
constexpr int64_t kStsMillis = 5'000;
constexpr int64_t kPauseMillis = 200;

Result<http::Request> sts_request(const Session& session, std::string_view action,
                                  const Role& role) {
  PENSTOCK_TRY(url, session.endpoint("sts", session.region().empty() ? "us-east-1" : ""));
  http::Request request{.method = "POST", .url = std::move(url), .timeout_millis = kStsMillis};
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  request.max_answer_bytes = 64 * 1024;
  http::add_pair(request.body, "Action", action);
  http::add_pair(request.body, "Version", "2011-06-15");
  http::add_pair(request.body, "RoleArn", role.arn);
  http::add_pair(request.body, "RoleSessionName", role.session);
  if (!role.external_id.empty()) http::add_pair(request.body, "ExternalId", role.external_id);
  if (!role.seconds.empty()) http::add_pair(request.body, "DurationSeconds", role.seconds);
  return request;
}

bool may_pass(const http::Response& response) {
  const std::string code = refusal_of(response).code;
  return response.status >= 500 || response.status == 429 || code.starts_with("Throttl") ||
         code == "IDPCommunicationError" || code == "RequestTimeTooSkewed";
}

}  // namespace

Result<http::Response> call(Session& session, http::Request request, std::string_view what,
                            int tries, const std::function<void(http::Request&)>& sign) {
  const std::string host = http::host_of(request.url);
  Result<http::Response> last = fail("W004"_code, std::string(what));
  for (int tried = 0; tried < tries; ++tried) {
    if (tried > 0) std::this_thread::sleep_for(std::chrono::milliseconds(kPauseMillis * tried));
    if (sign) sign(request);
    http::Outcome outcome = session.client().perform(request);
    if (!outcome) {
      last = std::unexpected(http::error_of(outcome.error(), what));
      continue;
    }
    session.note(*outcome);
    if (outcome->status / 100 == 2) return std::move(*outcome);
    last = std::unexpected(refused(*outcome, fmt::format("{} ({})", what, host)));
    if (!may_pass(*outcome)) break;
  }
  return last;
}

Result<Credentials> assume_role_with_token(Session& session, const Role& role,
                                           const Secret& token) {
  PENSTOCK_TRY(request, sts_request(session, "AssumeRoleWithWebIdentity", role));
  http::add_pair(request.body, "WebIdentityToken", token.reveal());
  const std::string what = fmt::format("AssumeRoleWithWebIdentity {}", role.arn);
  PENSTOCK_TRY(response, call(session, std::move(request), what, kTries));
  return credentials_of_xml(response.body, what);
}

Result<Credentials> assume_role(Session& session, const Credentials& mine, const Role& role) {
  PENSTOCK_TRY(request, sts_request(session, "AssumeRole", role));
  const std::string what = fmt::format("AssumeRole {}", role.arn);
  Signer signer({session.region().empty() ? "us-east-1" : session.region(), "sts"});
  PENSTOCK_TRY(response, call(session, std::move(request), what, kTries, [&](http::Request& each) {
                 signer.sign(each, mine, session.now());
               }));
  return credentials_of_xml(response.body, what);
}

}  // namespace penstock::aws
