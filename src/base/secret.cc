#include "base/secret.h"

#include <sys/prctl.h>

#include <cstdlib>
#include <cstring>

namespace penstock {

void wipe(std::string& text) {
  text.resize(text.capacity());
  volatile char* bytes = text.data();
  for (size_t i = 0; i < text.size(); ++i) bytes[i] = 0;
  text.clear();
}

void forbid_core_dumps() {
  static const bool forbidden = [] {
    const char* wanted = std::getenv("PENSTOCK_CORE_DUMPS");
    if (wanted != nullptr && std::strcmp(wanted, "1") == 0) return false;
    return prctl(PR_SET_DUMPABLE, 0) == 0;
  }();
  static_cast<void>(forbidden);
}

}  // namespace penstock
