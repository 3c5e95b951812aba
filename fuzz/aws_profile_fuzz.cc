// Any bytes as both shared files of AWS's; an error names a line and never shows it, and what both
// say together is what each says.
#include "aws/profile.h"

#include <cstdlib>
#include <optional>
#include <string>

using namespace penstock::aws;  // NOLINT: a program of one page

namespace {

// The files' text, wherever they are asked for.
Surroundings around(std::string_view text) {
  return {.variable = [](const std::string& name) -> std::optional<std::string> {
            if (name == "AWS_CONFIG_FILE") return "~/elsewhere";
            return std::nullopt;
          },
          .read = [text](const std::string& path) -> penstock::Result<std::string> {
            if (!path.starts_with("/home/")) std::abort();
            return std::string(text);
          },
          .home = "/home"};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  bool good = true;
  Profiles both;
  for (const bool credentials : {false, true}) {
    const auto parsed = parse_profiles(text, "file", credentials, both);
    if (!parsed && parsed.error().message.size() > 100) std::abort();
    good = good && parsed;
  }
  const Surroundings here = around(text);
  const auto loaded = load_profiles(here);
  if (loaded.has_value() != good) std::abort();
  if (!loaded) return 0;
  if (loaded->profiles != both.profiles || loaded->services != both.services) std::abort();
  const auto name = profile_name(here);
  if (value_of(loaded->find(name), "region") != value_of(both.find("default"), "region"))
    std::abort();
  return 0;
}
