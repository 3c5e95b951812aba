#include "app/autoscale.h"

#include <fmt/format.h>

namespace penstock::app {
namespace {

constexpr int64_t kOwnFolderMillis = 1'000;
constexpr int64_t kClusterMillis = 5'000;  // a look asks brokers

}  // namespace

Autoscale::Autoscale(Instance& instance, ops::Runner& runner)
    : instance_(instance),
      runner_(runner),
      scaling_(*instance.plan(), {.hpa = false}),
      every_millis_(instance.owns_folder() ? kOwnFolderMillis : kClusterMillis) {}

Result<void> Autoscale::turn(Millis now, ops::Output& output) {
  if (now < next_) return {};
  next_ = now + every_millis_;
  if (!scaling_.look(instance_.log(), now)) return {};  // as it is until the log tells again
  for (const StageNeed& need : scaling_.stages()) {
    if (!need.decision || !runner_.runs(need.stage)) continue;
    PENSTOCK_TRY_VOID(runner_.set_workers(need.stage, need.decision->replicas));
    const auto [at, is_new] = told_.try_emplace(need.stage, need.decision->replicas);
    if (!is_new && at->second == need.decision->replicas) continue;
    at->second = need.decision->replicas;
    output.note(fmt::format("{}: {}\n", need.stage, need.decision->reason));
  }
  return {};
}

}  // namespace penstock::app
