#include "app/sending.h"

#include "base/suggest.h"
#include "file/file_source.h"
#include "file/raw_source.h"
#include "ops/worker_thread.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

namespace penstock::app {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(20);
constexpr int64_t kProgressMillis = 1000;
constexpr int64_t kTurnMillis = 5;

// How far a file got under this group, or nothing when it never began.
Result<std::optional<Offset>> sent_so_far(flow::Log& log, const std::string& group) {
  PENSTOCK_TRY(groups, log.groups());
  const auto found = std::ranges::find(groups, group, &flow::GroupState::name);
  if (found == groups.end() || found->positions.empty()) return std::optional<Offset>();
  return std::optional<Offset>(found->positions.front().next);
}

struct Chosen {
  std::string group;
  bool refused = false;
};

// The group under which this content is sent: the first time, or on from where a killed send was,
// or once more.
Result<Chosen> choose_group(flow::Log& log, const std::string& base, int64_t rows, bool again) {
  for (int time = 1;; ++time) {
    const std::string group = time == 1 ? base : fmt::format("{}.{}", base, time);
    PENSTOCK_TRY(position, sent_so_far(log, group));
    if (!position || position->value < rows) {
      const bool begun = position.has_value();
      // Unsent, or a send (or a repeat) that was cut off goes on; else this is a repeat, which has
      // to be asked for.
      return Chosen{group, time > 1 && !begun && !again};
    }
    if (again && time > 1 && position->value >= rows) continue;
  }
}

class Sender {
 public:
  Sender(const Options& options, std::shared_ptr<const plan::Plan> plan, Instance& instance,
         const Clock& clock, ops::Output& output)
      : options_(options),
        plan_(std::move(plan)),
        instance_(instance),
        clock_(clock),
        output_(output) {}

  Result<int> run() {
    const plan::Topic* topic = plan_->topic(options_.to);
    if (topic == nullptr) {
      std::vector<std::string_view> names;
      for (const plan::Topic& one : plan_->topics) names.push_back(one.name);
      return fail("U002"_code, fmt::format("the pipeline has no topic \"{}\"", options_.to))
          .hint(did_you_mean(options_.to, names));
    }
    for (const std::string& path : options_.inputs) {
      PENSTOCK_TRY(code, send_one(path, *topic));
      if (code != 0) return code;
    }
    return 0;
  }

 private:
  struct Input {
    std::string name;  // "file:<sha256>"
    int64_t rows = 0;
    std::unique_ptr<flow::Source> source;
    std::shared_ptr<const std::vector<Error>> skipped;  // null for raw files
    std::function<Place(Offset)> place;                 // of a row
  };

  Result<Input> open(const std::string& path, const plan::Topic& topic) {
    const auto rate = static_cast<uint64_t>(options_.rate_per_second);
    if (options_.raw) {
      PENSTOCK_TRY(raw, file::open_raw(path, clock_, rate));
      return Input{raw.name, static_cast<int64_t>(raw.rows_total), std::move(raw.source), nullptr,
                   [path](Offset row) { return file::place_of_raw(path, row); }};
    }
    const file::FileSourceSpec spec{.path = path,
                                    .schema = topic.schema,
                                    .framing = ops::feed_framing(topic),
                                    .skip_bad = options_.skip_bad,
                                    .rate_per_second = rate,
                                    .clock = &clock_};
    PENSTOCK_TRY(opened, file::FileSource::open(spec));
    const std::string name = opened->name();
    const auto rows = static_cast<int64_t>(opened->rows_total());
    auto skipped = opened->bad_rows();
    return Input{name, rows, std::move(opened), std::move(skipped),
                 [spec](Offset row) { return file::place_of_row(spec, row); }};
  }

  Result<int> send_one(const std::string& path, const plan::Topic& topic) {
    PENSTOCK_TRY(input, open(path, topic));
    const std::string base = fmt::format("{}.send.{}.{}", plan_->pipeline, topic.name,
                                         input.name.substr(input.name.find(':') + 1, 32));
    PENSTOCK_TRY(chosen, choose_group(instance_.log(), base, input.rows, options_.again));
    if (chosen.refused) {
      return fail("U006"_code, fmt::format("{} was sent to {} before: all {} rows", path,
                                           topic.name, input.rows));
    }
    ops::Parts parts = instance_.parts();
    parts.plan = plan_;
    const auto make = [&](flow::Waker& waker) {
      return ops::make_feed_worker(
          parts, {chosen.group, input.name, topic.name, std::move(input.source), options_.raw},
          waker);
    };
    PENSTOCK_TRY(thread, ops::WorkerThread::start(input.name, clock_, make, kTurnMillis));
    return watch(*thread, input, path, chosen.group);
  }

  Result<int> watch(ops::WorkerThread& thread, const Input& input, const std::string& path,
                    const std::string& group) {
    const int64_t rows = input.rows;
    const Millis began = clock_.now();
    Millis told = began;
    bool all = false;  // is committed; a log may show so a moment after it said so
    while (!thread.ended()) {
      std::this_thread::sleep_for(kLookEvery);
      const ops::WorkerSnapshot now = thread.snapshot();
      // Who gave its partition up, after an end that is not known, has nothing left to do either.
      all = all || (now.state == engine::WorkerState::running && now.idle);
      if (all || output_.gone()) thread.request_drain();
      if (clock_.now().value - told.value >= kProgressMillis) {
        told = clock_.now();
        tell(path, now, rows, began);
      }
    }
    thread.join();
    const ops::WorkerSnapshot end = thread.snapshot();
    if (input.skipped != nullptr) {  // the source went with its worker
      for (const Error& skipped : *input.skipped) output_.note(one_line(skipped) + "\n");
    }
    if (end.state == engine::WorkerState::failed && end.error) {
      Error error = *end.error;
      if (end.stuck) error.place = input.place(end.stuck->offset);
      return std::unexpected(std::move(error));
    }
    PENSTOCK_TRY(position, sent_so_far(instance_.log(), group));
    const int64_t done = position ? position->value : 0;
    if (!all && done < rows) {
      output_.note(
          fmt::format("{}: stopped at row {} of {}; send it again to go on\n", path, done, rows));
      return 130;
    }
    const size_t left_out = input.skipped != nullptr ? input.skipped->size() : 0;
    const std::string but = left_out > 0 ? fmt::format(", but for the {} above", left_out) : "";
    output_.out(fmt::format("{}: {} rows are in {}{}\n", path, rows, options_.to, but));
    return 0;
  }

  void tell(const std::string& path, const ops::WorkerSnapshot& now, int64_t rows, Millis began) {
    const uint64_t done = now.counters.committed_records;
    const double seconds = static_cast<double>(clock_.now().value - began.value) / 1000.0;
    const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
    const std::string trouble = now.error ? "; waits: " + one_line(*now.error) : std::string();
    output_.note(
        fmt::format("{}: {} rows committed of {}, {:.0f}/s{}\n", path, done, rows, rate, trouble));
  }

  const Options& options_;
  std::shared_ptr<const plan::Plan> plan_;
  Instance& instance_;
  const Clock& clock_;
  ops::Output& output_;
};

}  // namespace

Result<int> send_files(const Options& options, const std::shared_ptr<const plan::Plan>& plan,
                       Instance& instance, const Clock& clock, ops::Output& output) {
  return Sender(options, plan, instance, clock, output).run();
}

}  // namespace penstock::app
