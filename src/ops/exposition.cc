#include "ops/exposition.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <map>

namespace penstock::ops {
namespace {

std::string label_text(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? ' ' : c;
  }
  return text;
}

struct Metric {
  std::string_view name, help;
  uint64_t engine::WorkerCounters::* counter;
};

constexpr auto kCounters = std::to_array<Metric>({
    {"records_read_total", "Records handed to the steps, repeats after an abort included.",
     &engine::WorkerCounters::records},
    {"records_committed_total", "Records whose epoch is durable.",
     &engine::WorkerCounters::committed_records},
    {"dead_letters_total", "Records set aside, repeats after an abort included.",
     &engine::WorkerCounters::dead},
    {"epochs_committed_total", "Epochs that are durable.", &engine::WorkerCounters::epochs},
    {"epochs_dropped_total", "Epochs with records that were given up and read again.",
     &engine::WorkerCounters::dropped_epochs},
    {"commit_retries_total", "Commits called again after an outage.",
     &engine::WorkerCounters::retries},
    {"commit_aborts_total", "Commits that ended in an abort.", &engine::WorkerCounters::aborts},
    {"commit_unknowns_total", "Commits whose end was not told and was looked up.",
     &engine::WorkerCounters::unknowns},
    {"commit_fenced_total", "Commits refused because a newer owner was there.",
     &engine::WorkerCounters::fenced},
    {"rows_rejected_total", "Rows that the store refused.", &engine::WorkerCounters::rejected_rows},
    {"revocations_total", "Times that partitions were asked back.",
     &engine::WorkerCounters::revocations},
    {"losses_total", "Times that partitions were lost without asking.",
     &engine::WorkerCounters::losses},
    {"claims_total", "Claims of partitions that succeeded.", &engine::WorkerCounters::claims},
    {"outages_total", "Times that the log did not answer.", &engine::WorkerCounters::outages},
});

void head(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
  fmt::format_to(std::back_inserter(out), "# HELP penstock_{0} {1}\n# TYPE penstock_{0} {2}\n",
                 name, help, type);
}

// Workers of one stage are told apart by their number.
std::string labels(std::span<const WorkerSnapshot> workers, size_t index) {
  size_t number = 0;
  for (size_t i = 0; i < index; ++i) number += workers[i].stage == workers[index].stage ? 1 : 0;
  return fmt::format("stage=\"{}\",worker=\"{}\"", label_text(workers[index].stage), number);
}

void counters(std::string& out, std::span<const WorkerSnapshot> workers) {
  for (const Metric& metric : kCounters) {
    head(out, metric.name, metric.help, "counter");
    for (size_t i = 0; i < workers.size(); ++i) {
      fmt::format_to(std::back_inserter(out), "penstock_{}{{{}}} {}\n", metric.name,
                     labels(workers, i), workers[i].counters.*metric.counter);
    }
  }
}

template <class Number>
void gauge(std::string& out, std::span<const WorkerSnapshot> workers, std::string_view name,
           std::string_view help, Number number) {
  head(out, name, help, "gauge");
  for (size_t i = 0; i < workers.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "penstock_{}{{{}}} {}\n", name, labels(workers, i),
                   number(workers[i]));
  }
}

void commit_seconds(std::string& out, std::span<const WorkerSnapshot> workers) {
  head(out, "commit_duration_seconds", "From the end of an epoch to its commit's answer.",
       "histogram");
  for (size_t i = 0; i < workers.size(); ++i) {
    const engine::DurationCounts& durations = workers[i].counters.commit_durations;
    const std::string name = labels(workers, i);
    uint64_t sum = 0;
    for (size_t bucket = 0; bucket < durations.counts.size(); ++bucket) {
      sum += durations.counts[bucket];
      const std::string bound =
          bucket < engine::DurationCounts::kBoundsMillis.size()
              ? fmt::format(
                    "{}",
                    static_cast<double>(engine::DurationCounts::kBoundsMillis[bucket]) / 1000.0)
              : "+Inf";
      fmt::format_to(std::back_inserter(out),
                     "penstock_commit_duration_seconds_bucket{{{},le=\"{}\"}} {}\n", name, bound,
                     sum);
    }
    fmt::format_to(std::back_inserter(out),
                   "penstock_commit_duration_seconds_sum{{{0}}} {1}\n"
                   "penstock_commit_duration_seconds_count{{{0}}} {2}\n",
                   name, static_cast<double>(durations.sum_millis) / 1000.0, sum);
  }
}

}  // namespace

