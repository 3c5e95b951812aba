#include "aws/answer.h"

#include "aws/instant.h"
#include "aws/json_value.h"
#include "aws/xml.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

namespace penstock::aws {
namespace {

constexpr size_t kMaxMessageBytes = 300;

Failure unreadable(std::string_view from, std::string_view why) {
  return fail("W006"_code, fmt::format("the answer of {} cannot be read: {}", from, why));
}

Result<Credentials> make(std::string id, std::string key, std::string token, std::string_view until,
                         std::string_view from) {
  const auto expires = parse_iso_time(until);
  const bool usable = std::ranges::all_of(id + token, [](char each) { return each > ' '; });
  if (id.empty() || key.empty() || token.empty() || !expires || !usable) {
    wipe(key);
    wipe(token);
    return unreadable(from, "it lacks keys, a token or a time of expiry");
  }
  Credentials made{.access_key_id = std::move(id),
                   .secret_access_key = Secret(std::move(key)),
                   .session_token = Secret(std::move(token)),
                   .expires = *expires};
  return made;
}

// "com.amazonaws.dynamodb.v20120810#ThrottlingException", "Throttling:http://…": the bare name.
std::string bare(std::string_view code) {
  code = code.substr(0, code.find(':'));
  const size_t hash = code.rfind('#');
  return std::string(hash == std::string_view::npos ? code : code.substr(hash + 1));
}

bool is_plain(const std::string& code) {
  return code.size() <= 100 && std::ranges::all_of(code, [](unsigned char letter) {
           return std::isalnum(letter) != 0 || letter == '.' || letter == '_';
         });
}

}  // namespace

Result<Credentials> credentials_of_json(std::string_view text, std::string_view from) {
  const std::optional<JsonValue> told = parse_json(text);
  if (!told || told->kind != JsonValue::Kind::object) {
    return unreadable(from, "it is no JSON object");
  }
  const std::string code = told->text_of("Code");
  if (!code.empty() && code != "Success") {
    return fail("W003"_code,
                fmt::format("{} gives no credentials: {}", from, penstock::quoted(code)));
  }
  return make(told->text_of("AccessKeyId"), told->text_of("SecretAccessKey"),
              told->text_of("Token"), told->text_of("Expiration"), from);
}

Result<Credentials> credentials_of_xml(std::string_view text, std::string_view from) {
  const std::optional<XmlElement> root = parse_xml(text);
  const auto part = [&](std::string_view name) {
    const XmlElement* found = root ? root->find(name) : nullptr;
    return found == nullptr ? std::string() : found->text;
  };
  return make(part("AccessKeyId"), part("SecretAccessKey"), part("SessionToken"),
              part("Expiration"), from);
}

namespace {

// A member of an object, when it is there and no null.
Result<std::optional<JsonValue>> member(std::string_view text, std::string_view name,
                                        std::string_view from) {
  const std::optional<JsonValue> told = parse_json(text);
  if (!told || told->kind != JsonValue::Kind::object) {
    return unreadable(from, "it is no JSON object");
  }
  const JsonValue* found = told->member(name);
  if (found == nullptr || found->kind == JsonValue::Kind::null) return std::nullopt;
  return *found;
}

}  // namespace

Result<std::optional<std::string>> text_member(std::string_view text, std::string_view name,
                                               std::string_view from) {
  PENSTOCK_TRY(found, member(text, name, from));
  if (!found) return std::nullopt;
  if (found->kind != JsonValue::Kind::text) {
    return unreadable(from, fmt::format("{} is no text", name));
  }
  return std::move(found->text);
}

Result<std::optional<double>> number_member(std::string_view text, std::string_view name,
                                            std::string_view from) {
  PENSTOCK_TRY(found, member(text, name, from));
  if (!found) return std::nullopt;
  if (found->kind != JsonValue::Kind::whole && found->kind != JsonValue::Kind::number) {
    return unreadable(from, fmt::format("{} is no number", name));
  }
  return found->number;
}

Refusal refusal_of(const http::Response& response) {
  Refusal refusal;
  const std::optional<XmlElement> root = parse_xml(response.body);
  const XmlElement* error = root ? root->find("Error") : nullptr;
  if (error != nullptr) {
    refusal = {std::string(error->text_of("Code")), std::string(error->text_of("Message"))};
  } else if (const auto told = parse_json(response.body)) {
    refusal.code = told->text_of("__type");
    if (refusal.code.empty()) refusal.code = told->text_of("code");
    refusal.message = told->text_of("message");
    if (refusal.message.empty()) refusal.message = told->text_of("Message");
  }
  if (refusal.code.empty()) refusal.code = response.header("x-amzn-errortype");
  refusal.code = bare(refusal.code);
  if (!is_plain(refusal.code)) refusal.code.clear();
  // Behind the first line, a refused signature is explained by what was signed: the token, too.
  refusal.message.resize(std::min(refusal.message.find('\n'), refusal.message.size()));
  if (refusal.message.size() > kMaxMessageBytes) refusal.message.resize(kMaxMessageBytes);
  return refusal;
}

bool is_about_credentials(std::string_view code) {
  static constexpr std::array<std::string_view, 12> kCodes = {"ExpiredToken",
                                                              "ExpiredTokenException",
                                                              "InvalidClientTokenId",
                                                              "InvalidToken",
                                                              "InvalidIdentityToken",
                                                              "MissingAuthenticationToken",
                                                              "MissingAuthenticationTokenException",
                                                              "RequestTimeTooSkewed",
                                                              "SignatureDoesNotMatch",
                                                              "InvalidSignatureException",
                                                              "UnrecognizedClientException",
                                                              "IncompleteSignature"};
  return std::ranges::find(kCodes, code) != kCodes.end();
}

Error refused(const http::Response& response, std::string_view what) {
  const Refusal refusal = refusal_of(response);
  std::string message = fmt::format("{}: {}", what, response.status);
  if (!refusal.code.empty()) message += " " + refusal.code;
  if (!refusal.message.empty()) message += ": " + penstock::quoted(refusal.message);
  const bool rights = refusal.code.starts_with("AccessDenied") || response.status == 401 ||
                      response.status == 403 || is_about_credentials(refusal.code);
  return fail(rights ? "W003"_code : "W004"_code, std::move(message)).take();
}

}  // namespace penstock::aws
