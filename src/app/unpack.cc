#include "app/unpack.h"

#include "app/read_text.h"
#include "bundle/bundle.h"

#include <fmt/format.h>

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace penstock::app {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNameDigits = 16;

Failure cannot(const fs::path& path, const std::string& why) {
  return fail("B005"_code, fmt::format("cannot write {}: {}", path.string(), why));
}

Result<void> make_folder_of(const fs::path& path) {
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  if (failed) return cannot(path.parent_path(), failed.message());
  return {};
}

// A name that no other process has; put in place of `path` in one act.
Result<void> replace(const fs::path& made, const fs::path& path) {
  std::error_code failed;
  fs::rename(made, path, failed);
  if (!failed) return {};
  std::error_code ignored;
  fs::remove(made, ignored);
  return cannot(path, failed.message());
}

fs::path beside(const fs::path& path) { return fmt::format("{}.{}", path.string(), getpid()); }

Result<void> put_text(const fs::path& path, const std::string& text) {
  if (const auto there = read_text(path.string(), text.size()); there && *there == text) return {};
  PENSTOCK_TRY_VOID(make_folder_of(path));
  const fs::path made = beside(path);
  std::ofstream file(made, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return cannot(path, std::generic_category().message(errno));
  return replace(made, path);
}

Result<void> put_link(const fs::path& path, const bundle::TableFile& table) {
  const char* folder = std::getenv("PENSTOCK_TABLES");
  const fs::path from = fs::path(folder == nullptr ? "" : folder) / table.path;
  std::error_code failed;
  if (folder == nullptr || !fs::is_regular_file(from, failed)) {
    return fail("B006"_code,
                fmt::format("table \"{}\" ({} bytes) is not in the bundle, and {}", table.name,
                            table.size_bytes,
                            folder == nullptr ? "PENSTOCK_TABLES is not set"
                                              : fmt::format("there is no {}", from.string())));
  }
  const fs::path to = fs::absolute(from, failed);
  if (fs::read_symlink(path, failed) == to) return {};
  PENSTOCK_TRY_VOID(make_folder_of(path));
  const fs::path made = beside(path);
  fs::create_symlink(to, made, failed);
  if (failed) return cannot(path, failed.message());
  return replace(made, path);
}

}  // namespace

bool is_bundle_file(const std::string& path) {
  std::array<char, 64> head = {};
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), head.size());
  return bundle::is_bundle({head.data(), static_cast<size_t>(file.gcount())});
}

Result<Unpacked> unpack_bundle(const std::string& path, const std::string& target,
                               const std::string& data_folder) {
  PENSTOCK_TRY(text, read_text(path, bundle::kMaxBytes));
  PENSTOCK_TRY(opened, bundle::read(text, path));
  if (!target.empty() && target != opened.target) {
    return fail("B004"_code, fmt::format("{} is for target \"{}\", not for \"{}\"", path,
                                         opened.target, target));
  }
  const fs::path folder =
      fs::path(data_folder) / ("bundle-" + opened.sha256.substr(0, kNameDigits));
  for (const auto& [name, content] : opened.files.texts) {
    PENSTOCK_TRY_VOID(put_text(folder / name, content));
  }
  for (const bundle::TableFile& table : opened.files.tables) {
    if (!table.is_inline) PENSTOCK_TRY_VOID(put_link(folder / table.path, table));
  }
  return Unpacked{(folder / opened.files.pipeline).string(), opened.target};
}

}  // namespace penstock::app
