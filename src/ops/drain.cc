#include "ops/drain.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

namespace penstock::ops {
namespace {

constexpr int64_t kTellMillis = 1'000;
constexpr std::chrono::milliseconds kLook{10};

std::string waits_for(const WorkerSnapshot& worker) {
  return fmt::format("draining: {} has {} records open{}{}\n", worker.stage, worker.open_records,
                     worker.error ? ": " : "", worker.error ? one_line(*worker.error) : "");
}

}  // namespace

bool drain(std::span<const std::unique_ptr<WorkerThread>> threads, const Clock& clock,
           const DrainHow& how) {
  for (const auto& thread : threads) thread->request_drain();
  const int64_t began = clock.now().value;
  const auto all_ended = [&] {
    return std::ranges::all_of(threads, [](const auto& thread) { return thread->ended(); });
  };
  std::map<const WorkerThread*, std::string> told;
  int64_t waited = 0;
  while (!all_ended() && waited < how.grace_millis) {
    std::this_thread::sleep_for(kLook);
    waited = clock.now().value - began;
    if (!how.tell || waited < kTellMillis) continue;
    for (const auto& thread : threads) {
      if (thread->ended()) continue;
      std::string line = waits_for(thread->snapshot());
      if (told[thread.get()] == line) continue;
      how.tell(line);
      told[thread.get()] = std::move(line);
    }
  }
  const bool drained = all_ended();
  for (const auto& thread : threads) thread->request_stop();
  for (const auto& thread : threads) thread->join();
  return drained;
}

}  // namespace penstock::ops
