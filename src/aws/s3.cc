#include "aws/s3.h"

#include "aws/s3_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::aws {
namespace {

constexpr size_t kDeletesMax = 1'000;  // in one DeleteObjects
constexpr size_t kListMax = 1'000;     // in one page
constexpr int kDeleteRounds = 5;

// A text of the object's answer; "" when it is of the parts' checksums, "…==-3".
std::string whole_checksum(const http::Response& response) {
  const std::string_view text = response.header("x-amz-checksum-crc32c");
  return text.contains('-') ? std::string() : std::string(text);
}

}  // namespace

Result<std::unique_ptr<Bucket>> Bucket::open(Identity& identity, const BucketPlace& place,
                                             RetryOptions retry) {
  PENSTOCK_TRY(address, S3Address::make(identity.session(), place));
  PENSTOCK_TRY_VOID(identity.obtain());
  return std::unique_ptr<Bucket>(new Bucket(identity, std::move(address), retry));
}

Result<S3Reply> Bucket::call(const S3Request& request) {
  S3Reply reply = caller_.perform(request);
  if (reply.trouble != S3Trouble::none) return std::unexpected(error_of(reply, request));
  return reply;
}

Error Bucket::error_of(const S3Reply& reply, const S3Request& request) const {
  return to_error(reply, request, caller_.address());
}

Result<void> Bucket::put(const std::string& key, std::string_view bytes) {
  PENSTOCK_TRY_VOID(check_key(key));
  return bytes.size() > kPartBytes ? put_in_parts(key, bytes) : put_whole(key, bytes);
}

Result<void> Bucket::put_whole(const std::string& key, std::string_view bytes) {
  const std::string checksum = crc32c_text(bytes);
  const S3Request request{.method = "PUT",
                          .key = key,
                          .headers = {{"Content-Type", "application/octet-stream"},
                                      {"x-amz-checksum-crc32c", checksum}},
                          .body = bytes,
                          .action = "s3:PutObject"};
  PENSTOCK_TRY(reply, call(request));
  const std::string_view kept = reply.response.header("x-amz-checksum-crc32c");
  if (kept.empty() || kept == checksum) return {};
  return fail("S044"_code, fmt::format("{}: {} was put with the checksum {}, and S3 kept {}",
                                       address().where(), key, checksum, kept));
}

Result<std::string> Bucket::get(const std::string& key, size_t max_bytes) {
  PENSTOCK_TRY_VOID(check_key(key));
  const S3Request request{.method = "GET",
                          .key = key,
                          .headers = {{"x-amz-checksum-mode", "ENABLED"}},
                          .action = "s3:GetObject",
                          .max_answer_bytes = max_bytes};
  S3Reply reply = caller_.perform(request);
  if (reply.trouble == S3Trouble::missing) {
    return fail("S044"_code, fmt::format("{}: there is no {}", address().where(), key));
  }
  if (reply.trouble != S3Trouble::none) return std::unexpected(error_of(reply, request));
  const std::string told = whole_checksum(reply.response);
  if (!told.empty() && told != crc32c_text(reply.response.body)) {
    return fail("S044"_code, fmt::format("{}: the bytes of {} do not have its checksum {}",
                                         address().where(), key, told));
  }
  return std::move(reply.response.body);
}

Result<std::optional<S3Object>> Bucket::head(const std::string& key) {
  PENSTOCK_TRY_VOID(check_key(key));
  const S3Request request{.method = "HEAD",
                          .key = key,
                          .headers = {{"x-amz-checksum-mode", "ENABLED"}},
                          .action = "s3:GetObject"};
  const S3Reply reply = caller_.perform(request);
  if (reply.trouble == S3Trouble::missing) return std::nullopt;
  if (reply.trouble != S3Trouble::none) return std::unexpected(error_of(reply, request));
  const auto bytes = number_of(reply.response.header("content-length"));
  if (!bytes) return unreadable(address(), "the length of " + key);
  return S3Object{key, *bytes, whole_checksum(reply.response)};
}

// ---- list