Verdict alive(std::span<const WorkerSnapshot> workers, Millis now) {
  Verdict verdict;
  for (const WorkerSnapshot& worker : workers) {
    const int64_t still_millis = now.value - worker.turned.value;
    if (worker.state == engine::WorkerState::drained || still_millis <= kLoopMillisMax) continue;
    verdict.holds = false;
    verdict.text += fmt::format("{}: has not turned for {} s\n", worker.stage, still_millis / 1000);
  }
  if (verdict.holds) verdict.text = "ok\n";
  return verdict;
}

Verdict ready(std::span<const WorkerSnapshot> workers) {
  Verdict verdict;
  for (const WorkerSnapshot& worker : workers) {
    std::string why;
    if (worker.state == engine::WorkerState::failed) {
      why = "can not go on";
    } else if (worker.state == engine::WorkerState::stopped) {
      why = "stopped: too many dead letters";
    } else if (worker.refused) {
      why = "was refused";
    } else if (!worker.ever_assigned) {
      why = "waits for its first assignment";
    }
    if (why.empty()) continue;
    verdict.holds = false;
    verdict.text += fmt::format("{}: {}{}\n", worker.stage, why,
                                worker.error ? ": " + one_line(*worker.error) : std::string());
  }
  if (verdict.holds) verdict.text = "ok\n";
  return verdict;
}

std::string metrics_text(std::span<const WorkerSnapshot> workers, const ProcessFacts& facts) {
  std::string out;
  head(out, "build_info", "What runs here; always 1.", "gauge");
  fmt::format_to(std::back_inserter(out),
                 "penstock_build_info{{pipeline=\"{}\",target=\"{}\",version=\"{}\"}} 1\n",
                 label_text(facts.pipeline), label_text(facts.target), label_text(facts.version));
  head(out, "uptime_seconds", "How long this process has been running.", "gauge");
  fmt::format_to(std::back_inserter(out), "penstock_uptime_seconds {}\n",
                 static_cast<double>(facts.now.value - facts.started.value) / 1000.0);
  counters(out, workers);
  gauge(out, workers, "partitions_owned", "Input partitions that this worker reads.",
        [](const WorkerSnapshot& w) { return w.partitions_owned; });
  gauge(out, workers, "records_open", "Records read and not durable yet.",
        [](const WorkerSnapshot& w) { return w.open_records; });
  gauge(out, workers, "worker_ready", "1 when the worker is assigned and not refused or stopped.",
        [](const WorkerSnapshot& w) { return ready({&w, 1}).holds ? 1 : 0; });
  gauge(out, workers, "loop_idle_seconds", "How long ago the worker's loop turned.",
        [&](const WorkerSnapshot& w) {
          return static_cast<double>(facts.now.value - w.turned.value) / 1000.0;
        });
  commit_seconds(out, workers);
  return out;
}

std::string store_metrics_text(std::span<const StoreFigures> stores) {
  struct Family {
    std::string_view help;
    std::string lines;
  };
  std::map<std::string_view, Family> families;
  for (const StoreFigures& store : stores) {
    for (const flow::StoreFigure& figure : store.figures) {
      Family& family = families[figure.name];
      family.help = figure.help;
      fmt::format_to(std::back_inserter(family.lines), "penstock_store_{}{{store=\"{}\"}} {}\n",
                     figure.name, label_text(store.store), figure.value);
    }
  }
  std::string out;
  for (const auto& [name, family] : families) {
    head(out, fmt::format("store_{}", name), family.help, "counter");
    out += family.lines;
  }
  return out;
}

}  // namespace penstock::ops
