// aws_fixture.h — variables, files and a server in the place of AWS, for tests.
//
// Thread      one test.
#pragma once

#include "aws/session.h"
#include "http/http_fixture.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace penstock::aws {

class FixedClock final : public Clock {
 public:
  Millis now() const override { return {millis.load()}; }
  std::atomic<int64_t> millis{1'767'323'045'000};  // 2026-01-02T03:04:05Z
};

// Secrets of tests begin so; nothing that people read may hold one.
inline constexpr std::string_view kCanary = "canary-";

struct TestWorld {
  using Answer = std::function<std::string(const std::string& request)>;
  explicit TestWorld(Answer answer = [](const std::string&) { return http::ok(""); })
      : server([this, answer = std::move(answer)](http::TestPeer& peer) {
          for (std::string text = peer.request(); !text.empty(); text = peer.request()) {
            {
              const std::scoped_lock lock(mutex);
              requests.push_back(text);
            }
            peer.say(answer(text));
          }
        }) {
    auto made = http::Client::make({});
    REQUIRE(made);
    client = std::move(*made);
    variables["AWS_ENDPOINT_URL"] = http::text_of(server.url());
    variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = http::text_of(server.url());
    variables["AWS_REGION"] = "eu-north-1";
  }

  Surroundings here() {
    return {[this](const std::string& name) -> std::optional<std::string> {
              const auto found = variables.find(name);
              if (found == variables.end()) return std::nullopt;
              return found->second;
            },
            [this](const std::string& path) -> Result<std::string> {
              const std::scoped_lock lock(mutex);
              const auto found = files.find(path);
              if (found == files.end()) return fail("W002"_code, path + " cannot be read");
              return found->second;
            },
            "/x"};
  }
  std::shared_ptr<Session> session() {
    auto made = Session::make(here(), *client, clock);
    REQUIRE(made);
    return std::move(*made);
  }
  std::vector<std::string> seen() {
    const std::scoped_lock lock(mutex);
    return requests;
  }
  void write(const std::string& path, std::string text) {
    const std::scoped_lock lock(mutex);
    files[path] = std::move(text);
  }

  FixedClock clock;
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> files;
  std::mutex mutex;
  std::vector<std::string> requests;
  http::TestServer server;
  std::unique_ptr<http::Client> client;
};

inline std::string sts_answer(std::string_view id, std::string_view expires) {
  return http::ok(fmt::format(
      "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{}</AccessKeyId>"
      "<SecretAccessKey>{}key&amp;1</SecretAccessKey><SessionToken>{}token</SessionToken>"
      "<Expiration>{}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
      id, kCanary, kCanary, expires));
}

inline std::string agent_answer(std::string_view id) {
  return http::ok(fmt::format(R"({{"Code":"Success","AccessKeyId":"{}","SecretAccessKey":"{}key",)"
                              R"("Token":"{}token","Expiration":"2026-01-02T09:00:00Z"}})",
                              id, kCanary, kCanary));
}

}  // namespace penstock::aws
