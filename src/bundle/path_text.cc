#include "bundle/path_text.h"

#include <algorithm>

namespace penstock::bundle::paths {
namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else {
      parts.emplace_back(part);
    }
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out += '/';
    out += parts[i];
  }
  return out;
}

}  // namespace

std::string normal(std::string_view path) {
  std::vector<std::string> parts = split(path);
  if (!path.starts_with('/')) return join(parts, parts.size());
  while (!parts.empty() && parts.front() == "..") parts.erase(parts.begin());
  return "/" + join(parts, parts.size());
}

std::string whole(std::string_view folder, std::string_view path) {
  if (path.starts_with('/')) return normal(path);
  return normal(std::string(folder) + "/" + std::string(path));
}

std::string folder_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? "" : std::string(path.substr(0, slash));
}

std::string common_folder(const std::vector<std::string>& all) {
  std::vector<std::string> common = split(folder_of(all.front()));
  for (const std::string& path : all) {
    const std::vector<std::string> parts = split(folder_of(path));
    const auto [end, ignored] = std::ranges::mismatch(common, parts);
    common.erase(end, common.end());
  }
  return "/" + join(common, common.size());
}

std::string inside(std::string_view path, std::string_view folder) {
  path.remove_prefix(std::min(folder.size(), path.size()));
  while (path.starts_with('/')) path.remove_prefix(1);
  return std::string(path);
}

bool stays_inside(std::string_view path) {
  return !path.empty() && !path.starts_with('/') && path == normal(path) && path != ".." &&
         !path.starts_with("../") && path.find('\0') == std::string_view::npos;
}

}  // namespace penstock::bundle::paths
