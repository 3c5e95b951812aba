#include "store/dynamodb/caller.h"

#include "aws/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace penstock::store::dynamodb {
namespace {

constexpr std::array<std::string_view, 6> kThrottles = {"ProvisionedThroughputExceededException",
                                                        "ThrottlingException",
                                                        "RequestLimitExceeded",
                                                        "LimitExceededException",
                                                        "ThrottledException",
                                                        "RequestThrottledException"};
constexpr std::array<std::string_view, 6> kPassing = {
    "InternalServerError",    "InternalFailure",
    "ServiceUnavailable",     "TransactionInProgressException",
    "ResourceInUseException", "ReplicatedWriteConflictException"};
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
  return Trouble::settings;
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
  if (!outcome) {
    const http::Failure& failure = outcome.error();
    reply.trouble = failure.sent ? Trouble::passing : Trouble::unreached;
    reply.timeout = failure.kind == http::FailureKind::timeout;
    reply.message = failure.message;
    if (failure.kind == http::FailureKind::address) reply.trouble = Trouble::settings;
    return reply;
  }
  if (outcome->status == 200) {
    reply.body = std::move(outcome->body);
    return reply;
  }
  access_->session->note(*outcome);
  aws::Refusal refusal = aws::refusal_of(*outcome);
  reply.trouble = trouble_of(outcome->status, refusal.code);
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
