#include "aws/session.h"

#include "aws/instant.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <random>

namespace penstock::aws {
namespace {

constexpr int64_t kSkewMillis = 240'000;

bool is_region(std::string_view name) {
  return !name.empty() && name.size() <= 40 && std::ranges::all_of(name, [](unsigned char letter) {
    return std::islower(letter) != 0 || std::isdigit(letter) != 0 || letter == '-';
  });
}

std::string region_of(const Session& session) {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (auto value = session.here().variable(name)) return *value;
  }
  return std::string(value_of(session.profile(), "region"));
}

Failure no_such_region(std::string_view region) {
  return fail("W005"_code, fmt::format("\"{}\" is not the name of a region", region));
}

}  // namespace

Result<std::shared_ptr<Session>> Session::make(Surroundings here, http::Client& client,
                                               const Clock& clock) {
  std::shared_ptr<Session> session(new Session(std::move(here), client, clock));
  PENSTOCK_TRY(profiles, load_profiles(session->here_));
  session->profiles_ = std::move(profiles);
  session->profile_name_ = aws::profile_name(session->here_);
  const bool named = session->here_.variable("AWS_PROFILE").has_value();
  if (named && session->profile() == nullptr) {
    return fail("W002"_code, fmt::format("there is no profile \"{}\", which AWS_PROFILE names",
                                         session->profile_name_))
        .cure("write it into ~/.aws/config, or unset AWS_PROFILE");
  }
  session->region_ = region_of(*session);
  if (!session->region_.empty() && !is_region(session->region_)) {
    return no_such_region(session->region_);
  }
  return session;
}

std::string Session::configured_endpoint(std::string_view service) const {
  if (here_.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == "true") return {};
  std::string upper(service);
  std::ranges::transform(upper, upper.begin(), [](unsigned char letter) {
    return std::isalnum(letter) != 0 ? static_cast<char>(std::toupper(letter)) : '_';
  });
  if (auto url = here_.variable("AWS_ENDPOINT_URL_" + upper)) return *url;
  if (auto url = here_.variable("AWS_ENDPOINT_URL")) return *url;
  const auto services = profiles_.services.find(value_of(profile(), "services"));
  if (services != profiles_.services.end()) {
    const std::string key = fmt::format("{}.endpoint_url", service);
    if (const auto url = value_of(&services->second, key); !url.empty()) return std::string(url);
  }
  return std::string(value_of(profile(), "endpoint_url"));
}

Result<http::Url> Session::endpoint(std::string_view service, std::string_view region) const {
  const std::string configured = configured_endpoint(service);
  if (!configured.empty()) return http::parse_url(configured);
  if (region.empty()) region = region_;
  if (region.empty()) {
    return fail("W005"_code, fmt::format("no AWS region is set, and {} needs one", service));
  }
  if (!is_region(region)) return no_such_region(region);
  return http::parse_url(fmt::format("https://{}.{}.amazonaws.com{}/", service, region,
                                     region.starts_with("cn-") ? ".cn" : ""));
}

void Session::note(const http::Response& response) {
  const auto theirs = parse_http_date(response.header("date"));
  if (!theirs) return;
  const int64_t apart = theirs->value - clock_.now().value;
  skew_millis_ = std::abs(apart) >= kSkewMillis ? apart : 0;
}

std::string role_session_name(const Surroundings& here) {
  if (auto name = here.variable("AWS_ROLE_SESSION_NAME")) return *name;
  static const std::string made = fmt::format("penstock-{:08x}", std::random_device()());
  return made;
}

}  // namespace penstock::aws
