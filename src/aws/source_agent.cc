#include "aws/answer.h"
#include "aws/source.h"
#include "aws/sts.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace penstock::aws {
namespace {

constexpr int64_t kAgentMillis = 2'000;
constexpr int kAgentTries = 3;
constexpr int64_t kMachineMillis = 1'000;
constexpr int kMachineTries = 2;
constexpr size_t kMaxAnswer = 64 * 1024;

http::Request request_to(http::Url url, int64_t timeout) {
  http::Request request{.url = std::move(url), .timeout_millis = timeout};
  request.max_answer_bytes = kMaxAnswer;
  return request;
}

// ECS, EKS Pod Identity.
class ContainerSource final : public Source {
 public:
  ContainerSource(Session& session, http::Url url) : session_(session), url_(std::move(url)) {}

  Result<Credentials> load() override {
    http::Request request = request_to(url_, kAgentMillis);
    request.headers = {{"Accept", "application/json"}};
    PENSTOCK_TRY(token, read_token());
    if (!token.empty()) request.headers.push_back({"Authorization", std::string(token.reveal())});
    PENSTOCK_TRY(response, call(session_, std::move(request), name(), kAgentTries));
    return credentials_of_json(response.body, name());
  }
  std::string name() const override {
    return fmt::format("the container's credentials at {}", http::host_of(url_));
  }

 private:
  // The file is renewed from outside.
  Result<Secret> read_token() const {
    const auto& here = session_.here();
    std::string text = here.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
    if (const auto file = here.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
      PENSTOCK_TRY(lying, here.read(*file));
      text = std::move(lying);
    }
    if (text.contains('\n') || text.contains('\r')) {
      return fail("W002"_code, "the container's authorization token has a line break in it")
          .cure("write the token into its file without one");
    }
    return Secret(std::move(text));
  }

  Session& session_;
  http::Url url_;
};

// IMDSv2: a token first. Version 1, without one, is not spoken: a request that was smuggled
// through us could speak it as well.
class MachineSource final : public Source {
 public:
  explicit MachineSource(Session& session) : session_(session) {}

  Result<Credentials> load() override {
    if (session_.here().variable("AWS_EC2_METADATA_DISABLED") == "true") {
      return nobody("AWS_EC2_METADATA_DISABLED is true");
    }
    PENSTOCK_TRY(base, address());
    http::Request ask = request_to(at(base, "/latest/api/token"), kMachineMillis);
    ask.method = "PUT";
    ask.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
    auto token = call(session_, std::move(ask), name(), kMachineTries);
    if (!token) return nobody(token.error().message);
    const std::string roles = "/latest/meta-data/iam/security-credentials/";
    PENSTOCK_TRY(role, get(at(base, roles), token->body));
    const std::string named = role.body.substr(0, role.body.find('\n'));
    PENSTOCK_TRY(answer, get(at(base, roles + http::percent_encoded(named)), token->body));
    return credentials_of_json(answer.body, name());
  }
  std::string name() const override { return "the role of this machine (IMDSv2)"; }

 private:
  Result<http::Url> address() const {
    const auto& variable = session_.here().variable;
    if (const auto url = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT")) {
      return http::parse_url(*url);
    }
    const bool v6 = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE") == "IPv6";
    return http::parse_url(v6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254");
  }
  static http::Url at(http::Url url, std::string path) {
    url.path = std::move(path);
    return url;
  }
  Result<http::Response> get(http::Url url, const std::string& token) {
    http::Request request = request_to(std::move(url), kMachineMillis);
    request.headers = {{"X-aws-ec2-metadata-token", token}};
    return call(session_, std::move(request), name(), kMachineTries);
  }
  static Failure nobody(const std::string& why) {
    return fail("W001"_code, "nothing here says who we are to AWS")
        .because(fmt::format("no variables, no keys or role in the profile, no web identity, no "
                             "container's agent, and the machine's role: {}",
                             why));
  }

  Session& session_;
};

}  // namespace

bool is_container_host(std::string_view host) {
  static constexpr std::array<std::string_view, 5> kFixed = {"169.254.170.2", "169.254.170.23",
                                                             "fd00:ec2::23", "localhost", "::1"};
  if (std::ranges::find(kFixed, host) != kFixed.end()) return true;
  in_addr address{};
  return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1 &&
         ntohl(address.s_addr) >> 24 == 127;
}

MaybeSource container_source(Session& session) {
  const auto& variable = session.here().variable;
  std::string text;
  if (const auto path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    text = "http://169.254.170.2" + *path;
  } else if (const auto full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    text = *full;
  } else {
    return nullptr;
  }
  PENSTOCK_TRY(url, http::parse_url(text));
  if (!url.tls && !is_container_host(url.host)) {
    return fail("W002"_code,
                fmt::format("AWS_CONTAINER_CREDENTIALS_FULL_URI names {} without TLS", url.host))
        .because("keys would be taken from, and our token shown to, whoever listens there")
        .cure("use https, or an address of the machine or of the container's agent");
  }
  return std::make_unique<ContainerSource>(session, std::move(url));
}

std::unique_ptr<Source> machine_source(Session& session) {
  return std::make_unique<MachineSource>(session);
}

Result<std::unique_ptr<Source>> choose_source(Session& session) {
  const std::string& profile = session.profile_name();
  PENSTOCK_TRY(variables, variables_source(session));
  if (variables) return std::move(variables);
  PENSTOCK_TRY(role, profile_role_source(session, profile, {}));
  if (role) return std::move(role);
  PENSTOCK_TRY(web, web_identity_source(session, profile));
  if (web) return std::move(web);
  PENSTOCK_TRY(keys, profile_keys_source(session, profile));
  if (keys) return std::move(keys);
  PENSTOCK_TRY(container, container_source(session));
  if (container) return std::move(container);
  return machine_source(session);
}

}  // namespace penstock::aws
