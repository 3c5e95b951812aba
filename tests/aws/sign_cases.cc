// Signs what it is told: a JSON object per line on stdin, an answer per line on stdout. For
// signatures.py, which compares with botocore.
#include "aws/msk.h"
#include "aws/signer.h"

#include <nlohmann/json.hpp>

#include <iostream>
#include <string>

using namespace penstock;  // NOLINT: a program of one page
using nlohmann::json;

namespace {

http::Request request_of(const json& told) {
  http::Request request;
  request.method = told["method"].get<std::string>();
  auto url = http::parse_url(told["base"].get<std::string>());
  if (!url) std::abort();
  request.url = *url;
  request.url.path = told["path"].get<std::string>();
  request.url.query = told["query"].get<std::string>();
  request.body = told["body"].get<std::string>();
  for (const json& header : told["headers"]) {
    request.headers.push_back({header[0].get<std::string>(), header[1].get<std::string>()});
  }
  return request;
}

std::string answer(const json& told) {
  const aws::Credentials credentials{.access_key_id = told["id"].get<std::string>(),
                                     .secret_access_key = Secret(told["key"].get<std::string>()),
                                     .session_token = Secret(told["token"].get<std::string>())};
  const Millis now{told["millis"].get<int64_t>()};
  const std::string form = told["form"].get<std::string>();
  const std::string region = told["region"].get<std::string>();
  if (form == "msk") {
    return aws::msk_token(region, credentials, now, told["agent"].get<std::string>());
  }
  http::Request request = request_of(told);
  aws::Signer signer({region, told["service"].get<std::string>()});
  if (form == "query") {
    const http::Url url = signer.presign(request, credentials, now, 900);
    return url.query.substr(url.query.rfind("X-Amz-Signature=") + 16);
  }
  signer.sign(request, credentials, now);
  return std::string(http::find_header(request.headers, "authorization"));
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << answer(json::parse(line)) << '\n';
  }
  return 0;
}
