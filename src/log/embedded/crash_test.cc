// kill -9, again and again: 8 writers and two copying workers commit, readers follow, and the
// process dies at a random moment. What lies in the folder afterwards has no gap, no repeat and no
// torn epoch, and every output is what the positions say, and so is what a stage remembers.
//
//   gen (no topic) ──feed──► in/p and mirror/(p+1)      value n at position n, which is remembered
//   in ──copy──► out/p
#include "base/random.h"
#include "flow/log_contract.h"
#include "log/embedded/embedded_log.h"
#include "log/embedded/temp_folder.h"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace penstock::log {
namespace {

using flow::CommitEnd;
using flow::ContractWaker;
using flow::ContractWorker;
using Strings = std::vector<std::string>;

constexpr int32_t kPartitions = 8;
constexpr int kRounds = 24;
constexpr int kViolation = 3;
constexpr int kProgressFd = 9;  // of the child

const std::vector<flow::TopicSpec> kTopics = {{.name = "in", .partitions = kPartitions},
                                              {.name = "mirror", .partitions = kPartitions},
                                              {.name = "out", .partitions = kPartitions}};

// ---- the process that is killed

struct Child {
  EmbeddedLog& log;
  int progress;  // a byte for every commit

  void committed(CommitEnd end) const {
    if (end != CommitEnd::done) ::_exit(kViolation);
    if (::write(progress, "x", 1) != 1) ::_exit(0);  // the parent is gone
  }

  // What the feeder remembers: where it stands, under one of two keys.
  static std::string memory_key(int64_t next) { return next % 2 == 0 ? "even" : "odd"; }
  static flow::StateRows remembered(int64_t next) {
    if (next == 0) return {};
    return {{memory_key(next), std::to_string(next)}};
  }

  // Epochs of a random size: the same numbers into two partitions of two topics, and the position.
  void feed(int32_t p, uint64_t seed) const {
    Random random(seed);
    ContractWaker waker;
    auto sink = log.open_sink({"feed", {"gen"}, {"in", "mirror"}, "feeder", true}, waker);
    const flow::Owned own = flow::contract::claim_now(**sink, waker, {{0, p}}).at(0);
    if (own.state != remembered(own.next.value)) ::_exit(kViolation);
    flow::Fates fates = own.fates;
    wire::RecordsBuilder records;
    for (int64_t next = own.next.value;;) {
      const auto count = static_cast<int64_t>(1 + random.below(40));
      records.clear();
      for (int64_t n = next; n < next + count; ++n) {
        const std::string value = std::to_string(n);
        records.append({.key = value, .value = value, .timestamp = n, .has_key = true});
      }
      const auto write = [&](uint32_t output, int32_t partition) {
        (*sink)->write({output, partition, records.count(), records.base_timestamp(),
                        records.max_timestamp(), records.bytes()});
      };
      write(0, p);
      write(1, (p + 1) % kPartitions);
      const flow::StateRows row = remembered(next + count);
      const std::string other = memory_key(next + count + 1);
      const std::vector<flow::StateChange> changes = {{{0, p}, row[0].key, row[0].value},
                                                      {{0, p}, other, {}, true}};
      if ((*sink)->write_state(changes) != flow::WriteAnswer::accepted) ::_exit(kViolation);
      fates.in += static_cast<uint64_t>(count);
      committed(flow::contract::commit_now(
          **sink, waker, {{{{0, p}, own.term, {next}, {next + count}, fates}}, nullptr}));
      next += count;
    }
  }

  void copy() const {
    ContractWorker worker(log, "copy", {"in"}, {"out"});
    while (true) {
      while (worker.open.size() < 100 && worker.turn()) {
      }
      if (worker.open.empty()) {
        worker.waker.wait();
        continue;
      }
      worker.copy_open();
      committed(worker.commit());
    }
  }

