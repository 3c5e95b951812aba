// staging.h — where an epoch's rows lie until COPY has read them: a prefix of an S3 bucket.
//
// Keys are relative to the prefix. A call waits, with a bounded number of tries of its own, or
// until stop(). put() of a key that is there replaces it.
//
// Thread      one at a time; stop() from any.
// Errors      S04x: an outage is passing, a right or a bucket that is not there is not.
//
//     PENSTOCK_TRY_VOID(staging.put("p/s/latest/in-0/500-3.avro", bytes));
//     … COPY … FROM 's3://bucket/prefix/p/s/latest/in-0/500-3.avro'
//     (void)staging.remove(keys);
#pragma once

#include "base/error.h"
#include "base/units.h"

#include <span>
#include <string>
#include <vector>

namespace penstock::store::redshift {

class Staging {
 public:
  virtual ~Staging() = default;
  virtual Result<void> put(const std::string& key, ByteView bytes) = 0;
  virtual Result<std::vector<std::string>> list(const std::string& prefix) = 0;
  virtual Result<void> remove(std::span<const std::string> keys) = 0;
  // s3://bucket/prefix/key
  virtual std::string url(const std::string& key) const = 0;
  virtual void stop() noexcept {}
};

}  // namespace penstock::store::redshift
