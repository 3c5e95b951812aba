#include "app/run_loop.h"

#include "app/autoscale.h"
#include "app/terminal.h"
#include "plan/values.h"

#include <fmt/format.h>

#include <poll.h>

#include <map>
#include <optional>

namespace penstock::app {
namespace {

constexpr int64_t kLookMillis = 20;
constexpr int64_t kTablesMillis = 1000;
constexpr int64_t kRefusedMillis = 5'000;       // rights that are granted this very moment
constexpr int64_t kUnreachableMillis = 12'000;  // so that the exit comes within 15 s

// What keeps a worker from running, for people; "" when nothing does.
std::string trouble_of(const ops::WorkerSnapshot& worker) {
  if (worker.state == engine::WorkerState::stopped) {
    return "too many dead letters (dead_letters: stop_above); mend the rule or the producer and "
           "start again";
  }
  if (worker.state == engine::WorkerState::running || !worker.error) return {};
  return one_line(*worker.error);
}

// Says once what each worker waits for, and when that is over.
class Troubles {
 public:
  void tell(ops::Runner& runner, ops::Output& output) {
    for (const ops::WorkerSnapshot& worker : runner.workers()) {
      std::string now = trouble_of(worker);
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

// A stage that was stopped never becomes idle: who waits for idleness is told so.
std::optional<Error> stopped_stage(ops::Runner& runner) {
  for (const ops::WorkerSnapshot& worker : runner.workers()) {
    if (worker.state != engine::WorkerState::stopped) continue;
    return fail("V004"_code, fmt::format("stage {} stopped: {}", worker.stage, trouble_of(worker)))
        .take();
  }
  return std::nullopt;
}

Result<void> all_was_read(const ops::Runner::Rest& rest) {
  if (rest.standing.empty()) return {};
  return fail(
      "V005"_code,
      fmt::format("{} stand{} still: {}", rest.standing.size() == 1 ? "a partition" : "partitions",
                  rest.standing.size() == 1 ? "s" : "", fmt::join(rest.standing, "; ")));
}

// Refused for good reasons, or not reached, before it ever had work: nobody is helped by waiting
// on.
std::optional<Error> never_began(ops::Runner& runner, int64_t waited_millis) {
  for (const ops::WorkerSnapshot& worker : runner.workers()) {
    if (worker.ever_claimed || !worker.error) continue;
    const bool refused = worker.refused && waited_millis >= kRefusedMillis;
    const bool unreached = !worker.ever_assigned && waited_millis >= kUnreachableMillis;
    if (refused || unreached) return worker.error;
  }
  return std::nullopt;
}

Result<void> drain(ops::Runner& runner, const RunUntil& until, ops::Output& output) {
  const auto tell = [&](const std::string& line) { output.note(line); };
  return drained(runner.drain({until.grace_millis, tell}), until.grace_millis);
}

}  // namespace

Result<void> drained(bool whole, int64_t grace_millis) {
  if (whole) return {};
  return fail("V006"_code, fmt::format("not everything could be committed within the grace of {}",
                                       plan::duration_text(grace_millis)));
}

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
      drain(runner, until, output);  // what it failed of counts
      return std::unexpected(*failure);
    }
    troubles.tell(runner, output);
    if (Autoscale* autoscale = host.autoscale()) {
      if (auto scaled = autoscale->turn(host.clock().now(), output); !scaled) {
        drain(runner, until, output);  // what could not be started counts
        return std::unexpected(scaled.error());
      }
    }
    const Millis now = host.clock().now();
    if (now.value - tables_looked.value >= kTablesMillis) {
      tables_looked = now;
      for (const std::string& problem : host.instance().refresh_tables())
        output.note(problem + "\n");
    }
    if (auto error = never_began(runner, now.value - began.value)) {
      drain(runner, until, output);  // what it failed of counts
      return std::unexpected(*std::move(error));
    }
    if (until.millis > 0 && now.value - began.value >= until.millis) break;
    if (!until.until_idle || !host.quiet()) continue;
    if (auto stopped = stopped_stage(runner)) {
      drain(runner, until, output);  // what it failed of counts
      return std::unexpected(*std::move(stopped));
    }
    const auto rest = runner.rest();
    if (rest && (!rest->over || !host.quiet())) continue;
    PENSTOCK_TRY_VOID(drain(runner, until, output));
    if (!rest) return std::unexpected(rest.error());
    return all_was_read(*rest);
  }
  return drain(runner, until, output);
}

}  // namespace penstock::app
