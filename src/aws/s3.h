// s3.h — a bucket in S3, or in what speaks its protocol: objects are put, read, listed, deleted.
//
// Each object carries the CRC-32C of all its bytes, told when it is put and compared when it is
// read. Putting the same bytes under the same key again is as good as once. An object is there
// whole or not at all. Above kPartBytes it goes up in parts; when that fails, what went up is
// taken back. What a process that ended could not take back is abort_uploads()'s, and of the rule
// that expire() writes.
//
// Thread      one owner, its calls wait; stop() from any.
// Lifetime    the identity outlives it, and it a stop() that is on.
// Limits      an object 10,000 parts of 8 MiB (78 GiB); see s3_address.h for names.
// Errors      S042 passes by itself; S040, S041, S043, S021 need somebody; S044: an object is gone
//             or damaged. open: W005, H001.
//
//     PENSTOCK_TRY(bucket, Bucket::open(*identity, {.name = "staging", .region = "eu-north-1"}));
//     PENSTOCK_TRY_VOID(bucket->put("p/epoch-7.avro", bytes));
//     PENSTOCK_TRY_VOID(bucket->remove(std::array{std::string("p/epoch-7.avro")}));
#pragma once

#include "aws/s3_call.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::aws {

inline constexpr size_t kPartBytes = 8 * 1024 * 1024;

struct S3Object {
  std::string key;
  uint64_t bytes = 0;
  std::string crc32c = {};  // base64; "" where the server keeps none, or not that of the whole
};

struct S3Listing {
  std::vector<S3Object> objects;
  bool more = false;  // there are further ones
};

// What a bucket does by itself with objects below a prefix.
struct LifecycleRule {
  std::string id;
  std::string prefix;
  bool enabled = false;
  bool conditional = false;  // not for all of the prefix: by tags or sizes
  uint32_t expire_days = 0;  // 0: never
  uint32_t abort_days = 0;   // of uploads that were never completed; 0: never
};

class Bucket {
 public:
  static constexpr RetryOptions kRetry{.base_millis = 50};
  static Result<std::unique_ptr<Bucket>> open(Identity& identity, const BucketPlace& place,
                                              RetryOptions retry = kRetry);

  Result<void> put(const std::string& key, std::string_view bytes);
  // S044 when there is none, or its checksum is not that of its bytes.
  Result<std::string> get(const std::string& key, size_t max_bytes = 64 * 1024 * 1024);
  // Nothing when there is none.
  Result<std::optional<S3Object>> head(const std::string& key);
  // In the order of their keys, `max` at most.
  Result<S3Listing> list(std::string_view prefix, size_t max = 10'000);
  // One that is not there is as good as deleted.
  Result<void> remove(std::span<const std::string> keys);

  // Uploads in parts below the prefix that were begun and never ended; how many there were.
  Result<size_t> abort_uploads(std::string_view prefix);
  Result<std::vector<LifecycleRule>> lifecycle();
  // Objects below the prefix go after so many days, uploads that were not completed after one.
  // Other rules stay as they are; nothing is written when the rule is there already.
  Result<void> expire(const std::string& prefix, uint32_t days);

  // Ends what waits, soon, and all later calls, with S042.
  void stop() noexcept { caller_.stop(); }
  const S3Address& address() const { return caller_.address(); }

 private:
  struct Upload;
  struct Page;
  Bucket(Identity& identity, S3Address address, RetryOptions retry)
      : caller_(identity, std::move(address), retry) {}
  Result<S3Reply> call(const S3Request& request);
  Error error_of(const S3Reply& reply, const S3Request& request) const;

  Result<void> put_whole(const std::string& key, std::string_view bytes);
  Result<void> put_in_parts(const std::string& key, std::string_view bytes);
  Result<bool> upload(Upload& upload, std::string_view bytes);
  Result<void> begin_upload(Upload& upload);
  Result<void> put_parts(Upload& upload, std::string_view bytes);
  Result<bool> complete(Upload& upload, std::string_view bytes);
  // `alone`: of this very key.
  Result<size_t> abort_begun(std::string_view prefix, bool alone);
  Result<void> abort(const std::string& key, const std::string& id);
  Result<Page> page_of_uploads(std::string_view prefix, const Page& before);
  Result<std::vector<std::string>> remove_some(std::span<const std::string> keys);
  Result<S3Reply> lifecycle_text();

  S3Caller caller_;
};

}  // namespace penstock::aws
