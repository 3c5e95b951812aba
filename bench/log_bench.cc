// log_bench — what the record format and the embedded log cost.
//
//   log_bench                   every figure
//   log_bench start FOLDER      fills FOLDER with 1 GB, is killed, and measures the next start
//
// A line per figure: name, value, unit.
#include "base/check.h"
#include "log/embedded/embedded_log.h"
#include "log/embedded/temp_folder.h"
#include "wire/crc32c.h"
#include "wire/partitioner.h"
#include "wire/record_batch.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRecords = 10'000;
constexpr size_t kValueBytes = 62;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void report(std::string_view name, double value, std::string_view unit) {
  fmt::print("{:<44} {:>12.1f} {}\n", name, value, unit);
}

// Seconds of the fastest of some runs.
double fastest(int runs, const std::function<void()>& run) {
  double best = 1e9;
  for (int i = 0; i < runs; ++i) {
    const auto begin = Clock::now();
    run();
    best = std::min(best, seconds_since(begin));
  }
  return best;
}

void fill(wire::RecordsBuilder& records, int count) {
  static const std::string value(kValueBytes, 'v');
  char key[] = "meter-0000";
  for (int i = 0; i < count; ++i) {
    key[9] = static_cast<char>('0' + i % 10);
    records.append({.key = {key, 10}, .value = value, .timestamp = 1'000'000 + i, .has_key = true});
  }
}

void bench_wire() {
  wire::RecordsBuilder records;
  double seconds = fastest(50, [&] {
    records.clear();
    fill(records, kRecords);
  });
  report("wire: build a record of 62 bytes", seconds * 1e9 / kRecords, "ns");
  uint64_t bytes = 0;
  seconds = fastest(50, [&] {
    wire::RecordWalker walker(records.bytes(), records.count());
    wire::RecordView record;
    while (walker.next(record)) bytes += record.value.size();
  });
  PENSTOCK_CHECK(bytes == 50ull * kRecords * kValueBytes);
  report("wire: walk a record", seconds * 1e9 / kRecords, "ns");
  std::string batch;
  seconds = fastest(50, [&] {
    batch.clear();
    wire::append_batch(batch, records.header(), records.bytes());
  });
  report("wire: header, CRC and copy, per record", seconds * 1e9 / kRecords, "ns");
  int64_t sum = 0;
  seconds = fastest(50, [&] {
    for (int i = 0; i < kRecords; ++i) sum += wire::partition_of("meter-0000", 5);
  });
  PENSTOCK_CHECK(sum >= 0);
  report("wire: partition of a key of 10 bytes", seconds * 1e9 / kRecords, "ns");
}

struct BenchWaker final : flow::Waker {
  void wake() noexcept override {
    const std::lock_guard lock(mutex);
    woken = true;
    changed.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return woken; });
    woken = false;
  }
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
};

template <class Event>
Event await(flow::LogSink& sink, BenchWaker& waker) {
  while (true) {
    flow::SinkEvent event = sink.poll();
    if (auto* found = std::get_if<Event>(&event)) return std::move(*found);
    PENSTOCK_CHECK(std::holds_alternative<flow::Waiting>(event));
    waker.wait();
  }
}

