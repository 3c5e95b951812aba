// Any bytes as an answer of STS, IMDS, a container's agent or MSK; and as a time.
#include "aws/answer.h"
#include "aws/instant.h"
#include "aws/msk.h"

#include <cstdlib>

using namespace penstock::aws;  // NOLINT: a program of one page

namespace {

void check(const penstock::Result<Credentials>& credentials) {
  if (!credentials) return;
  // They go into headers.
  for (const char each : credentials->access_key_id) {
    if (each <= ' ') std::abort();
  }
  for (const char each : credentials->session_token.reveal()) {
    if (each <= ' ') std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(credentials_of_json(text, "the agent"));
  check(credentials_of_xml(text, "STS"));
  const auto brokers = msk_brokers_of(text, {"arn", "eu-north-1"}, MskLogin::iam);
  if (brokers && brokers->find_first_of("\r\n= ") != std::string::npos) std::abort();
  penstock::http::Response response{.status = 403, .body = std::string(text)};
  if (refusal_of(response).message.size() > 300) std::abort();
  (void)render(refused(response, "trying"));
  response.body.clear();
  response.headers.push_back({"x-amzn-errortype", std::string(text)});
  (void)refusal_of(response);
  (void)parse_iso_time(text);
  (void)parse_http_date(text);
  (void)parse_msk_arn(text);
  return 0;
}
