// sim_planted: every bug that is put in on purpose has to be found by the law, on seeds on which
// the engine without it is clean.
//
//     sim_planted [--seeds 300] [--bug NAME]
#include "engine/planted.h"
#include "world.h"

#include <fmt/core.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace penstock {

// In this program a broken invariant is something to count, not the end: a bug must be found by the
// law, whether or not the engine's own assertions would have stopped it before.
[[noreturn]] void check_failed(const char* expression, const char*, int) {
  throw std::logic_error(expression);
}

}  // namespace penstock

namespace penstock::sim {
namespace {

struct Planted {
  std::string_view name;
  engine::Bug bug = engine::Bug::none;
  log::MemoryFlaw flaw = log::MemoryFlaw::none;
};

constexpr Planted kPlanted[] = {
    {"commit before write", engine::Bug::commit_before_write},
    {"seek dropped after abort", engine::Bug::seek_dropped_after_abort},
    {"positions past the handed-out records", engine::Bug::position_past_handed_out},
    {"resumed worker commits old work", engine::Bug::resumed_commits_old_work},
    {"dead letter outside the epoch", engine::Bug::dead_letter_outside},
    {"sent ahead of the former commit", engine::Bug::sent_ahead},
    {"unknown taken for done", engine::Bug::unknown_as_done},
    {"unknown taken for abort", engine::Bug::unknown_as_abort},
    {"computed ahead, kept after an abort", engine::Bug::ahead_kept_after_abort},
    {"rejected rows not corrected in fates", engine::Bug::rejected_fates_kept},
    {"a store's dead letters after the commit", engine::Bug::dead_after_commit},
    {"state committed after its epoch", engine::Bug::state_after_commit},
    {"undo forgotten after an abort", engine::Bug::undo_forgotten},
    {"state not restored at claim", engine::Bug::state_not_restored},
    {"state of a lost partition kept", engine::Bug::state_kept_when_lost},
    {"stale owner not fenced", engine::Bug::none, log::MemoryFlaw::zombie_not_fenced},
    {"reader passes an unfinished epoch", engine::Bug::none, log::MemoryFlaw::reader_passes_open},
    {"reader sees an unfinished epoch", engine::Bug::none, log::MemoryFlaw::reader_sees_open},
    {"claim does not wait for pending offsets", engine::Bug::none, log::MemoryFlaw::claim_unstable},
    {"a fenced producer's late commit counts", engine::Bug::none,
     log::MemoryFlaw::late_end_accepted},
};

struct Found {
  uint64_t seed = 0;  // 0: none
  std::string violation;
  uint64_t stopped = 0;  // seeds ended by an assertion of the engine or the log
};

Found hunt(const Planted& planted, uint64_t seeds) {
  engine::planted_bug = planted.bug;
  Coverage coverage;
  Found found;
  for (uint64_t seed = 1; seed <= seeds && found.seed == 0; ++seed) {
    Settings settings;
    settings.seed = seed;
    settings.flaw = planted.flaw;
    try {
      World world(settings, coverage);
      const auto violations = world.run();
      if (violations.empty()) continue;
      found.seed = seed;
      found.violation = violations.front();
    } catch (const std::logic_error&) {
      ++found.stopped;
    }
  }
  return found;
}

int run(uint64_t seeds, std::string_view only) {
  const Found clean = hunt({"none"}, seeds);
  if (clean.seed != 0 || clean.stopped != 0) {
    fmt::print("the engine without a bug is not clean: seed {}: {}\n", clean.seed, clean.violation);
    return 1;
  }
  fmt::print("{} seeds are clean without a bug\n", seeds);
  int missed = 0;
  for (const Planted& planted : kPlanted) {
    if (!only.empty() && planted.name != only) continue;
    const Found found = hunt(planted, seeds);
    if (found.seed == 0) {
      fmt::print("MISSED   {:42} in {} seeds ({} stopped by an assertion)\n", planted.name, seeds,
                 found.stopped);
      ++missed;
    } else {
      fmt::print("found    {:42} seed {:3}: {}\n", planted.name, found.seed, found.violation);
    }
  }
  fmt::print("{} bugs planted, {} missed\n", std::size(kPlanted), missed);
  return missed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace penstock::sim

int main(int argc, char** argv) {
  uint64_t seeds = 300;
  std::string_view only;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--seeds") seeds = std::strtoull(argv[i + 1], nullptr, 10);
    if (flag == "--bug") only = argv[i + 1];
  }
  return penstock::sim::run(seeds, only);
}
