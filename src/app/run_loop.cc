#include "app/run_loop.h"

#include "app/terminal.h"

#include <fmt/format.h>

#include <poll.h>

#include <map>

namespace penstock::app {
namespace {

constexpr int64_t kLookMillis = 20;
constexpr int64_t kTablesMillis = 1000;

// Says once what each worker waits for, and when that is over.
class Troubles {
 public:
  void tell(ops::Runner& runner, ops::Output& output) {
    for (const ops::WorkerSnapshot& worker : runner.workers()) {
      std::string now = worker.error && worker.state != engine::WorkerState::running
                            ? one_line(*worker.error)
                            : "";
      std::string& before = last_[worker.stage];
      if (now == before) continue;
      output.note(now.empty() ? fmt::format("{}: goes on\n", worker.stage)
                              : fmt::format("{}: {}: {}\n", worker.stage,
                                            engine::to_text(worker.state), now));
      before = std::move(now);
    }
  }

 private:
  std::map<std::string, std::string> last_;
};

}  // namespace

bool wait_for_signal(int64_t millis) {
  pollfd event{Terminal::signal_descriptor(), POLLIN, 0};
  ::poll(&event, 1, static_cast<int>(millis));
  return Terminal::drain_requested();
}

Result<void> run_until(Host& host, const RunUntil& until, ops::Output& output) {
  ops::Runner& runner = *host.runner();
  Troubles troubles;
  const Millis began = host.clock().now();
  Millis tables_looked = began;
  while (!wait_for_signal(kLookMillis)) {
    if (const auto failure = runner.failure()) {
      runner.drain();
      return std::unexpected(*failure);
    }
    troubles.tell(runner, output);
    const Millis now = host.clock().now();
    if (now.value - tables_looked.value >= kTablesMillis) {
      tables_looked = now;
      for (const std::string& problem : host.instance().refresh_tables())
        output.note(problem + "\n");
    }
    if (until.millis > 0 && now.value - began.value >= until.millis) break;
    if (!until.until_idle || !host.quiet()) continue;
    PENSTOCK_TRY(idle, runner.idle());
    if (idle && host.quiet()) break;
  }
  runner.drain();
  return {};
}

}  // namespace penstock::app
