#include "app/input_text.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace penstock::app {
namespace {
constexpr size_t kInputBytesMax = 256 << 20;
}  // namespace

Result<std::string> read_input(const std::string& path) {
  struct Close {
    void operator()(std::FILE* file) const {
      if (file != stdin) std::fclose(file);
    }
  };
  const std::unique_ptr<std::FILE, Close> file(path == "-" ? stdin
                                                           : std::fopen(path.c_str(), "rb"));
  if (!file)
    return fail("U003"_code, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  std::string text;
  char piece[65536];
  while (const size_t got = std::fread(piece, 1, sizeof piece, file.get())) {
    text.append(piece, got);
    if (text.size() > kInputBytesMax)
      return fail("U003"_code, fmt::format("{} is larger than 256 MiB", path));
  }
  if (std::ferror(file.get()) != 0)
    return fail("U003"_code, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  return text;
}

avro::Framing framing_of(const std::string& name) {
  return name == "single-object" ? avro::Framing::single_object : avro::Framing::bare;
}

}  // namespace penstock::app
