// Objects that go up in parts, and the rests of those that did not arrive.
#include "aws/s3.h"
#include "aws/s3_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::aws {
namespace {

constexpr int kRounds = 3;  // an upload that somebody aborted is begun anew so often
constexpr size_t kPartsMax = 10'000;

std::string query_of(std::string_view upload) {
  return "uploadId=" + http::percent_encoded(upload);
}

}  // namespace

struct Bucket::Upload {
  std::string key;
  std::string checksum;  // of all bytes
  std::string id = {};
  std::string parts = {};  // as the end of the upload lists them
  bool orphans = false;    // others of this key may have been begun, whose ids we do not know
  bool gone = false;       // S3 does not know this one any more
};

Result<void> Bucket::put_in_parts(const std::string& key, std::string_view bytes) {
  if (bytes.size() > kPartsMax * kPartBytes) {
    return fail("S021"_code,
                fmt::format("{}: {} has {} bytes, which is above {} parts of {}", address().where(),
                            key, bytes.size(), kPartsMax, kPartBytes));
  }
  Upload one{.key = key, .checksum = crc32c_text(bytes)};
  Result<bool> done = false;
  for (int round = 0; round < kRounds && done && !*done; ++round) done = upload(one, bytes);
  // What is left behind costs until somebody looks; it is no reason for not going on.
  if (one.orphans) (void)abort_begun(key, /*alone=*/true);
  if (!done) return std::unexpected(std::move(done).error());
  if (*done) return {};
  return fail("S042"_code,
              fmt::format("{}: each upload of {} was aborted by another", address().where(), key));
}

// False: somebody aborted it.
Result<bool> Bucket::upload(Upload& one, std::string_view bytes) {
  one.gone = false;
  one.parts.clear();
  PENSTOCK_TRY_VOID(begin_upload(one));
  Result<void> sent = put_parts(one, bytes);
  Result<bool> done = false;
  if (sent && !one.gone) done = complete(one, bytes);
  if (sent && done && *done) return true;
  if (!one.gone && !abort(one.key, one.id)) one.orphans = true;
  if (!sent && !one.gone) return std::unexpected(std::move(sent).error());
  return done;
}

Result<void> Bucket::begin_upload(Upload& one) {
  PENSTOCK_TRY(reply, call({.method = "POST",
                            .key = one.key,
                            .query = "uploads=",
                            .headers = {{"Content-Type", "application/octet-stream"},
                                        {"x-amz-checksum-algorithm", "CRC32C"},
                                        {"x-amz-checksum-type", "FULL_OBJECT"}},
                            .action = "s3:PutObject",
                            .repeatable = false,
                            .in_body = true}));
  one.orphans = one.orphans || reply.repeated;
  const auto root = parse_xml(reply.response.body);
  if (root) one.id = root->text_of("UploadId");
  if (!root || one.id.empty() || one.id.size() > 1024) {
    return unreadable(address(), "the beginning of an upload");
  }
  return {};
}

Result<void> Bucket::put_parts(Upload& one, std::string_view bytes) {
  for (size_t at = 0, number = 1; at < bytes.size(); at += kPartBytes, ++number) {
    const std::string_view part = bytes.substr(at, kPartBytes);
    const std::string checksum = crc32c_text(part);
    const S3Request request{.method = "PUT",
                            .key = one.key,
                            .query = fmt::format("partNumber={}&{}", number, query_of(one.id)),
                            .headers = {{"x-amz-checksum-crc32c", checksum}},
                            .body = part,
                            .action = "s3:PutObject"};
    const S3Reply reply = caller_.perform(request);
    if (reply.code == "NoSuchUpload") {
      one.gone = true;
      return {};
    }
    if (reply.trouble != S3Trouble::none) return std::unexpected(error_of(reply, request));
    const std::string_view tag = reply.response.header("etag");
    if (tag.empty() || tag.size() > 256) return unreadable(address(), "the ETag of a part");
    one.parts += fmt::format(
        "<Part><PartNumber>{}</PartNumber><ETag>{}</ETag><ChecksumCRC32C>{}</ChecksumCRC32C></"
        "Part>",
        number, xml_escaped(tag), checksum);
  }
  return {};
}

