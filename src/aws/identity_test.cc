#include "aws/identity.h"

#include "aws/aws_fixture.h"
#include "aws/instant.h"

namespace penstock::aws {
namespace {

constexpr int64_t kMinute = 60'000;

}  // namespace

TEST_CASE("credentials are replaced 10 to 15 minutes before their end, short ones at their half") {
  const Millis now{1'000'000'000};
  const Millis end = now + 60 * kMinute;
  CHECK(refresh_time(now, end, 0.0) == now + 50 * kMinute);
  CHECK(refresh_time(now, end, 1.0) == now + 45 * kMinute);
  CHECK(refresh_time(now, now + 16 * kMinute, 1.0) == now + 8 * kMinute);
  CHECK(refresh_time(now, now + -1, 0.5) >= now);
  CHECK(refresh_time(now, kNever, 0.5) == kNever);
}

TEST_CASE("doubted credentials are asked for anew; while that fails the old ones stay") {
  std::atomic<int> calls = 0;
  TestWorld world([&](const std::string&) {
    const int call = ++calls;
    if (call == 1) return agent_answer("ASIA1");
    if (call == 2) return std::string("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
    return agent_answer("ASIA2");
  });
  world.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = http::text_of(world.server.url());
  auto identity = Identity::make(world.session());
  REQUIRE(identity);
  const auto first = (*identity)->obtain();
  REQUIRE(first);
  CHECK((*first)->access_key_id == "ASIA1");
  (*identity)->doubt();
  while (!(*identity)->trouble()) std::this_thread::yield();  // poll: its own thread asks
  CHECK((*identity)->current()->access_key_id == "ASIA1");
  world.clock.millis += 2'000;  // the pause after a failure is over
  while ((*identity)->current()->access_key_id != "ASIA2") std::this_thread::yield();  // poll:
  CHECK(!(*identity)->trouble());
  CHECK(calls == 3);
}

TEST_CASE("the first failure ends the wait") {
  TestWorld world([](const std::string&) { return http::ok("nonsense"); });
  world.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = http::text_of(world.server.url());
  auto identity = Identity::make(world.session());
  REQUIRE(identity);
  const auto none = (*identity)->obtain();
  REQUIRE(!none);
  CHECK(none.error().code == "W006"_code);
  CHECK((*identity)->current() == nullptr);
}

TEST_CASE("AWS's clock corrects ours when they are four minutes apart") {
  TestWorld world;
  const auto session = world.session();
  const auto dated = [](const char* date) {
    return http::Response{.status = 200, .headers = {{"Date", date}}};
  };
  const Millis ours = world.clock.now();
  session->note(dated("Fri, 02 Jan 2026 03:34:05 GMT"));
  CHECK(session->now() == ours + 30 * kMinute);
  session->note(dated("no date"));
  CHECK(session->now() == ours + 30 * kMinute);
  session->note(dated("Fri, 02 Jan 2026 03:05:05 GMT"));
  CHECK(session->now() == ours);
}

TEST_CASE("times as AWS writes them, and what is none") {
  CHECK(parse_iso_time("2026-01-02T03:04:05Z") == Millis{1'767'323'045'000});
  CHECK(parse_iso_time("2026-01-02T03:04:05.678Z") == Millis{1'767'323'045'000});
  CHECK(parse_http_date("Fri, 02 Jan 2026 03:04:05 GMT") == Millis{1'767'323'045'000});
  for (const char* bad : {"", "2026-01-02", "2026-13-02T03:04:05Z", "2026-02-30T03:04:05Z",
                          "2026-01-02 03:04:05Z", "2026-01-02T25:04:05Z", "-026-01-02T03:04:05Z"}) {
    CAPTURE(bad);
    CHECK(!parse_iso_time(bad));
  }
  CHECK(!parse_http_date("Fri, 02 Xan 2026 03:04:05 GMT"));
  CHECK(!parse_http_date("Fri, 02 anF 2026 03:04:05 GMT"));
}

TEST_CASE("endpoints and regions: variables, the profile's services, the region's own") {
  TestWorld world;
  const auto endpoint = [&](std::string_view service) {
    const auto url = world.session()->endpoint(service);
    return url ? http::text_of(*url) : one_line(url.error());
  };
  world.variables["AWS_ENDPOINT_URL_DYNAMODB"] = "http://localhost:8000";
  CHECK(endpoint("dynamodb") == "http://localhost:8000/");
  CHECK(endpoint("sts") == http::text_of(world.server.url()));
  world.variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  CHECK(endpoint("dynamodb") == "https://dynamodb.eu-north-1.amazonaws.com/");
  world.variables.clear();
  CHECK(endpoint("sts").starts_with("W005"));
  world.files["/x/.aws/config"] =
      "[default]\nregion = cn-north-1 # near\nservices = mine\n"
      "[services mine]\ndynamodb =\n  endpoint_url = http://localhost:9000\n";
  CHECK(endpoint("dynamodb") == "http://localhost:9000/");
  CHECK(endpoint("sts") == "https://sts.cn-north-1.amazonaws.com.cn/");
  world.variables["AWS_REGION"] = "evil.example/";
  const auto none = Session::make(world.here(), *world.client, world.clock);
  REQUIRE(!none);
  CHECK(none.error().code == "W005"_code);
}

TEST_CASE("shared files: quotes, comments, other sections, and lines that are wrong") {
  Profiles profiles;
  REQUIRE(parse_profiles("# c\n[profile \"a b\"]\r\nKey = v=1 ; c\r\n[sso-session s]\nx = y\n",
                         "config", false, profiles));
  CHECK(value_of(profiles.find("a b"), "key") == "v=1");
  CHECK(profiles.profiles.size() == 1);
  for (const char* bad :
       {"canary-\n", "[default\n", "[default]\ncanary-\n", "[default]\n=canary-\n"}) {
    const auto wrong = parse_profiles(bad, "f", true, profiles);
    REQUIRE(!wrong);
    CHECK(wrong.error().code == "W002"_code);
    CHECK(!render(wrong.error()).contains(kCanary));
  }
}

}  // namespace penstock::aws
