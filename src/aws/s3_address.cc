#include "aws/s3_address.h"

#include "base/json_write.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::aws {
namespace {

constexpr size_t kKeyBytesMax = 1024;

// The rules for names that make a host; those of before 2018 (capitals, underlines) are not taken.
bool is_bucket(std::string_view name) {
  const auto is_edge = [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9');
  };
  return name.size() >= 3 && name.size() <= 63 && is_edge(name.front()) && is_edge(name.back()) &&
         !name.contains("..") && std::ranges::all_of(name, [&](char each) {
           return is_edge(each) || each == '-' || each == '.';
         });
}

bool is_aws(std::string_view host) {
  return host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
}

}  // namespace

Result<S3Address> S3Address::make(const Session& session, const BucketPlace& place) {
  if (!is_bucket(place.name)) {
    return fail("S021"_code, fmt::format("{} is not the name of an S3 bucket", quoted(place.name)))
        .cure("3 to 63 small letters, digits, - and . ; without s3:// and without a path");
  }
  S3Address made;
  made.bucket_ = place.name;
  made.region_ = place.region.empty() ? session.region() : place.region;
  if (place.endpoint.empty()) {
    PENSTOCK_TRY(url, session.endpoint("s3", made.region_));
    made.base_ = std::move(url);
  } else {
    PENSTOCK_TRY(url, http::parse_url(place.endpoint));
    made.base_ = std::move(url);
  }
  if (made.base_.path.ends_with('/')) made.base_.path.pop_back();
  const bool own = !is_aws(made.base_.host);
  made.in_path_ = own || made.bucket_.contains('.');
  made.where_ = own ? fmt::format("S3 bucket \"{}\" at {}", place.name, http::text_of(made.base_))
                    : fmt::format("S3 bucket \"{}\" in {}", place.name, made.region_);
  if (made.region_.empty()) made.region_ = "us-east-1";  // part of the signature only
  if (!made.in_path_) made.base_.host = made.bucket_ + "." + made.base_.host;
  return made;
}

http::Url S3Address::url(std::string_view key, std::string_view query) const {
  http::Url url = base_;
  if (in_path_) url.path += "/" + bucket_;
  if (!key.empty() || !in_path_) url.path += "/";
  url.path += http::percent_encoded(key, "/");
  url.query = query;
  return url;
}

std::string S3Address::uri(std::string_view key) const {
  return fmt::format("s3://{}/{}", bucket_, key);
}

Result<void> check_key(std::string_view key) {
  const bool printable =
      std::ranges::all_of(key, [](char each) { return static_cast<unsigned char>(each) >= ' '; });
  if (!key.empty() && key.size() <= kKeyBytesMax && printable) return {};
  return fail("S021"_code, fmt::format("{} cannot be the key of an S3 object", quoted(key)))
      .cure("1 to 1,024 bytes, without control characters; a shorter prefix helps");
}

}  // namespace penstock::aws