Result<bool> Bucket::complete(Upload& one, std::string_view bytes) {
  const std::string body =
      fmt::format(R"(<CompleteMultipartUpload xmlns="{}">{}</CompleteMultipartUpload>)",
                  kS3Namespace, one.parts);
  const S3Request request{.method = "POST",
                          .key = one.key,
                          .query = query_of(one.id),
                          .headers = {{"Content-Type", "application/xml"},
                                      {"x-amz-checksum-crc32c", one.checksum},
                                      {"x-amz-checksum-type", "FULL_OBJECT"}},
                          .body = body,
                          .action = "s3:PutObject",
                          .in_body = true};
  const S3Reply reply = caller_.perform(request);
  if (reply.trouble == S3Trouble::none) return true;
  if (reply.code != "NoSuchUpload") return std::unexpected(error_of(reply, request));
  // It was aborted, or an answer was lost and it is complete.
  one.gone = true;
  PENSTOCK_TRY(there, head(one.key));
  return there && there->bytes == bytes.size() && there->crc32c == one.checksum;
}

Result<void> Bucket::abort(const std::string& key, const std::string& id) {
  const S3Request request{
      .method = "DELETE", .key = key, .query = query_of(id), .action = "s3:AbortMultipartUpload"};
  const S3Reply reply = caller_.perform(request);
  if (reply.trouble == S3Trouble::none || reply.trouble == S3Trouble::missing) return {};
  return std::unexpected(error_of(reply, request));
}

// ---- uploads that nobody ended

struct Bucket::Page {
  std::vector<std::pair<std::string, std::string>> uploads;  // key, id
  bool more = false;
  std::string next_key;
  std::string next_id;
};

Result<size_t> Bucket::abort_uploads(std::string_view prefix) { return abort_begun(prefix, false); }

Result<size_t> Bucket::abort_begun(std::string_view prefix, bool alone) {
  size_t count = 0;
  Page page;
  do {
    PENSTOCK_TRY(got, page_of_uploads(prefix, page));
    const bool stuck = got.more && (got.next_key.empty() ||
                                    (got.next_key == page.next_key && got.next_id == page.next_id));
    if (stuck) return unreadable(address(), "a list of uploads");
    page = std::move(got);
    for (const auto& [key, id] : page.uploads) {
      if (alone && key != prefix) continue;
      PENSTOCK_TRY_VOID(abort(key, id));
      ++count;
    }
  } while (page.more);
  return count;
}

Result<Bucket::Page> Bucket::page_of_uploads(std::string_view prefix, const Page& before) {
  http::Url url;  // for its query
  http::add_query(url, "uploads", "");
  http::add_query(url, "encoding-type", "url");
  http::add_query(url, "prefix", prefix);
  if (before.more) {
    http::add_query(url, "key-marker", before.next_key);
    http::add_query(url, "upload-id-marker", before.next_id);
  }
  PENSTOCK_TRY(reply, call({.method = "GET",
                            .query = std::move(url.query),
                            .action = "s3:ListBucketMultipartUploads",
                            .in_body = true}));
  const auto root = parse_xml(reply.response.body);
  if (!root || root->name != "ListMultipartUploadsResult") {
    return unreadable(address(), "a list of uploads");
  }
  Page page;
  for (const XmlElement& each : root->children) {
    if (each.name != "Upload") continue;
    const auto key = decoded_key(each.text_of("Key"));
    const std::string id(each.text_of("UploadId"));
    if (!key || !key->starts_with(prefix) || id.empty()) {
      return unreadable(address(), "a list of uploads");
    }
    page.uploads.emplace_back(*key, id);
  }
  page.more = root->text_of("IsTruncated") == "true";
  page.next_key = decoded_key(root->text_of("NextKeyMarker")).value_or("");
  page.next_id = root->text_of("NextUploadIdMarker");
  return page;
}

}  // namespace penstock::aws
