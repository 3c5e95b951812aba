// Any bytes as a shared file of AWS's; an error names a line and never shows it.
#include "aws/profile.h"

#include <cstdlib>

using namespace penstock::aws;  // NOLINT: a program of one page

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool credentials : {false, true}) {
    Profiles profiles;
    const auto parsed = parse_profiles(text, "file", credentials, profiles);
    if (!parsed && parsed.error().message.size() > 100) std::abort();
    (void)value_of(profiles.find("default"), "region");
  }
  return 0;
}
