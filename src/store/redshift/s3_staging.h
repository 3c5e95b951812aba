// s3_staging.h — the staging in a bucket of S3, below a prefix.
//
// Thread      one at a time; stop() from any.
// Errors      S04x.
//
//     PENSTOCK_TRY(staging, S3Staging::open({"s3://bucket/prefix/", "eu-north-1", ""}, access));
#pragma once

#include "aws/s3.h"
#include "store/redshift/aws_access.h"
#include "store/redshift/staging.h"

#include <memory>
#include <string>

namespace penstock::store::redshift {

struct StagingPlace {
  std::string url;  // s3://bucket/prefix
  std::string region, endpoint;
};
// The bucket and the prefix (with a slash at its end, or empty) of an s3:// URL. S021.
Result<std::pair<std::string, std::string>> staging_of(const std::string& url);

class S3Staging final : public Staging {
 public:
  static Result<std::unique_ptr<Staging>> open(const StagingPlace& place,
                                               std::shared_ptr<AwsAccess> access);

  Result<void> put(const std::string& key, ByteView bytes) override;
  Result<std::vector<std::string>> list(const std::string& prefix) override;
  Result<void> remove(std::span<const std::string> keys) override;
  std::string url(const std::string& key) const override;
  void stop() noexcept override { bucket_->stop(); }

 private:
  S3Staging() = default;

  std::string prefix_;
  std::shared_ptr<AwsAccess> access_;  // outlives the bucket
  std::unique_ptr<aws::Bucket> bucket_;
};

}  // namespace penstock::store::redshift
