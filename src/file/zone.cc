#include "file/zone.h"

#include <fstream>

namespace penstock::file {

namespace {
constexpr std::streamsize kFileBytesMax = 1 << 20;
}  // namespace

std::string read_zone(std::string_view name) {
  std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
  if (!file) return "";
  std::string bytes(kFileBytesMax + 1, '\0');
  file.read(bytes.data(), kFileBytesMax + 1);
  if (file.gcount() > kFileBytesMax) return "";
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

}  // namespace penstock::file
