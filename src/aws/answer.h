// answer.h — what AWS's services answer: credentials, brokers, refusals.
//
// Anything may come: a proxy's page, half a document, the answer of another service. What is
// missing is an error; nothing of an answer that may hold a secret gets into a message.
//
// Thread      free functions.
// Limits      JSON of at most 64 levels; a refusal's message is cut at 300 bytes.
// Errors      W003 (refused), W004 (failed), W006 (cannot be read).
//
//     PENSTOCK_TRY(credentials, credentials_of_json(response.body, "the container's agent"));
#pragma once

#include "aws/credentials.h"
#include "base/error.h"
#include "http/message.h"

#include <optional>
#include <string>
#include <string_view>

namespace penstock::aws {

// {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}, of IMDS and containers.
Result<Credentials> credentials_of_json(std::string_view text, std::string_view from);
// <AccessKeyId>, <SecretAccessKey>, <SessionToken>, <Expiration>, of STS.
Result<Credentials> credentials_of_xml(std::string_view text, std::string_view from);
// A member of a flat JSON object that is a text; nothing when it is not there.
Result<std::optional<std::string>> text_member(std::string_view json, std::string_view name,
                                               std::string_view from);
// The same of one that is a number.
Result<std::optional<double>> number_member(std::string_view json, std::string_view name,
                                            std::string_view from);

// The code and the message of a refusal, in XML or JSON; "" where there are none.
struct Refusal {
  std::string code;
  std::string message;
};
Refusal refusal_of(const http::Response& response);
// `what` was being done: "sts AssumeRole of arn:…".
Error refused(const http::Response& response, std::string_view what);
// The keys, the token or the clock are to blame: others may work.
bool is_about_credentials(std::string_view code);

}  // namespace penstock::aws
