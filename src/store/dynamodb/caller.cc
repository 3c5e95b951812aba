#include "store/dynamodb/caller.h"

#include "aws/answer.h"
#include "store/dynamodb/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace penstock::store::dynamodb {
namespace {

// Those of botocore (retry.h).
constexpr std::array<std::string_view, 14> kThrottles = {"Throttling",
                                                         "ThrottlingException",
                                                         "ThrottledException",
                                                         "RequestThrottledException",
                                                         "TooManyRequestsException",
                                                         "ProvisionedThroughputExceededException",
                                                         "TransactionInProgressException",
                                                         "RequestLimitExceeded",
                                                         "BandwidthLimitExceeded",
                                                         "LimitExceededException",
                                                         "RequestThrottled",
                                                         "SlowDown",
                                                         "PriorRequestNotComplete",
                                                         "EC2ThrottledException"};
constexpr std::array<std::string_view, 7> kPassing = {"InternalServerError",
                                                      "InternalFailure",
                                                      "ServiceUnavailable",
                                                      "RequestTimeout",
                                                      "RequestTimeoutException",
                                                      "ResourceInUseException",
                                                      "ReplicatedWriteConflictException"};
constexpr std::array<std::string_view, 3> kData = {
    "ValidationException", "ItemCollectionSizeLimitExceededException", "SerializationException"};

template <size_t N>
bool is_in(const std::array<std::string_view, N>& all, std::string_view code) {
  return std::find(all.begin(), all.end(), code) != all.end();
}

Trouble trouble_of(unsigned status, std::string_view code) {
  if (code == "ConditionalCheckFailedException") return Trouble::condition;
  if (is_in(kThrottles, code) || status == 429) return Trouble::throttled;
  if (is_in(kPassing, code) || status >= 500) return Trouble::passing;
  if (is_in(kData, code) || status == 413) return Trouble::data;
  // The keeper of credentials asks for new ones; with the old ones nothing was done.
  if (code.starts_with("ExpiredToken")) return Trouble::unreached;
  return Trouble::settings;
}

int64_t wished_pause(const http::Response& answer) {
  const std::string_view text = answer.header("x-amz-retry-after");
  int64_t millis = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), millis);
  return error == std::errc() && end == text.data() + text.size() && millis >= 0 ? millis : -1;
}

}  // namespace

Caller::Caller(std::shared_ptr<const Access> access)
    : access_(std::move(access)), signer_({.region = access_->region, .service = "dynamodb"}) {}

http::Request Caller::request(std::string_view operation, std::string body) {
  http::Request request{.method = "POST", .url = access_->url, .body = std::move(body)};
  request.headers.push_back({"Content-Type", "application/x-amz-json-1.0"});
  request.headers.push_back({"X-Amz-Target", fmt::format("DynamoDB_20120810.{}", operation)});
  request.timeout_millis = kAnswerMillis;
  request.max_answer_bytes = 32 * 1024 * 1024;
  if (const aws::SharedCredentials credentials = access_->identity->current())
    signer_.sign(request, *credentials, access_->session->now());
  return request;
}

void Caller::begin(std::string_view operation, std::string body, http::Done done) {
  access_->client->begin(request(operation, std::move(body)), std::move(done));
}

Reply Caller::perform(std::string_view operation, std::string body) {
  return read(access_->client->perform(request(operation, std::move(body))));
}

Reply Caller::read(http::Outcome outcome) const {
  Reply reply;
  Usage& usage = *access_->usage;
  usage.requests.fetch_add(1, std::memory_order_relaxed);
  if (!outcome) {
    const http::Failure& failure = outcome.error();
    reply.trouble = failure.sent ? Trouble::passing : Trouble::unreached;
    reply.message = failure.message;
    if (failure.kind == http::FailureKind::address) reply.trouble = Trouble::settings;
    return reply;
  }
  if (outcome->status == 200) {
    reply.body = std::move(outcome->body);
    usage.millis_of_units.fetch_add(static_cast<uint64_t>(capacity_of(reply.body) * 1000 + 0.5),
                                    std::memory_order_relaxed);
    return reply;
  }
  access_->session->note(*outcome);
  aws::Refusal refusal = aws::refusal_of(*outcome);
  reply.trouble = trouble_of(outcome->status, refusal.code);
  reply.after_millis = wished_pause(*outcome);
  if (reply.trouble == Trouble::throttled) usage.throttled.fetch_add(1, std::memory_order_relaxed);
  if (aws::is_about_credentials(refusal.code)) access_->identity->doubt();
  reply.code =
      refusal.code.empty() ? fmt::format("HTTP {}", outcome->status) : std::move(refusal.code);
  reply.message = std::move(refusal.message);
  return reply;
}

Error to_error(const Reply& reply, std::string_view where) {
  const std::string said =
      reply.code.empty() ? reply.message : fmt::format("{}: {}", reply.code, reply.message);
  const std::string message = fmt::format("{}: {}", where, said);
  if (reply.code == "ResourceNotFoundException") return fail("S031"_code, message).take();
  if (reply.trouble == Trouble::settings || reply.trouble == Trouble::data)
    return fail("S030"_code, message).take();
  return fail("S032"_code, message).take();
}

}  // namespace penstock::store::dynamodb
