// drain.h — the end of many workers: each commits what it has, within a time of grace.
//
// A worker whose log or store is away can not commit; it would wait for ever. When the grace is
// over it is stopped where it is, as a crash would: nothing is lost, what was open is read again.
//
// Thread      the owner of the threads; blocks for grace_millis at most, and as long as clients
//             need to close.
//
//     DrainHow how{.grace_millis = 25'000, .tell = [&](const std::string& line) { note(line); }};
//     if (!drain(threads, clock, how)) …
#pragma once

#include "base/clock.h"
#include "ops/worker_thread.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace penstock::ops {

inline constexpr int64_t kGraceMillis = 25'000;  // below the 30 s that Kubernetes gives a pod

struct DrainHow {
  int64_t grace_millis = kGraceMillis;
  // Hears what is waited for, a line per worker, after a second and when it changes.
  std::function<void(const std::string& line)> tell = {};
};

// False when some worker had to be stopped.
bool drain(std::span<const std::unique_ptr<WorkerThread>> threads, const Clock& clock,
           const DrainHow& how);

}  // namespace penstock::ops
