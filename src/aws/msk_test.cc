#include "aws/msk.h"

#include "aws/aws_fixture.h"

namespace penstock::aws {
namespace {

const MskCluster kCluster{"arn:aws:kafka:eu-north-1:1:cluster/meters/abc-1", "eu-north-1"};

Credentials keys() {
  return {.access_key_id = "AKIDEXAMPLE000000000",
          .secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")};
}

}  // namespace

TEST_CASE("a cluster's ARN, and what is none") {
  const auto cluster = parse_msk_arn(kCluster.arn);
  REQUIRE(cluster);
  CHECK(cluster->region == "eu-north-1");
  for (const char* bad : {"", "b1:9092", "arn:aws:kafka:eu-north-1:1:topic/x/y/z",
                          "arn:aws:s3:eu-north-1:1:cluster/x", "arn:aws:kafka::1:cluster/x",
                          "arn:aws:kafka:eu-north-1:1:cluster/x y"}) {
    CAPTURE(bad);
    const auto none = parse_msk_arn(bad);
    REQUIRE(!none);
    CHECK(none.error().code == "W007"_code);
  }
}

TEST_CASE("brokers: the login's own, the nearest network first") {
  const auto brokers = [](std::string_view json, MskLogin login) {
    const auto found = msk_brokers_of(json, kCluster, login);
    return found ? *found : std::string(catalogue_entry(found.error().code).name);
  };
  constexpr std::string_view kBoth =
      R"({"bootstrapBrokerStringTls":"t:9094","bootstrapBrokerStringSaslIam":"i-1:9098,i-2:9098",)"
      R"("bootstrapBrokerStringPublicSaslScram":"p:9196","bootstrapBrokerString":null})";
  CHECK(brokers(kBoth, MskLogin::iam) == "i-1:9098,i-2:9098");
  CHECK(brokers(kBoth, MskLogin::tls) == "t:9094");
  CHECK(brokers(kBoth, MskLogin::scram) == "p:9196");
  CHECK(brokers(kBoth, MskLogin::none) == "W008");
  CHECK(brokers("[]", MskLogin::iam) == "W006");
  CHECK(brokers(R"({"bootstrapBrokerStringSaslIam":"a:1\nx=y"})", MskLogin::iam) == "W006");
  CHECK(brokers(R"({"bootstrapBrokerStringSaslIam":7})", MskLogin::iam) == "W006");
}

TEST_CASE("the request for brokers: the ARN encoded in the path, signed for kafka") {
  TestWorld world(
      [](const std::string&) { return http::ok(R"({"bootstrapBrokerStringSaslIam":"b:9098"})"); });
  const auto brokers = msk_brokers(*world.session(), keys(), kCluster, MskLogin::iam);
  REQUIRE(brokers);
  CHECK(*brokers == "b:9098");
  const std::string request = world.seen()[0];
  CHECK(
      request.starts_with("GET /v1/clusters/arn%3Aaws%3Akafka%3Aeu-north-1%3A1%3Acluster%2Fmeters"
                          "%2Fabc-1/bootstrap-brokers HTTP/1.1\r\n"));
  CHECK(
      request.contains("/20260102/eu-north-1/kafka/aws4_request, SignedHeaders=host;x-amz-date,"));
}

TEST_CASE("the token is that of AWS's own signer at a frozen time") {
  // aws-msk-iam-sasl-signer-python 1.0.2, 2026-01-02T03:04:05Z, but for the user agent.
  CHECK(msk_token("eu-west-1", keys(), Millis{1'767'323'045'000}, "penstock") ==
        "aHR0cHM6Ly9rYWZrYS5ldS13ZXN0LTEuYW1hem9uYXdzLmNvbS8_QWN0aW9uPWthZmthLWNsdXN0ZXIlM0FDb25u"
        "ZWN0JlgtQW16LUFsZ29yaXRobT1BV1M0LUhNQUMtU0hBMjU2JlgtQW16LUNyZWRlbnRpYWw9QUtJREVYQU1QTEUw"
        "MDAwMDAwMDAlMkYyMDI2MDEwMiUyRmV1LXdlc3QtMSUyRmthZmthLWNsdXN0ZXIlMkZhd3M0X3JlcXVlc3QmWC1B"
        "bXotRGF0ZT0yMDI2MDEwMlQwMzA0MDVaJlgtQW16LUV4cGlyZXM9OTAwJlgtQW16LVNpZ25lZEhlYWRlcnM9aG9z"
        "dCZYLUFtei1TaWduYXR1cmU9M2Y4MzY2NjI0MmM0ODJkNjRiZTVkYTYxNTkwMzVlOWJjMDY4NjQ4ODRlNjIwMDI5"
        "OWZmYTgzNDc0MjZhZDYyYyZVc2VyLUFnZW50PXBlbnN0b2Nr");
}

}  // namespace penstock::aws
