// folder_lock.h — one owner per data folder.
//
// The file `owner.lock` in the folder is held with flock: exclusively by the owner, who writes its
// pid and the path of its control socket into it; shared by those who only look while nobody owns
// the folder. So any number of readers coexist, no owner starts under them, and a killed process
// holds nothing. An owner that meets readers waits for them (kReaderWaitMillis), for they are
// brief.
//
// Thread      a value with one owner. The descriptor is not inherited by child processes.
// Errors      L001 no such folder or no right to it; L002 somebody holds it: the message names the
//             owner's pid.
#pragma once

#include "base/error.h"

#include <optional>
#include <string>

namespace penstock::log {

inline constexpr int kReaderWaitMillis = 2000;

struct FolderOwner {
  int64_t pid = 0;
  std::string socket_path;  // "" when the owner has none
};

class FolderLock {
 public:
  static Result<FolderLock> own(const std::string& folder, const std::string& socket_path);
  static Result<FolderLock> look(const std::string& folder);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// Who owns the folder now; nothing when nobody does.
std::optional<FolderOwner> folder_owner(const std::string& folder);

}  // namespace penstock::log
