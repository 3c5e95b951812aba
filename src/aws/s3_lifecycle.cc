// What a bucket does by itself with the objects below a prefix.
#include "aws/s3.h"
#include "aws/s3_text.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::aws {
namespace {

constexpr std::string_view kSizeHeader = "x-amz-transition-default-minimum-object-size";

uint32_t days_of(const XmlElement& rule, std::string_view part, std::string_view name) {
  const XmlElement* found = rule.child(part);
  const auto days = found == nullptr ? std::nullopt : number_of(found->text_of(name));
  return days && *days <= UINT32_MAX ? static_cast<uint32_t>(*days) : 0;
}

LifecycleRule rule_of(const XmlElement& rule) {
  LifecycleRule made;
  made.id = rule.text_of("ID");
  made.enabled = rule.text_of("Status") == "Enabled";
  made.expire_days = days_of(rule, "Expiration", "Days");
  made.abort_days = days_of(rule, "AbortIncompleteMultipartUpload", "DaysAfterInitiation");
  const XmlElement* filter = rule.child("Filter");
  made.prefix = filter == nullptr ? rule.text_of("Prefix") : filter->text_of("Prefix");
  made.conditional = filter != nullptr && !filter->children.empty() &&
                     (filter->children.size() > 1 || filter->children[0].name != "Prefix");
  return made;
}

std::string id_of(std::string_view prefix) {
  return "penstock-staging-" + hex(sha256(prefix)).substr(0, 16);
}

// Versions that were deleted go as well, where the bucket keeps versions.
std::string rule_text(const std::string& id, std::string_view prefix, uint32_t days) {
  return fmt::format(
      "<Rule><ID>{}</ID><Filter><Prefix>{}</Prefix></Filter><Status>Enabled</Status>"
      "<Expiration><Days>{}</Days></Expiration>"
      "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays>"
      "</NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>1"
      "</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>",
      id, xml_escaped(prefix), days);
}

}  // namespace

// Its body is "" when the bucket has no rules.
Result<S3Reply> Bucket::lifecycle_text() {
  const S3Request request{.method = "GET",
                          .query = "lifecycle=",
                          .action = "s3:GetLifecycleConfiguration",
                          .in_body = true};
  S3Reply reply = caller_.perform(request);
  if (reply.trouble == S3Trouble::missing) {
    reply.response.body.clear();
  } else if (reply.trouble != S3Trouble::none) {
    return std::unexpected(error_of(reply, request));
  }
  return reply;
}

Result<std::vector<LifecycleRule>> Bucket::lifecycle() {
  PENSTOCK_TRY(reply, lifecycle_text());
  std::vector<LifecycleRule> rules;
  if (reply.response.body.empty()) return rules;
  const auto root = parse_xml(reply.response.body);
  if (!root || root->name != "LifecycleConfiguration")
    return unreadable(address(), "its lifecycle");
  for (const XmlElement& each : root->children) {
    if (each.name == "Rule") rules.push_back(rule_of(each));
  }
  return rules;
}

// The whole configuration is replaced by what is put: the others' rules go back as they came.
Result<void> Bucket::expire(const std::string& prefix, uint32_t days) {
  PENSTOCK_TRY_VOID(check_key(prefix));
  PENSTOCK_TRY(reply, lifecycle_text());
  const std::string id = id_of(prefix);
  std::string others;
  if (!reply.response.body.empty()) {
    const auto root = parse_xml(reply.response.body);
    if (!root || root->name != "LifecycleConfiguration")
      return unreadable(address(), "its lifecycle");
    for (const XmlElement& each : root->children) {
      if (each.name != "Rule") continue;
      const LifecycleRule rule = rule_of(each);
      const bool same = rule.id == id && rule.prefix == prefix && rule.enabled &&
                        !rule.conditional && rule.expire_days == days && rule.abort_days == 1;
      if (same) return {};
      if (rule.id != id) others += each.source;
    }
  }
  const std::string body =
      fmt::format(R"(<LifecycleConfiguration xmlns="{}">{}{}</LifecycleConfiguration>)",
                  kS3Namespace, others, rule_text(id, prefix, days));
  S3Request request{.method = "PUT",
                    .query = "lifecycle=",
                    .headers = {{"Content-Type", "application/xml"},
                                {"x-amz-checksum-crc32c", crc32c_text(body)}},
                    .body = body,
                    .action = "s3:PutLifecycleConfiguration"};
  if (const std::string_view size = reply.response.header(kSizeHeader); !size.empty()) {
    request.headers.push_back({std::string(kSizeHeader), std::string(size)});
  }
  PENSTOCK_TRY_VOID(call(request));
  return {};
}

}  // namespace penstock::aws
