// folder_staging.h — the staging in a folder, where the double of the tests reads it: s3://bucket.
//
// Thread      one at a time.
//
//     settings.staging = [] { return std::make_unique<FolderStaging>(folder, "prefix/"); };
#pragma once

#include "store/redshift/staging.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace penstock::store::redshift {

class FolderStaging final : public Staging {
 public:
  // `folder` has the buckets.
  explicit FolderStaging(std::filesystem::path folder, std::string prefix = {})
      : root_(std::move(folder) / "bucket" / "staged"), prefix_(std::move(prefix)) {}
  static inline std::atomic<uint64_t> puts = 0;

  Result<void> put(const std::string& key, ByteView bytes) override {
    ++puts;
    const auto path = root_ / (prefix_ + key);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return {};
  }
  Result<std::vector<std::string>> list(const std::string& prefix) override {
    std::vector<std::string> keys;
    if (!std::filesystem::exists(root_)) return keys;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
      const std::string key = std::filesystem::relative(entry.path(), root_).string();
      if (entry.is_regular_file() && key.starts_with(prefix_ + prefix))
        keys.push_back(key.substr(prefix_.size()));
    }
    return keys;
  }
  Result<void> remove(std::span<const std::string> keys) override {
    for (const std::string& key : keys) std::filesystem::remove(root_ / (prefix_ + key));
    return {};
  }
  std::string url(const std::string& key) const override {
    return "s3://bucket/staged/" + prefix_ + key;
  }

 private:
  std::filesystem::path root_;
  std::string prefix_;
};

}  // namespace penstock::store::redshift
