#include "aws/redshift_login.h"

#include "aws/answer.h"
#include "aws/instant.h"
#include "aws/signer.h"
#include "aws/sts.h"
#include "aws/xml.h"
#include "base/json_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace penstock::aws {
namespace {

constexpr int kTries = 3;
constexpr int64_t kLoginMillis = 10'000;
constexpr size_t kAnswerBytesMax = 64 * 1024;

std::vector<std::string_view> labels_of(std::string_view host) {
  std::vector<std::string_view> labels;
  for (size_t at = 0; at <= host.size();) {
    const size_t end = std::min(host.find('.', at), host.size());
    labels.push_back(host.substr(at, end - at));
    at = end + 1;
  }
  return labels;
}

std::string cluster_body(const RedshiftAccess& access) {
  std::string form;
  http::add_pair(form, "Action",
                 access.user.empty() ? "GetClusterCredentialsWithIAM" : "GetClusterCredentials");
  http::add_pair(form, "Version", "2012-12-01");
  http::add_pair(form, "ClusterIdentifier", access.place.name);
  if (!access.database.empty()) http::add_pair(form, "DbName", access.database);
  if (!access.user.empty()) {
    http::add_pair(form, "DbUser", access.user);
    http::add_pair(form, "AutoCreate", "false");
  }
  return form;
}

std::string workgroup_body(const RedshiftAccess& access) {
  std::string body = R"({"workgroupName":)";
  append_json_string(access.place.name, body);
  if (!access.database.empty()) {
    body += R"(,"dbName":)";
    append_json_string(access.database, body);
  }
  return body + "}";
}

Result<RedshiftLogin> made(std::string user, std::string password, std::optional<Millis> expires,
                           std::string_view from) {
  const bool usable = !user.empty() && !password.empty() && expires && !user.contains('\0') &&
                      !password.contains('\0');
  RedshiftLogin login{std::move(user), Secret(std::move(password)), expires.value_or(Millis{})};
  if (usable) return login;
  return fail("W006"_code, fmt::format("the answer of {} cannot be read: it lacks a user, a "
                                       "password or a time of expiry",
                                       from));
}

Result<RedshiftLogin> login_of_xml(std::string_view text, std::string_view from) {
  std::optional<XmlElement> root = parse_xml(text);
  const auto part = [&](std::string_view name) {
    const XmlElement* found = root ? root->find(name) : nullptr;
    return found == nullptr ? std::string() : found->text;
  };
  return made(part("DbUser"), part("DbPassword"), parse_iso_time(part("Expiration")), from);
}

Result<RedshiftLogin> login_of_json(std::string_view text, std::string_view from) {
  PENSTOCK_TRY(user, text_member(text, "dbUser", from));
  PENSTOCK_TRY(password, text_member(text, "dbPassword", from));
  PENSTOCK_TRY(seconds, number_member(text, "expiration", from));
  std::optional<Millis> expires;
  constexpr double kSecondsMax = 1e11;
  if (seconds && *seconds > 0 && *seconds < kSecondsMax)
    expires = Millis{static_cast<int64_t>(*seconds * 1000)};
  return made(std::move(user).value_or(""), std::move(password).value_or(""), expires, from);
}

}  // namespace

std::optional<RedshiftPlace> redshift_place(std::string_view host) {
  const std::vector<std::string_view> labels = labels_of(host);
  const size_t last = host.ends_with(".cn") ? 7 : 6;  // amazonaws.com.cn
  if (labels.size() != last || labels[4] != "amazonaws" || labels[5] != "com") return std::nullopt;
  const bool serverless = labels[3] == "redshift-serverless";
  if ((!serverless && labels[3] != "redshift") || labels[0].empty() || labels[2].empty()) {
    return std::nullopt;
  }
  return RedshiftPlace{serverless, std::string(labels[0]), std::string(labels[2])};
}

Result<RedshiftLogin> RedshiftLogins::obtain() {
  const std::scoped_lock lock(mutex_);
  if (last_ && identity_.session().now() + kLoginLeftMillis < last_->expires) return *last_;
  PENSTOCK_TRY(fresh, ask());
  last_ = std::move(fresh);
  return *last_;
}

void RedshiftLogins::refuse(const RedshiftLogin& login) {
  const std::scoped_lock lock(mutex_);
  if (last_ && last_->password == login.password) last_.reset();
}

Result<RedshiftLogin> RedshiftLogins::ask() {
  Session& session = identity_.session();
  const RedshiftPlace& place = access_.place;
  const std::string service = place.serverless ? "redshift-serverless" : "redshift";
  PENSTOCK_TRY(url, session.endpoint(service, place.region));
  http::Request request{.method = "POST", .url = std::move(url), .timeout_millis = kLoginMillis};
  request.max_answer_bytes = kAnswerBytesMax;
  request.body = place.serverless ? workgroup_body(access_) : cluster_body(access_);
  if (place.serverless) {
    request.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                       {"X-Amz-Target", "RedshiftServerless.GetCredentials"}};
  } else {
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  }
  PENSTOCK_TRY_VOID(identity_.obtain());
  Signer signer({place.region.empty() ? session.region() : place.region, service});
  const std::string what = fmt::format("the login of Redshift's {} \"{}\"",
                                       place.serverless ? "workgroup" : "cluster", place.name);
  auto answer = call(session, std::move(request), what, kTries, [&](http::Request& each) {
    if (const SharedCredentials mine = identity_.current()) signer.sign(each, *mine, session.now());
  });
  if (!answer) {
    if (answer.error().code == "W003"_code) identity_.doubt();
    return std::unexpected(std::move(answer).error());
  }
  return place.serverless ? login_of_json(answer->body, what) : login_of_xml(answer->body, what);
}

}  // namespace penstock::aws
