// Any bytes as an answer of STS, IMDS, a container's agent or MSK; and as a time.
#include "aws/answer.h"
#include "aws/instant.h"
#include "aws/json_value.h"
#include "aws/msk.h"

#include <cstdlib>

using namespace penstock::aws;  // NOLINT: a program of one page
using penstock::render;

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

// A member is what the whole value says it is.
void check_members(std::string_view text) {
  const auto value = parse_json(text);
  for (const std::string_view name : {"a", "Code"}) {
    const auto number = number_member(text, name, "it");
    const JsonValue* member = value ? value->member(name) : nullptr;
    if (number && *number && (member == nullptr || member->number != **number)) std::abort();
    if (member == nullptr) continue;
    if (value->text_of(name) != member->text || value->whole_of(name) != member->whole)
      std::abort();
    if (value->truth_of(name) != member->truth) std::abort();
  }
}

void check_brokers(std::string_view text) {
  for (const MskLogin login : {MskLogin::none, MskLogin::tls, MskLogin::scram, MskLogin::iam}) {
    const auto brokers = msk_brokers_of(text, {"arn", "eu-north-1"}, login);
    if (brokers && brokers->find_first_of("\r\n= ") != std::string::npos) std::abort();
    if (!brokers && render(brokers.error()).empty()) std::abort();
  }
  const auto cluster = parse_msk_arn(text);
  if (cluster && (cluster->arn != text || !text.contains(cluster->region))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(credentials_of_json(text, "the agent"));
  check(credentials_of_xml(text, "STS"));
  check_members(text);
  check_brokers(text);
  penstock::http::Response response{.status = 403, .body = std::string(text)};
  const Refusal refusal = refusal_of(response);
  if (refusal.message.size() > 300) std::abort();
  if (is_about_credentials(refusal.code) && refused(response, "it").message.empty()) std::abort();
  (void)render(refused(response, "trying"));
  response.body.clear();
  response.headers.push_back({"x-amzn-errortype", std::string(text)});
  (void)refusal_of(response);
  (void)parse_iso_time(text);
  (void)parse_http_date(text);
  return 0;
}