// Epochs of `kRecords` into five partitions, with synced commits; returns seconds per epoch.
double commit_epochs(flow::Log& log, int epochs) {
  BenchWaker waker;
  auto sink = log.open_sink({"bench", {"gen"}, {"t"}, "bench"}, waker);
  PENSTOCK_CHECK(sink.has_value());
  (*sink)->begin_claim({{0, 0}}, nullptr);
  const flow::Owned own = await<flow::Claimed>(**sink, waker).owned.at(0);
  std::vector<wire::RecordsBuilder> builders(5);
  for (auto& builder : builders) fill(builder, kRecords / 5);
  const auto begin = Clock::now();
  Offset next = own.next;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (int32_t p = 0; p < 5; ++p) {
      const auto& records = builders[static_cast<size_t>(p)];
      (*sink)->write({0, p, records.count(), records.base_timestamp(), records.max_timestamp(),
                      records.bytes()});
    }
    const Offset to{next.value + kRecords};
    (*sink)->begin_commit({{{{0, 0}, own.term, next, to, {}}}, nullptr});
    PENSTOCK_CHECK(await<flow::Ended>(**sink, waker).end == flow::CommitEnd::done);
    next = to;
  }
  return seconds_since(begin) / epochs;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double resident_mib() {
  std::ifstream status("/proc/self/statm");
  uint64_t total = 0, resident = 0;
  status >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// Reads every partition to its end through a Source; returns records.
uint64_t read_all(flow::Log& log) {
  BenchWaker waker;
  auto source = log.open_source({"reader", {"t"}, "reader"}, waker);
  PENSTOCK_CHECK(source.has_value());
  uint64_t records = 0;
  while (true) {
    flow::SourceEvent event = (*source)->poll({});
    if (auto* assigned = std::get_if<flow::Assigned>(&event)) {
      for (const Partition partition : assigned->partitions) (*source)->start(partition, {0});
      (*source)->answer();
    } else if (auto* batch = std::get_if<row::RawBatch>(&event)) {
      records += batch->records.size();
    } else if ((*source)->at_end()) {
      return records;
    }
  }
}

std::unique_ptr<log::EmbeddedLog> open_log(const std::string& folder) {
  auto log = log::open_embedded_log({.folder = folder});
  if (!log) fmt::print("{}\n", one_line(log.error()));
  PENSTOCK_CHECK(log.has_value());
  return std::move(*log);
}

void bench_log() {
  const log::TempFolder folder;
  auto log = open_log(folder.path());
  PENSTOCK_CHECK(log->create_missing({{.name = "t", .partitions = 5}}).has_value());
  commit_epochs(*log, 20);
  double cpu = cpu_seconds();
  double seconds = commit_epochs(*log, 200);
  report("log: synced commit of 10,000 records", seconds * 1e3, "ms");
  report("log: records committed per second", kRecords / seconds, "/s");
  report("log: CPU per record committed", (cpu_seconds() - cpu) * 1e9 / (200.0 * kRecords), "ns");
  cpu = cpu_seconds();
  const auto begin = Clock::now();
  const uint64_t records = read_all(*log);
  seconds = seconds_since(begin);
  report("log: records read per second", static_cast<double>(records) / seconds, "/s");
  report("log: CPU per record read", (cpu_seconds() - cpu) * 1e9 / static_cast<double>(records),
         "ns");
  report("log: resident memory", resident_mib(), "MiB");
}

// The child fills the folder until it is killed.
void fill_and_die(const std::string& folder, int epochs) {
  const pid_t child = ::fork();
  PENSTOCK_CHECK(child >= 0);
  if (child == 0) {
    auto log = open_log(folder);
    PENSTOCK_CHECK(log->create_missing({{.name = "t", .partitions = 5}}).has_value());
    commit_epochs(*log, epochs);
    report("start: resident memory of the writer", resident_mib(), "MiB");
    std::fflush(stdout);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  PENSTOCK_CHECK(WIFSIGNALED(status));
}

void bench_start(const std::string& folder) {
  fill_and_die(folder, 1250);  // 12.5 million records, about 1 GB
  const auto begin = Clock::now();
  auto log = open_log(folder);
  BenchWaker waker;
  auto source = log->open_source({"first", {"t"}, "reader"}, waker);
  PENSTOCK_CHECK(source.has_value());
  PENSTOCK_CHECK(std::holds_alternative<flow::Assigned>((*source)->poll({})));
  (*source)->start({0, 0}, {0});
  (*source)->answer();
  PENSTOCK_CHECK(std::holds_alternative<row::RawBatch>((*source)->poll({})));
  report("start: 1 GB after kill -9, to the first poll", seconds_since(begin) * 1e3, "ms");
  source->reset();
  const double before = resident_mib();
  const uint64_t records = read_all(*log);
  report("start: records there", static_cast<double>(records), "");
  report("start: resident memory before, after reading", before, "MiB");
  report("", resident_mib(), "MiB");
}

}  // namespace
}  // namespace penstock

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "start") {
    penstock::bench_start(argv[2]);
    return 0;
  }
  penstock::bench_wire();
  penstock::bench_log();
  return 0;
}
