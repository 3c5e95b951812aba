// check.h — assertions for bugs of ours. Always on: a broken invariant must not reach a store.
#pragma once

namespace penstock {
// Prints the broken invariant with its place to stderr and aborts.
[[noreturn]] void check_failed(const char* expression, const char* file, int line);
}  // namespace penstock

#define PENSTOCK_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::penstock::check_failed(#condition, __FILE__, __LINE__))