  // Follows all of `in` from its begin: 0, 1, 2, … in each partition.
  void follow(const std::string& group) const {
    ContractWaker waker;
    auto source = log.open_source({group, {"in"}, "reader"}, waker);
    std::vector<int64_t> expected(kPartitions, 0);
    while (true) {
      flow::SourceEvent event = (*source)->poll({});
      if (auto* assigned = std::get_if<flow::Assigned>(&event)) {
        for (const Partition partition : assigned->partitions) {
          (*source)->start(partition, {0});
        }
        (*source)->answer();
      } else if (auto* batch = std::get_if<row::RawBatch>(&event)) {
        int64_t& next = expected[static_cast<size_t>(batch->partition.index)];
        for (const row::RawRecord& record : batch->records) {
          if (record.value != std::to_string(next) || record.offset.value != next) {
            ::_exit(kViolation);
          }
          ++next;
        }
      } else if (std::holds_alternative<flow::Idle>(event)) {
        waker.wait();
      } else {
        ::_exit(kViolation);
      }
    }
  }
};

TEST_CASE("the process that is killed" * doctest::skip()) {
  const char* folder = std::getenv("PENSTOCK_CRASH_FOLDER");
  const char* seed_text = std::getenv("PENSTOCK_CRASH_SEED");
  if (folder == nullptr || seed_text == nullptr) return;  // run by hand
  const uint64_t seed = std::strtoull(seed_text, nullptr, 10);
  auto log = open_embedded_log({.folder = folder});
  REQUIRE(log);
  flow::contract_topics(**log, kTopics);
  const Child child{**log, kProgressFd};
  std::vector<std::jthread> threads;
  for (int32_t p = 0; p < kPartitions; ++p) {
    threads.emplace_back(
        [&child, p, seed] { child.feed(p, mix(seed + static_cast<uint64_t>(p))); });
  }
  for (int i = 0; i < 2; ++i) threads.emplace_back([&child] { child.copy(); });
  threads.emplace_back([&child] { child.follow("look1"); });
  threads.emplace_back([&child] { child.follow("look2"); });
}

// ---- the one that kills and looks

pid_t start_child(const std::string& folder, uint64_t seed, int write_end) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end, kProgressFd);
  std::string self = "/proc/self/exe", name = "--test-case=the process that is killed";
  std::string skipped = "--no-skip";
  char* arguments[] = {self.data(), name.data(), skipped.data(), nullptr};
  std::string folder_variable = "PENSTOCK_CRASH_FOLDER=" + folder;
  std::string seed_variable = "PENSTOCK_CRASH_SEED=" + std::to_string(seed);
  char* environment[] = {folder_variable.data(), seed_variable.data(), nullptr};
  pid_t pid = 0;
  REQUIRE(::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, arguments, environment) == 0);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

// Lets the child commit that many times, then kills it.
void run_and_kill(const std::string& folder, uint64_t seed, uint64_t commits) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const pid_t pid = start_child(folder, seed, ends[1]);
  ::close(ends[1]);
  char bytes[64];
  uint64_t seen = 0;
  while (seen < commits) {
    const ssize_t got = ::read(ends[0], bytes, std::min<size_t>(sizeof(bytes), commits - seen));
    if (got <= 0) break;  // it ended by itself: the status tells
    seen += static_cast<uint64_t>(got);
  }
  ::kill(pid, SIGKILL);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  ::close(ends[0]);
  CHECK(seen == commits);
  CHECK(WIFSIGNALED(status));
}

Strings numbers(int64_t count) {
  Strings values;
  for (int64_t i = 0; i < count; ++i) values.push_back(std::to_string(i));
  return values;
}

std::vector<flow::GroupPosition> positions(flow::Log& log, const std::string& name) {
  std::vector<flow::GroupPosition> found(kPartitions);
  auto groups = log.groups();
  REQUIRE(groups);
  for (const flow::GroupState& group : *groups) {
    if (group.name != name) continue;
    for (const auto& position : group.positions) {
      found[static_cast<size_t>(position.partition)] = position;
    }
  }
  return found;
}

// Output = f(positions). Returns how many records were fed.
int64_t check_folder(const std::string& folder, bool read_only) {
  auto log = open_embedded_log({.folder = folder, .read_only = read_only});
  REQUIRE(log);
  const auto fed = positions(**log, "feed"), copied = positions(**log, "copy");
  int64_t all = 0;
  for (int32_t p = 0; p < kPartitions; ++p) {
    const auto& feed = fed[static_cast<size_t>(p)];
    const auto& copy = copied[static_cast<size_t>(p)];
    CAPTURE(p);
    CHECK(flow::contract_read(**log, "in", p) == numbers(feed.next.value));
    CHECK(flow::contract_read(**log, "mirror", (p + 1) % kPartitions) == numbers(feed.next.value));
    CHECK(static_cast<int64_t>(feed.fates.in) == feed.next.value);
    CHECK(copy.next <= feed.next);
    CHECK(flow::contract_read(**log, "out", p) == numbers(copy.next.value));
    CHECK(static_cast<int64_t>(copy.fates.in) == copy.next.value);
    all += feed.next.value;
  }
  return all;
}

TEST_CASE("kill -9 at random moments: no gap, no repeat, no torn epoch") {
  Random random(20261123);
  TempFolder folder;
  int64_t before = 0;
  for (int round = 0; round < kRounds; ++round) {
    CAPTURE(round);
    run_and_kill(folder.path(), random.next(), 1 + random.below(160));
    const int64_t now = check_folder(folder.path(), round % 2 == 0);
    CHECK(now > before);
    before = now;
  }
}

}  // namespace
}  // namespace penstock::log
