#include "log/embedded/folder_lock.h"

#include <fmt/format.h>
#include <sys/file.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

namespace penstock::log {
namespace {

constexpr int kRetryMillis = 20;

std::string lock_path(const std::string& folder) { return folder + "/owner.lock"; }

Result<int> open_lock(const std::string& folder, int flags) {
  const int descriptor = ::open(lock_path(folder).c_str(), flags | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    return fail("L001"_code,
                fmt::format("cannot open the data folder {}: {}", folder, std::strerror(errno)));
  }
  return descriptor;
}

FolderOwner read_owner(int descriptor) {
  char text[4096];
  const ssize_t size = ::pread(descriptor, text, sizeof(text), 0);
  std::string_view rest(text, size > 0 ? static_cast<size_t>(size) : 0);
  FolderOwner owner;
  const size_t line = rest.find('\n');
  if (line == rest.npos) return owner;
  std::from_chars(rest.data(), rest.data() + line, owner.pid);
  rest.remove_prefix(line + 1);
  owner.socket_path = rest.substr(0, rest.find('\n'));
  return owner;
}

// True when it is held exclusively, that is, by an owner.
bool is_owned(int descriptor) {
  if (::flock(descriptor, LOCK_SH | LOCK_NB) != 0) return true;
  ::flock(descriptor, LOCK_UN);
  return false;
}

Failure in_use(const std::string& folder, int descriptor) {
  const FolderOwner owner = read_owner(descriptor);
  ::close(descriptor);
  return fail("L002"_code,
              fmt::format("the data folder {} is in use by process {}", folder, owner.pid));
}

bool write_owner(int descriptor, const std::string& socket_path) {
  const std::string text = fmt::format("{}\n{}\n", ::getpid(), socket_path);
  return ::ftruncate(descriptor, 0) == 0 &&
         ::pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

}  // namespace

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);  // gives the flock back, too
}

Result<FolderLock> FolderLock::own(const std::string& folder, const std::string& socket_path) {
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);  // open_lock tells what is wrong
  PENSTOCK_TRY(descriptor, open_lock(folder, O_RDWR | O_CREAT));
  for (int waited = 0; ::flock(descriptor, LOCK_EX | LOCK_NB) != 0; waited += kRetryMillis) {
    if (is_owned(descriptor)) return in_use(folder, descriptor);
    if (waited >= kReaderWaitMillis) {
      ::close(descriptor);
      return fail("L002"_code, fmt::format("the data folder {} is being read by others", folder));
    }
    ::poll(nullptr, 0, kRetryMillis);  // flock has no wait with an end
  }
  if (!write_owner(descriptor, socket_path)) {
    ::close(descriptor);
    return fail("L001"_code, fmt::format("cannot write into the data folder {}: {}", folder,
                                         std::strerror(errno)));
  }
  return FolderLock(descriptor);
}

Result<FolderLock> FolderLock::look(const std::string& folder) {
  PENSTOCK_TRY(descriptor, open_lock(folder, O_RDONLY));
  if (::flock(descriptor, LOCK_SH | LOCK_NB) != 0) return in_use(folder, descriptor);
  return FolderLock(descriptor);
}

std::optional<FolderOwner> folder_owner(const std::string& folder) {
  const auto descriptor = open_lock(folder, O_RDONLY);
  if (!descriptor) return std::nullopt;
  std::optional<FolderOwner> owner;
  if (is_owned(*descriptor)) owner = read_owner(*descriptor);
  ::close(*descriptor);
  return owner;
}

}  // namespace penstock::log
