#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace penstock {

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "penstock: broken invariant: %s (%s:%d); please report this\n", expression,
               file, line);
  std::abort();
}

}  // namespace penstock
