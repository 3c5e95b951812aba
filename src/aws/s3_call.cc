#include "aws/s3_call.h"

#include "aws/answer.h"
#include "aws/xml.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace penstock::aws {
namespace {

constexpr int64_t kAnswerMillis = 10'000;
constexpr int64_t kBytesPerMilli = 256;  // slower than 256 kB/s is too slow

constexpr std::array<std::string_view, 7> kThrottles = {
    "SlowDown",         "Throttling",           "ThrottlingException",
    "RequestThrottled", "RequestLimitExceeded", "BandwidthLimitExceeded",
    "TooManyRequests"};
// MalformedXML: what we send is well formed, so it was damaged on its way.
constexpr std::array<std::string_view, 11> kPassing = {"InternalError",
                                                       "MalformedXML",
                                                       "ServiceUnavailable",
                                                       "RequestTimeout",
                                                       "RequestTimeTooSkewed",
                                                       "OperationAborted",
                                                       "IncompleteBody",
                                                       "BadDigest",
                                                       "XAmzContentChecksumMismatch",
                                                       "XAmzContentSHA256Mismatch",
                                                       "ExpiredToken"};
constexpr std::array<std::string_view, 3> kMissing = {"NoSuchKey", "NoSuchUpload",
                                                      "NoSuchLifecycleConfiguration"};

template <size_t N>
bool is_in(const std::array<std::string_view, N>& all, std::string_view code) {
  return std::ranges::find(all, code) != all.end();
}

S3Trouble trouble_of(unsigned status, std::string_view code) {
  if (is_in(kMissing, code)) return S3Trouble::missing;
  if (is_in(kThrottles, code) || status == 429 || status == 503) return S3Trouble::throttled;
  if (is_in(kPassing, code) || status >= 500) return S3Trouble::passing;
  return S3Trouble::settings;
}

// S3 names the right region in a header, or in the refusal of a signature for another one.
std::string region_of(const http::Response& response) {
  std::string region(response.header("x-amz-bucket-region"));
  if (const auto root = parse_xml(response.body); region.empty() && root) {
    region = root->text_of("Region");
  }
  const bool plain =
      region.size() <= 40 && std::ranges::all_of(region, [](char each) {
        return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') || each == '-';
      });
  return plain ? region : std::string();
}

}  // namespace

S3Caller::S3Caller(Identity& identity, S3Address address, RetryOptions options)
    : identity_(identity),
      address_(std::move(address)),
      repeater_(identity.session().client(), options),
      signer_({.region = address_.region(), .service = "s3"}) {}

http::Request S3Caller::make(const S3Request& asked) {
  http::Request request{.method = std::string(asked.method),
                        .url = address_.url(asked.key, asked.query),
                        .headers = asked.headers,
                        .body = std::string(asked.body)};
  const bool object = asked.method == "GET" && !asked.key.empty();
  const size_t bytes = asked.body.size() + (object ? asked.max_answer_bytes : 0);
  request.repeatable = asked.repeatable;
  request.timeout_millis = kAnswerMillis + static_cast<int64_t>(bytes) / kBytesPerMilli;
  request.max_answer_bytes = asked.max_answer_bytes;
  if (const SharedCredentials credentials = identity_.current())
    signer_.sign(request, *credentials, identity_.session().now());
  return request;
}

S3Reply S3Caller::perform(const S3Request& asked) {
  S3Reply reply;
  const auto judge = [&](http::Outcome outcome, bool repeated) {
    reply = read(asked, std::move(outcome));
    reply.repeated = repeated;
    if (reply.trouble == S3Trouble::throttled) return Verdict::again_later;
    return reply.trouble == S3Trouble::passing ? Verdict::again : Verdict::settled;
  };
  if (repeater_.perform([&] { return make(asked); }, judge)) return reply;
  return {.trouble = S3Trouble::stopped, .message = "stopped"};
}

S3Reply S3Caller::read(const S3Request& asked, http::Outcome outcome) {
  S3Reply reply;
  if (!outcome) {
    const http::FailureKind kind = outcome.error().kind;
    const bool no_answer = kind == http::FailureKind::address ||
                           kind == http::FailureKind::too_large ||
                           kind == http::FailureKind::malformed;
    reply.trouble = no_answer ? S3Trouble::answer : S3Trouble::passing;
    reply.message = std::move(outcome.error().message);
    return reply;
  }
  reply.response = *std::move(outcome);
  const unsigned status = reply.response.status;
  identity_.session().note(reply.response);
  const bool good = status / 100 == 2;
  if (good && !asked.in_body) return reply;
  if (good) {
    const auto root = parse_xml(reply.response.body);
    if (root && root->name != "Error") return reply;
    if (!root) {
      reply.trouble = S3Trouble::answer;
      reply.message = "its body is no XML";
      return reply;
    }
  }
  Refusal refusal = refusal_of(reply.response);
  if (is_about_credentials(refusal.code)) identity_.doubt();
  reply.region = region_of(reply.response);
  if (reply.region == address_.region()) reply.region.clear();
  // The answer to HEAD has no body that could name the reason.
  const bool bare_missing = status == 404 && asked.method == "HEAD";
  // What came inside 200 says nothing by its status: what is not known may pass.
  reply.trouble = bare_missing ? S3Trouble::missing : trouble_of(good ? 500 : status, refusal.code);
  reply.code = refusal.code.empty() ? fmt::format("HTTP {}", status) : std::move(refusal.code);
  reply.message = std::move(refusal.message);
  return reply;
}

namespace {

Error elsewhere(const S3Reply& reply, std::string message) {
  if (reply.region.empty()) return fail("S041"_code, std::move(message)).take();
  return fail("S041"_code, fmt::format("{}; the bucket is in {}", message, reply.region))
      .cure(fmt::format("write region: {}", reply.region))
      .take();
}

}  // namespace

Failure unreadable(const S3Address& address, std::string_view what) {
  return fail("S043"_code, fmt::format("{}: {} is not as S3 writes it", address.where(), what));
}

Error to_error(const S3Reply& reply, const S3Request& request, const S3Address& address) {
  std::string said = reply.code;
  if (!reply.message.empty()) said += (said.empty() ? "" : ": ") + reply.message;
  std::string message = fmt::format("{}: {}{}{}: {}", address.where(), request.action,
                                    request.key.empty() ? "" : " ", request.key, said);
  const bool redirected = reply.response.status / 100 == 3;
  // The same each time: what answers wants another XML than S3.
  if (reply.code == "MalformedXML") return fail("S043"_code, std::move(message)).take();
  switch (reply.trouble) {
    case S3Trouble::none:
    case S3Trouble::passing:
    case S3Trouble::throttled:
    case S3Trouble::stopped:
      return fail("S042"_code, std::move(message)).take();
    case S3Trouble::answer:
      return fail("S043"_code, std::move(message)).take();
    case S3Trouble::missing:
    case S3Trouble::settings:
      break;
  }
  if (redirected || !reply.region.empty() || reply.code == "NoSuchBucket" ||
      reply.code == "AuthorizationHeaderMalformed" ||
      reply.code == "IllegalLocationConstraintException") {
    return elsewhere(reply, std::move(message));
  }
  Failure failure = fail("S040"_code, std::move(message));
  if (reply.code == "AccessDenied" || reply.code == "HTTP 403") {
    return std::move(failure)
        .cure(fmt::format("allow {} on arn:aws:s3:::{}{} in the role's policy, and see that the "
                          "bucket's own policy does not deny it",
                          request.action, address.bucket(), request.key.empty() ? "" : "/*"))
        .take();
  }
  return std::move(failure).take();
}

}  // namespace penstock::aws
