#include "aws/source.h"

#include "aws/answer.h"
#include "aws/aws_fixture.h"

namespace penstock::aws {
namespace {

const std::string kConfig = "/x/.aws/config";
const std::string kKeys = "/x/.aws/credentials";

std::string chosen(TestWorld& world) {
  const auto session = world.session();
  const auto source = choose_source(*session);
  if (!source) return one_line(source.error());
  return (*source)->name();
}

Result<Credentials> load(TestWorld& world) {
  const auto session = world.session();
  PENSTOCK_TRY(source, choose_source(*session));
  return source->load();
}

// The error of a load that has to fail; it shows no secret.
Error failure(TestWorld& world) {
  const auto loaded = load(world);
  REQUIRE(!loaded);
  const std::string text = render(loaded.error());
  CAPTURE(text);
  CHECK(!text.contains(kCanary));
  return loaded.error();
}

}  // namespace

TEST_CASE("the chain's order: each place is taken away in turn") {
  TestWorld world;
  auto& set = world.variables;
  set["AWS_ACCESS_KEY_ID"] = "AKIDVARIABLE";
  set["AWS_SECRET_ACCESS_KEY"] = "canary-x";
  set["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  set["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/web";
  set["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2";
  world.files[kKeys] = "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key=canary-y\n";
  world.files[kConfig] = "[default]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=default\n";
  CHECK(chosen(world) == "AWS_ACCESS_KEY_ID");
  set.erase("AWS_ACCESS_KEY_ID");
  CHECK(chosen(world) == "the role arn:aws:iam::1:role/r, by the profile \"default\"");
  world.files.erase(kConfig);
  CHECK(chosen(world) == "the role arn:aws:iam::1:role/web, by the token in /token");
  set.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
  CHECK(chosen(world) == "the profile \"default\"");
  world.files.erase(kKeys);
  CHECK(chosen(world) == "the container's credentials at 169.254.170.2");
  set.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  CHECK(chosen(world) == "the role of this machine (IMDSv2)");
}

TEST_CASE("a web identity: the file is read for every call, one session name") {
  TestWorld world([](const std::string&) { return sts_answer("ASIA1", "2026-01-02T04:04:05Z"); });
  world.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  world.variables["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/web";
  world.write("/token", "one+1\n");
  const auto session = world.session();
  const auto source = choose_source(*session);
  REQUIRE(source);
  const auto first = (*source)->load();
  REQUIRE(first);
  CHECK(first->access_key_id == "ASIA1");
  CHECK(first->secret_access_key.reveal() == "canary-key&1");
  CHECK(first->expires == Millis{1'767'326'645'000});
  world.write("/token", "two");
  REQUIRE((*source)->load());
  const auto requests = world.seen();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].ends_with("&WebIdentityToken=one%2B1"));
  CHECK(requests[1].ends_with("&WebIdentityToken=two"));
  const auto name = [](const std::string& text) {
    const size_t at = text.find("RoleSessionName=");
    return text.substr(at, text.find('&', at) - at);
  };
  CHECK(name(requests[0]).starts_with("RoleSessionName=penstock-"));
  CHECK(name(requests[0]) == name(requests[1]));
  CHECK(!requests[0].contains("Authorization"));
}

TEST_CASE("a profile's role: its source's keys sign, chains are followed, rings are refused") {
  TestWorld world([](const std::string&) { return sts_answer("ASIA2", "2026-01-02T04:04:05Z"); });
  world.variables["AWS_PROFILE"] = "top";
  world.files[kConfig] =
      "[profile top]\nrole_arn = arn:aws:iam::1:role/top\nsource_profile = middle\n"
      "external_id = e/1\n[profile middle]\nrole_arn = arn:aws:iam::1:role/middle\n"
      "source_profile = base\n";
  world.files[kKeys] = "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = canary-z\n";
  const auto loaded = load(world);
  REQUIRE(loaded);
  const auto requests = world.seen();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].contains("Credential=AKIDBASE/20260102/eu-north-1/sts/aws4_request"));
  CHECK(requests[0].contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fmiddle"));
  CHECK(requests[1].contains("Credential=ASIA2/"));
  CHECK(requests[1].contains("X-Amz-Security-Token: canary-token"));
  CHECK(requests[1].contains("ExternalId=e%2F1"));
  world.files[kConfig] =
      "[profile top]\nrole_arn=r\nsource_profile=b\n"
      "[profile b]\nrole_arn=r\nsource_profile=top\n";
  CHECK(failure(world).message.contains("leads back to itself"));
}

TEST_CASE("what a profile may not say") {
  TestWorld world;
  const auto message = [&](const char* keys) {
    world.files[kKeys] = std::string("[default]\n") + keys;
    return failure(world).message;
  };
  CHECK(message("aws_access_key_id=canary-1\n").contains("no aws_secret_access_key"));
  CHECK(message("credential_process=/bin/canary-2\n").contains("credential_process"));
  CHECK(message("role_arn=r\n").contains("needs source_profile or credential_source"));
  CHECK(message("role_arn=r\nsource_profile=gone\n").contains("which does not exist"));
  CHECK(message("role_arn=r\nmfa_serial=1\nsource_profile=default\n").contains("mfa_serial"));
  world.files.clear();
  world.variables["AWS_ACCESS_KEY_ID"] = "canary-id";
  CHECK(failure(world).message.contains("AWS_SECRET_ACCESS_KEY is not"));
}

TEST_CASE("the container's agent: the token's file each time; http to its own addresses only") {
  TestWorld world([](const std::string&) { return agent_answer("ASIA3"); });
  auto& set = world.variables;
  set["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = http::text_of(world.server.url("/v1/credentials"));
  set["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/token";
  world.write("/token", "canary-a");
  REQUIRE(load(world));
  CHECK(world.seen()[0].contains("\r\nAuthorization: canary-a\r\n"));
  world.write("/token", "canary-b\r\nX: y");
  CHECK(failure(world).message.contains("line break"));
  for (const char* host : {"http://169.254.170.3/", "http://10.0.0.1/", "http://example.com/",
                           "http://127.0.0.1.example.com/", "http://169.254.170.23.evil/"}) {
    CAPTURE(host);
    set["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = host;
    CHECK(failure(world).message.contains("without TLS"));
  }
  for (const char* host : {"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "127.9.9.9"}) {
    CHECK(is_container_host(host));
  }
}

TEST_CASE("the machine's role: version 2 only") {
  TestWorld world([](const std::string& request) {
    if (request.starts_with("PUT /latest/api/token ")) return http::ok("canary-imds");
    if (!request.contains("X-aws-ec2-metadata-token: canary-imds")) {
      return std::string("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    }
    if (request.contains("/security-credentials/ ")) return http::ok("meter role");
    if (request.contains("/security-credentials/meter%20role ")) return agent_answer("ASIA4");
    return std::string("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  });
  const auto loaded = load(world);
  REQUIRE(loaded);
  CHECK(loaded->access_key_id == "ASIA4");
  CHECK(world.seen()[0].contains("X-aws-ec2-metadata-token-ttl-seconds: 21600"));
  world.variables["AWS_EC2_METADATA_DISABLED"] = "true";
  CHECK(failure(world).code == "W001"_code);
}

TEST_CASE("answers that are none, and refusals") {
  std::string say;
  TestWorld world([&](const std::string&) { return say; });
  world.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = http::text_of(world.server.url());
  const auto code = [&](std::string answer) {
    say = std::move(answer);
    return failure(world).code;
  };
  CHECK(code(http::ok("<html>canary-</html>")) == "W006"_code);
  CHECK(code(http::ok(R"({"AccessKeyId":"canary-","SecretAccessKey":"canary-k"})")) == "W006"_code);
  CHECK(code(http::ok(R"({"AccessKeyId":1,"SecretAccessKey":[],"Token":{},"Expiration":0})")) ==
        "W006"_code);
  CHECK(code(http::ok(std::string(5000, '['))) == "W006"_code);
  CHECK(code(http::ok(R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"x"})")) == "W003"_code);
  CHECK(code("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") == "W003"_code);
  CHECK(code("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") == "W004"_code);
}

TEST_CASE("a refusal's code and message, without what was signed") {
  http::Response response{.status = 403};
  response.body =
      "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>wrong\n\nThe "
      "Canonical String\nx-amz-security-token:canary-</Message></Error></ErrorResponse>";
  CHECK(refusal_of(response).code == "SignatureDoesNotMatch");
  CHECK(refusal_of(response).message == "wrong");
  response.body = R"({"__type":"com.amazonaws.dynamodb#ExpiredTokenException","message":"m"})";
  CHECK(refusal_of(response).code == "ExpiredTokenException");
  CHECK(is_about_credentials(refusal_of(response).code));
  response.body = "";
  response.headers = {{"X-Amzn-ErrorType", "ThrottlingException:http://x"}};
  CHECK(refusal_of(response).code == "ThrottlingException");
}

}  // namespace penstock::aws
