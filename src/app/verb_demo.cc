#include "app/host.h"
#include "app/load.h"
#include "app/producing.h"
#include "app/run_loop.h"
#include "app/templates.h"
#include "app/terminal.h"
#include "app/verbs.h"
#include "inspect/verify.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace penstock::app {
namespace {

constexpr int64_t kTickMillis = 1000;
constexpr uint32_t kNewestRows = 4;

// The demo's pipeline lies in a folder of its own, so that its rules can be changed.
constexpr const char* kFolder = "penstock-demo";

int64_t demo_seconds() {
  const char* text = std::getenv("PENSTOCK_DEMO_SECONDS");
  return text == nullptr ? 0 : std::atoll(text);
}

class Demo {
 public:
  Demo(Host& host, Producing& producing, ops::Output& output)
      : host_(host), producing_(producing), output_(output) {}

  Result<void> run(int64_t seconds) {
    const Millis began = host_.clock().now();
    for (int64_t tick = 1;; ++tick) {
      const int64_t due = began.value + tick * kTickMillis;
      const bool stop = wait_for_signal(std::max<int64_t>(0, due - host_.clock().now().value));
      for (const auto& problem : {host_.runner()->failure(), producing_.failure()}) {
        if (problem) return std::unexpected(*problem);
      }
      host_.instance().refresh_tables();
      PENSTOCK_TRY_VOID(show());
      if (stop || (seconds > 0 && tick >= seconds)) return {};
    }
  }

  Result<void> finish() {
    output_.note("draining: the producers stop, what is on its way is committed\n");
    producing_.drain();
    while (true) {
      PENSTOCK_TRY(idle, host_.runner()->idle());
      if (idle || host_.runner()->failure()) break;
      wait_for_signal(20);
    }
    host_.runner()->drain();
    Instance& instance = host_.instance();
    PENSTOCK_TRY(snapshot, inspect::look(*instance.plan(), instance.log(), instance.store_of()));
    PENSTOCK_TRY(verified, inspect::verify(*instance.plan(), instance.log(), snapshot, {}));
    for (const inspect::Sum& sum : verified.sums) {
      if (!sum.holds) output_.out(fmt::format("WRONG: {}: {}\n", sum.what, sum.equation));
    }
    if (!verified.holds()) return fail("V001"_code, "some sums do not add up");
    output_.out(
        fmt::format("every record is accounted for ({} sums add up)\n", verified.sums.size()));
    return {};
  }

 private:
  Result<void> show() {
    Instance& instance = host_.instance();
    PENSTOCK_TRY(snapshot, inspect::look(*instance.plan(), instance.log(), instance.store_of()));
    std::string text;
    for (const plan::Stage& stage : instance.plan()->stages) {
      uint64_t in = 0, dead = 0, dropped = 0;
      for (const auto& one : snapshot.stages) {
        if (one.stage != stage.id) continue;
        in += one.fates.in;
        dead += one.fates.dead;
        dropped += one.fates.dropped.total();
      }
      text += fmt::format("  {:<20} in {:>9}  dropped {:>6}  dead {:>6}  lag {:>6}\n", stage.id, in,
                          dropped, dead, snapshot.lag_of(stage.id));
    }
    for (const auto& store : snapshot.stores) {
      if (store.rows) text += fmt::format("  store {:<14} {:>9} rows\n", store.store, *store.rows);
    }
    text += newest_rows();
    // On a terminal the picture stays where it is.
    if (Terminal::is_terminal() && std::getenv("NO_COLOR") == nullptr && lines_ > 0) {
      output_.out(fmt::format("\x1b[{}A\x1b[J", lines_));
    }
    lines_ = std::count(text.begin(), text.end(), '\n') + 1;
    output_.out(fmt::format("{} readings produced\n{}", producing_.committed_records(), text));
    return {};
  }

  std::string newest_rows() {
    std::string text;
    for (const plan::Store& store : host_.instance().plan()->stores) {
      flow::Store* opened = host_.instance().store_of()(store.name);
      const auto rows = opened == nullptr ? std::vector<std::string>()
                                          : opened->newest(store.table, kNewestRows, {});
      if (!rows) continue;
      for (const std::string& row : *rows)
        text += fmt::format("  {} {}\n", store.name, row.substr(0, 150));
      break;
    }
    return text;
  }

  Host& host_;
  Producing& producing_;
  ops::Output& output_;
  int64_t lines_ = 0;
};

}  // namespace

Result<int> demo(const Options& options, ops::Output& output) {
  const std::string file = fmt::format("{}/pipeline.yaml", kFolder);
  if (!std::filesystem::exists(file)) PENSTOCK_TRY_VOID(write_template("meters", kFolder));
  Options ours = options;
  ours.files = {file};
  const auto plan = load(ours, output, true);
  if (!plan) return plan.error();
  const std::string folder = data_folder(ours);
  output.note(fmt::format(
      "The pipeline is {}: change a rule, and start again.\n"
      "Kill this with kill -9 {} and start again: every reading is stored once.\n"
      "From another terminal: penstock status|lag|tail|dead|verify {}\nCtrl-C drains.\n\n",
      file, getpid(), kFolder));
  PENSTOCK_TRY(host, Host::open(*plan, folder));
  PENSTOCK_TRY_VOID(host->run_stages({}));
  PENSTOCK_TRY(producing, Producing::start(host->instance(), host->clock()));
  Demo demo(*host, *producing, output);
  PENSTOCK_TRY_VOID(demo.run(demo_seconds()));
  PENSTOCK_TRY_VOID(demo.finish());
  for (const plan::Store& store : (*plan)->stores) {
    output.out(fmt::format("look: sqlite3 {} 'select * from {} limit 5'\n",
                           store_path(folder, store.name), store.table.table));
  }
  return 0;
}

}  // namespace penstock::app
