#include "aws/surroundings.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

namespace penstock::aws {
namespace {

constexpr size_t kMaxFileBytes = 256 * 1024;

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

Result<std::string> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail("W002"_code, fmt::format("{} cannot be read", path));
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (file.bad() || text.size() > kMaxFileBytes) {
    return fail("W002"_code, fmt::format("{} cannot be read, or is above 256 KiB", path));
  }
  return text;
}

}  // namespace

Surroundings machine() { return {variable, read, variable("HOME").value_or("")}; }

}  // namespace penstock::aws
