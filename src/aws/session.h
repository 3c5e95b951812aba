// session.h — what every call to AWS needs besides a signature: the region, endpoints, the clock.
//
// Thread      immutable but for the clock's correction, which any thread may read and write.
// Lifetime    outlives whoever calls AWS through it; the client outlives the session.
// Errors      W002, W005, H001, each with the variable or profile that is wrong.
//
//     PENSTOCK_TRY(session, Session::make(machine(), *client, clock));
//     PENSTOCK_TRY(url, session->endpoint("dynamodb", "eu-north-1"));
//     session->note(response);   // of each answer: its Date corrects our clock
#pragma once

#include "aws/profile.h"
#include "aws/surroundings.h"
#include "base/clock.h"
#include "http/client.h"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

namespace penstock::aws {

class Session {
 public:
  static Result<std::shared_ptr<Session>> make(Surroundings here, http::Client& client,
                                               const Clock& clock);

  // AWS_REGION, AWS_DEFAULT_REGION, the profile's; "" when none says it.
  const std::string& region() const { return region_; }
  // `region`: "" = region(). AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's services
  // and endpoint_url (all but AWS_IGNORE_CONFIGURED_ENDPOINT_URLS), else the region's own.
  Result<http::Url> endpoint(std::string_view service, std::string_view region = {}) const;

  const Surroundings& here() const { return here_; }
  const Profiles& profiles() const { return profiles_; }
  const std::string& profile_name() const { return profile_name_; }
  const Section* profile() const { return profiles_.find(profile_name_); }
  http::Client& client() const { return client_; }

  // Wall time as AWS sees it.
  Millis now() const { return clock_.now() + skew_millis_.load(std::memory_order_relaxed); }
  // The Date of an answer: four minutes apart are a wrong clock, less is the network.
  void note(const http::Response& response);

 private:
  Session(Surroundings here, http::Client& client, const Clock& clock)
      : here_(std::move(here)), client_(client), clock_(clock) {}
  std::string configured_endpoint(std::string_view service) const;

  Surroundings here_;
  http::Client& client_;
  const Clock& clock_;
  Profiles profiles_;
  std::string profile_name_;
  std::string region_;
  std::atomic<int64_t> skew_millis_ = 0;
};

// AWS_ROLE_SESSION_NAME, else "penstock-" and digits: one name for the life of the process, for
// MSK refuses a principal that changes at a new login.
std::string role_session_name(const Surroundings& here);

}  // namespace penstock::aws
