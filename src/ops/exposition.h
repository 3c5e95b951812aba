// exposition.h — what the workers of this process do, as Prometheus reads it, and as Kubernetes
// asks:
// is it alive, is it ready?
//
// Alive: every worker's loop has turned within kLoopMillisMax. Ready: every worker has been
// assigned
// its partitions once (none is fine: there may be more workers than partitions), none was
// refused, none stands
// still for good.
//
// Thread      pure functions of snapshots.
// Source      Prometheus text format 0.0.4; names end in their unit, counters in _total.
#pragma once

#include "base/units.h"
#include "flow/store.h"
#include "ops/worker_thread.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::ops {

inline constexpr int64_t kLoopMillisMax = 30'000;

struct ProcessFacts {
  std::string_view pipeline, target, version;
  Millis now;
  Millis started;
};

struct Verdict {
  bool holds = true;
  std::string text;  // why not, a line each; "ok\n" when it holds
};

Verdict alive(std::span<const WorkerSnapshot> workers, Millis now);
Verdict ready(std::span<const WorkerSnapshot> workers);
std::string metrics_text(std::span<const WorkerSnapshot> workers, const ProcessFacts& facts);
struct StoreFigures {
  std::string_view store;
  std::vector<flow::StoreFigure> figures;
};
// penstock_store_…{store="latest"}; of several stores a name's lines stand together.
std::string store_metrics_text(std::span<const StoreFigures> stores);

}  // namespace penstock::ops
