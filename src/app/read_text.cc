#include "app/read_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace penstock::app {
namespace {
constexpr size_t kFirstBytes = 64 << 10;
}  // namespace

Result<std::string> read_text(const std::string& path, size_t limit_bytes) {
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (!std::filesystem::exists(status)) {
    return fail("P001"_code, fmt::format("there is no file {}", path));
  }
  if (std::filesystem::is_directory(status)) {
    return fail("P002"_code, fmt::format("{} is a folder", path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!std::filesystem::is_regular_file(status) || !file) {
    return fail("P001"_code, fmt::format("{} cannot be read", path));
  }
  // Piece by piece: the limit may be far above what the file has.
  std::string text;
  while (file && text.size() <= limit_bytes) {
    const size_t before = text.size();
    text.resize(std::min(before + std::max(before, kFirstBytes), limit_bytes + 1));
    file.read(text.data() + before, static_cast<std::streamsize>(text.size() - before));
    text.resize(before + static_cast<size_t>(file.gcount()));
  }
  if (file.bad()) return fail("P001"_code, fmt::format("{} cannot be read", path));
  if (text.size() > limit_bytes) {
    return fail("P003"_code, fmt::format("{} has more than {} bytes", path, limit_bytes));
  }
  return text;
}

}  // namespace penstock::app
