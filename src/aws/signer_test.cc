#include "aws/signer.h"

#include <doctest/doctest.h>

namespace penstock::aws {
namespace {

using http::Request;

// 2015-08-30T12:36:00Z and the keys of AWS's published test suite for Signature Version 4.
constexpr Millis kNow{1'440'938'160'000};
Credentials keys() {
  return {.access_key_id = "AKIDEXAMPLE",
          .secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")};
}

std::string signature_of(Request request, const Scope& scope = {"us-east-1", "service"}) {
  Signer signer(scope);
  signer.sign(request, keys(), kNow);
  const std::string_view text = http::find_header(request.headers, "authorization");
  return std::string(text.substr(text.find("Signature=") + 10));
}

Request get(std::string path, std::string query = {}) {
  return {
      .url = {.host = "example.amazonaws.com", .path = std::move(path), .query = std::move(query)}};
}

}  // namespace

TEST_CASE("AWS's published vectors: get-vanilla and its query in wrong order") {
  CHECK(amz_time(kNow) == "20150830T123600Z");
  CHECK(signature_of(get("/")) ==
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  CHECK(signature_of(get("/", "Param2=value2&Param1=value1")) ==
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TEST_CASE("a second signature takes the place of the first, and the body counts") {
  Signer signer({"us-east-1", "dynamodb"});
  Request request = get("/");
  request.method = "POST";
  request.body = "{}";
  Credentials credentials = keys();
  credentials.session_token = Secret("token");
  signer.sign(request, credentials, kNow);
  const auto once = request.headers.size();
  const std::string first(http::find_header(request.headers, "authorization"));
  signer.sign(request, credentials, kNow);
  CHECK(request.headers.size() == once);
  CHECK(http::find_header(request.headers, "authorization") == first);
  CHECK(first.contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"));
  request.body = "{ }";
  signer.sign(request, credentials, kNow);
  CHECK(http::find_header(request.headers, "authorization") != first);
}

TEST_CASE("new keys and a new day are noticed") {
  Signer signer({"us-east-1", "service"});
  Request request = get("/");
  signer.sign(request, keys(), kNow + 86'400'000);
  Credentials other = keys();
  other.secret_access_key = Secret("other");
  signer.sign(request, other, kNow);
  signer.sign(request, keys(), kNow);
  CHECK(std::string(http::find_header(request.headers, "authorization"))
            .ends_with("Signature=" + signature_of(get("/"))));
}

TEST_CASE("a secret prints as stars") {
  const Credentials credentials = keys();
  CHECK(fmt::format("{} {}", credentials.secret_access_key, credentials.session_token) ==
        "*** (none)");
}

}  // namespace penstock::aws
