#include "store/redshift/s3_staging.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::store::redshift {

Result<std::pair<std::string, std::string>> staging_of(const std::string& url) {
  constexpr std::string_view kScheme = "s3://";
  if (!url.starts_with(kScheme))
    return fail("S021"_code, fmt::format("\"{}\" is no place in S3", url))
        .cure("write staging: s3://bucket/prefix/");
  const std::string path = url.substr(kScheme.size());
  const size_t slash = path.find('/');
  std::string prefix = slash == path.npos ? "" : path.substr(slash + 1);
  if (!prefix.empty() && !prefix.ends_with('/')) prefix += '/';
  return std::pair(path.substr(0, slash), std::move(prefix));
}

Result<std::unique_ptr<Staging>> S3Staging::open(const StagingPlace& place,
                                                 std::shared_ptr<AwsAccess> access) {
  PENSTOCK_TRY(where, staging_of(place.url));
  std::unique_ptr<S3Staging> staging(new S3Staging);
  staging->access_ = std::move(access);
  PENSTOCK_TRY(bucket, aws::Bucket::open(staging->access_->identity(),
                                         {where.first, place.region, place.endpoint}));
  staging->bucket_ = std::move(bucket);
  staging->prefix_ = std::move(where.second);
  return staging;
}

Result<void> S3Staging::put(const std::string& key, ByteView bytes) {
  return bucket_->put(prefix_ + key, bytes);
}

Result<std::vector<std::string>> S3Staging::list(const std::string& prefix) {
  PENSTOCK_TRY(listing, bucket_->list(prefix_ + prefix));
  std::vector<std::string> keys;
  for (const aws::S3Object& object : listing.objects)
    keys.push_back(object.key.substr(prefix_.size()));
  return keys;
}

Result<void> S3Staging::remove(std::span<const std::string> keys) {
  std::vector<std::string> whole;
  for (const std::string& key : keys) whole.push_back(prefix_ + key);
  return bucket_->remove(whole);
}

std::string S3Staging::url(const std::string& key) const {
  return bucket_->address().uri(prefix_ + key);
}

}  // namespace penstock::store::redshift
