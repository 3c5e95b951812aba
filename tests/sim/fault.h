// fault.h — what can go wrong, where, and how often it did.
//
// Thread      one.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace penstock::sim {

// Where a worker is when a fault strikes.
enum class Point : uint8_t { claim, write, append, commit, abort, compute, count_ };

enum class Fault : uint8_t {
  none,
  crash_before,  // the process dies before the call …
  crash_after,   // … and right after it
  revoke,        // the group's members change: a worker drains, another comes
  lose,          // the group takes this worker for dead
  pause,         // it stands still past its replacement, then goes on
  outage,        // every request of everybody fails for a while
  delay,         // the answer comes late
  lost_done,     // the request was carried out, its answer is lost
  lost_early,    // the same, but given up while the request is still under way
  lost_undone,   // the request is lost
  retry,         // nothing happened, may be called again
  refuse,        // nothing happened, must be aborted
  full,          // the sink takes no more
  error,         // the sink takes nothing
  repeat,        // the request arrives twice
  blocked,       // a schema is not known yet
  count_
};

constexpr size_t kPoints = static_cast<size_t>(Point::count_);
constexpr size_t kFaults = static_cast<size_t>(Fault::count_);

constexpr std::array<std::string_view, kPoints> kPointNames = {"claim",  "write", "append",
                                                               "commit", "abort", "compute"};
constexpr std::array<std::string_view, kFaults> kFaultNames = {
    "none",   "crash_before", "crash_after", "revoke",     "lose",        "pause",
    "outage", "delay",        "lost_done",   "lost_early", "lost_undone", "retry",
    "refuse", "full",         "error",       "repeat",     "blocked"};

// Whether this fault can happen at this point. `repeat` needs a store.
constexpr bool applies(Fault fault, Point point) {
  switch (fault) {
    case Fault::none:
    case Fault::count_:
      return false;
    case Fault::crash_before:
    case Fault::crash_after:
    case Fault::revoke:
    case Fault::lose:
    case Fault::pause:
    case Fault::outage:
      return true;
    case Fault::delay:
      return point != Point::write && point != Point::compute;
    case Fault::lost_done:
    case Fault::lost_undone:
      return point == Point::commit || point == Point::append;
    case Fault::lost_early:
    case Fault::refuse:
    case Fault::repeat:
      return point == Point::commit;
    case Fault::retry:
      return point == Point::claim || point == Point::commit || point == Point::append;
    case Fault::full:
    case Fault::error:
      return point == Point::write;
    case Fault::blocked:
      break;
  }
  return point == Point::compute;
}

// How often each pair struck.
struct Coverage {
  std::array<std::array<uint64_t, kPoints>, kFaults> counts{};
  void add(Fault fault, Point point) {
    ++counts[static_cast<size_t>(fault)][static_cast<size_t>(point)];
  }
};

// Thrown through a worker: its process is gone.
struct Crash {};

}  // namespace penstock::sim