Result<S3Listing> Bucket::list(std::string_view prefix, size_t max) {
  S3Listing listing;
  std::string next;
  do {
    http::Url url;  // for its query
    http::add_query(url, "list-type", "2");
    http::add_query(url, "encoding-type", "url");
    http::add_query(url, "max-keys", fmt::to_string(std::min(kListMax, max)));
    http::add_query(url, "prefix", prefix);
    if (!next.empty()) http::add_query(url, "continuation-token", next);
    PENSTOCK_TRY(reply, call({.method = "GET",
                              .query = std::move(url.query),
                              .action = "s3:ListBucket",
                              .in_body = true}));
    const auto root = parse_xml(reply.response.body);
    if (!root || root->name != "ListBucketResult") return unreadable(address(), "a list");
    for (const XmlElement& each : root->children) {
      if (each.name != "Contents") continue;
      const auto key = decoded_key(each.text_of("Key"));
      const auto bytes = number_of(each.text_of("Size"));
      if (!key || !key->starts_with(prefix) || !bytes) return unreadable(address(), "a list");
      if (listing.objects.size() < max) listing.objects.push_back({*key, *bytes});
    }
    const bool more = root->text_of("IsTruncated") == "true";
    const std::string before =
        std::exchange(next, std::string(root->text_of("NextContinuationToken")));
    if (more && (next.empty() || next == before)) return unreadable(address(), "a list");
    listing.more = more;
    if (!more) next.clear();
  } while (!next.empty() && listing.objects.size() < max);
  return listing;
}

// ---- remove

Result<void> Bucket::remove(std::span<const std::string> keys) {
  if (keys.size() == 1) {
    PENSTOCK_TRY_VOID(check_key(keys[0]));
    const S3Request request{.method = "DELETE", .key = keys[0], .action = "s3:DeleteObject"};
    const S3Reply reply = caller_.perform(request);
    if (reply.trouble == S3Trouble::none || reply.trouble == S3Trouble::missing) return {};
    return std::unexpected(error_of(reply, request));
  }
  for (size_t at = 0; at < keys.size(); at += kDeletesMax) {
    const auto some = keys.subspan(at, std::min(kDeletesMax, keys.size() - at));
    std::vector<std::string> left(some.begin(), some.end());
    for (int round = 0; !left.empty(); ++round) {
      PENSTOCK_TRY(again, remove_some(left));
      if (again.size() == left.size() && round >= kDeleteRounds) {
        return fail("S042"_code, fmt::format("{}: {} and {} others are not deleted",
                                             address().where(), again[0], again.size() - 1));
      }
      left = std::move(again);
    }
  }
  return {};
}

// Those that may be deleted later: 200 may hold errors, one for each key.
Result<std::vector<std::string>> Bucket::remove_some(std::span<const std::string> keys) {
  std::string body = fmt::format(R"(<Delete xmlns="{}"><Quiet>true</Quiet>)", kS3Namespace);
  for (const std::string& key : keys) {
    PENSTOCK_TRY_VOID(check_key(key));
    body += "<Object><Key>" + xml_escaped(key) + "</Key></Object>";
  }
  body += "</Delete>";
  const S3Request request{.method = "POST",
                          .query = "delete=",
                          .headers = {{"Content-Type", "application/xml"},
                                      {"x-amz-checksum-crc32c", crc32c_text(body)}},
                          .body = body,
                          .action = "s3:DeleteObject",
                          .in_body = true};
  PENSTOCK_TRY(reply, call(request));
  const auto root = parse_xml(reply.response.body);
  if (!root || root->name != "DeleteResult") return unreadable(address(), "a deletion's answer");
  std::vector<std::string> again;
  for (const XmlElement& each : root->children) {
    const std::string_view code = each.text_of("Code");
    if (each.name != "Error" || code == "NoSuchKey") continue;
    const std::string key(each.text_of("Key"));
    if (std::ranges::find(keys, key) == keys.end()) return unreadable(address(), "a deletion");
    if (code == "InternalError" || code == "SlowDown" || code == "ServiceUnavailable") {
      again.push_back(key);
      continue;
    }
    S3Request one = request;
    one.key = key;
    return std::unexpected(
        error_of({.trouble = S3Trouble::settings,
                  .code = std::string(code.substr(0, 100)),
                  .message = std::string(each.text_of("Message").substr(0, 300))},
                 one));
  }
  return again;
}

}  // namespace penstock::aws
