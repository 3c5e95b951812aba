#include "aws/redshift_login.h"

#include "aws/aws_fixture.h"

#include <doctest/doctest.h>

#include <string>

namespace penstock::aws {
namespace {

// The answers are those of botocore 1.44.8's models: redshift-2012-12-01, GetClusterCredentials
// and …WithIAM; redshift-serverless-2021-04-21, GetCredentials.
std::string cluster_answer(std::string_view action, std::string_view password,
                           std::string_view expires) {
  return http::ok(
      fmt::format("<{0}Response xmlns=\"http://redshift.amazonaws.com/doc/2012-12-01/\"><{0}Result>"
                  "<DbUser>IAM:energy</DbUser><DbPassword>{1}{2}&amp;+/</DbPassword>"
                  "<Expiration>{3}</Expiration></{0}Result></{0}Response>",
                  action, kCanary, password, expires));
}

struct World {
  explicit World(TestWorld::Answer answer) : aws(std::move(answer)) {
    aws.variables["AWS_ACCESS_KEY_ID"] = "AKIA";
    aws.variables["AWS_SECRET_ACCESS_KEY"] = "canary-key";
    session = aws.session();
    identity = *Identity::make(session);
  }
  TestWorld aws;
  std::shared_ptr<Session> session;
  std::unique_ptr<Identity> identity;
};

RedshiftAccess cluster(std::string user) {
  return {{false, "main", ""}, "energy", std::move(user)};
}

}  // namespace

TEST_CASE("Redshift's hosts say what is asked for a login") {
  const auto cluster = redshift_place("main.abc123xyz.eu-north-1.redshift.amazonaws.com");
  REQUIRE(cluster);
  CHECK_FALSE(cluster->serverless);
  CHECK(cluster->name == "main");
  CHECK(cluster->region == "eu-north-1");
  const auto group = redshift_place("grp.012345678901.us-east-1.redshift-serverless.amazonaws.com");
  REQUIRE(group);
  CHECK(group->serverless);
  CHECK(group->name == "grp");
  CHECK(redshift_place("c.x.cn-north-1.redshift.amazonaws.com.cn")->region == "cn-north-1");
  for (const char* host : {"", "127.0.0.1", "main.redshift.amazonaws.com", "db.example.com",
                           "a.b.c.redshift.amazonaws.org", "a.b.c.s3.amazonaws.com",
                           ".b.c.redshift.amazonaws.com", "a.b.c.redshift.amazonaws.com.cn.x"}) {
    CAPTURE(host);
    CHECK_FALSE(redshift_place(host));
  }
}

TEST_CASE("a cluster's login: asked as AWS wants it, kept, and asked anew before it ends") {
  int asked = 0;
  World world([&](const std::string&) {
    ++asked;
    return cluster_answer("GetClusterCredentials", std::to_string(asked),
                          asked == 1 ? "2026-01-02T03:19:05Z" : "2026-01-02T09:00:00.5Z");
  });
  RedshiftLogins logins(*world.identity, cluster("energy"));
  const auto first = logins.obtain();
  REQUIRE(first);
  CHECK(first->user == "IAM:energy");
  CHECK(first->password.reveal() == "canary-1&+/");
  const std::string request = world.aws.seen()[0];
  CHECK(request.contains("\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"));
  CHECK(request.contains("/20260102/eu-north-1/redshift/aws4_request"));
  CHECK(
      request.ends_with("\r\n\r\nAction=GetClusterCredentials&Version=2012-12-01&"
                        "ClusterIdentifier=main&DbName=energy&DbUser=energy&AutoCreate=false"));
  CHECK(logins.obtain()->password == first->password);
  CHECK(asked == 1);
  world.aws.clock.millis += 599'000;  // good for 15 minutes, five of which are not waited for
  CHECK(logins.obtain()->password == first->password);
  world.aws.clock.millis += 2'000;
  const auto second = logins.obtain();
  CHECK(second->password.reveal() == "canary-2&+/");
  logins.refuse(*first);  // of an older connect
  CHECK(logins.obtain()->password == second->password);
  logins.refuse(*second);
  CHECK(logins.obtain()->password.reveal() == "canary-3&+/");
}

TEST_CASE("without a user, the one of our role") {
  World world([](const std::string&) {
    return cluster_answer("GetClusterCredentialsWithIAM", "1", "2026-01-02T09:00:00Z");
  });
  RedshiftLogins logins(*world.identity, cluster(""));
  CHECK(logins.obtain());
  CHECK(
      world.aws.seen()[0].ends_with("\r\n\r\nAction=GetClusterCredentialsWithIAM&"
                                    "Version=2012-12-01&ClusterIdentifier=main&DbName=energy"));
}

TEST_CASE("a workgroup's login") {
  World world([](const std::string&) {
    return http::ok(R"({"dbPassword":"canary-p","dbUser":"IAMR:role","expiration":1767326645.25,)"
                    R"("nextRefreshTime":1.7673266E9})");
  });
  RedshiftLogins logins(*world.identity, {{true, "gr\"p", "us-east-1"}, "energy"});
  const auto login = logins.obtain();
  REQUIRE(login);
  CHECK(login->user == "IAMR:role");
  CHECK(login->expires.value == 1'767'326'645'250);
  const std::string request = world.aws.seen()[0];
  CHECK(request.contains("\r\nX-Amz-Target: RedshiftServerless.GetCredentials\r\n"));
  CHECK(request.contains("\r\nContent-Type: application/x-amz-json-1.1\r\n"));
  CHECK(request.contains("/20260102/us-east-1/redshift-serverless/aws4_request"));
  CHECK(request.ends_with(R"({"workgroupName":"gr\"p","dbName":"energy"})"));
}

TEST_CASE("logins that are none, and refusals") {
  const auto failure = [](bool serverless, std::string answer) {
    World world([&](const std::string&) { return answer; });
    RedshiftLogins logins(*world.identity, {{serverless, "main", ""}, "energy", "u"});
    const auto login = logins.obtain();
    REQUIRE_FALSE(login);
    CHECK_FALSE(render(login.error()).contains(kCanary));
    return login.error().code;
  };
  CHECK(failure(false, http::ok("<html>canary-</html>")) == "W006"_code);
  CHECK(failure(false, cluster_answer("GetClusterCredentials", "1", "soon")) == "W006"_code);
  for (const char* text : {"canary-", "{}", R"({"dbUser":"u","dbPassword":"canary-p"})",
                           R"({"dbUser":"u","dbPassword":"canary-p","expiration":"2026"})",
                           R"({"dbUser":7,"dbPassword":"canary-p","expiration":1e9})",
                           R"({"dbUser":"u","dbPassword":"canary-p","expiration":1e300})",
                           R"({"dbUser":"u\u0000","dbPassword":"canary-p","expiration":1e9})"}) {
    CAPTURE(text);
    CHECK(failure(true, http::ok(text)) == "W006"_code);
  }
  const auto refusal = [](unsigned status, std::string_view body) {
    return fmt::format("HTTP/1.1 {} x\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
  };
  CHECK(failure(false, refusal(400,
                               "<ErrorResponse><Error><Code>ClusterNotFound</Code></Error>"
                               "</ErrorResponse>")) == "W004"_code);
  CHECK(failure(false, refusal(403,
                               "<ErrorResponse><Error><Code>AccessDenied</Code></Error>"
                               "</ErrorResponse>")) == "W003"_code);
  CHECK(failure(true, refusal(400, R"({"__type":"AccessDeniedException"})")) == "W003"_code);
}

}  // namespace penstock::aws
