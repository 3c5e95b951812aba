// s3_address.h — where a bucket is, and what its objects may be called.
//
// AWS is asked by the bucket's own host (BUCKET.s3.REGION.amazonaws.com). In the path stands the
// bucket's name where the endpoint is another server's, and where the name has a dot: AWS's
// certificate is for one label before s3.
//
// Thread      values.
// Limits      a bucket's name 3 to 63 letters; a key 1,024 bytes.
// Errors      S021: a name that cannot be one; W005, H001.
//
//     PENSTOCK_TRY(address, S3Address::make(session, {.name = "staging"}));
//     request.url = address.url("p/epoch-7.avro", "partNumber=1&uploadId=…");
#pragma once

#include "aws/session.h"

#include <string>
#include <string_view>

namespace penstock::aws {

struct BucketPlace {
  std::string name;
  std::string region = {};    // "": AWS's own settings
  std::string endpoint = {};  // "": AWS's own settings
};

class S3Address {
 public:
  static Result<S3Address> make(const Session& session, const BucketPlace& place);

  // `key`: "" is the bucket itself. `query` as it is sent.
  http::Url url(std::string_view key, std::string_view query = {}) const;
  // "s3://BUCKET/KEY"
  std::string uri(std::string_view key) const;
  const std::string& bucket() const { return bucket_; }
  const std::string& region() const { return region_; }
  // For people: "S3 bucket \"b\" in eu-north-1", "S3 bucket \"b\" at http://…".
  const std::string& where() const { return where_; }

 private:
  std::string bucket_;
  std::string region_;
  std::string where_;
  http::Url base_;
  bool in_path_ = false;
};

Result<void> check_key(std::string_view key);

}  // namespace penstock::aws
