#include "step/seen.h"

#include "base/random.h"
#include "step/key_hash.h"
#include "step/seen_window.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace penstock::step {
namespace {

constexpr Partition kInput{0, 0};
constexpr uint64_t kA = 1, kB = 2, kC = 3;

Hash128 key(uint64_t number) { return {mix(number), mix(number + 1'000'000)}; }

// What a log keeps: rows, changed by committed epochs.
struct Rows {
  std::map<std::string, std::string> rows;
  uint64_t bytes_written = 0;
  void apply(const std::vector<flow::StateChange>& changes) {
    for (const flow::StateChange& change : changes) {
      CHECK(flow::is_valid(change));
      bytes_written += change.value.size();
      if (change.gone) {
        CHECK(rows.erase(std::string(change.key)) == 1);
      } else {
        rows[std::string(change.key)] = std::string(change.value);
      }
    }
  }
  flow::StateRows all() const {
    flow::StateRows all;
    for (const auto& [name, value] : rows) all.push_back({name, value});
    return all;
  }
  uint64_t entries() const {
    uint64_t bytes = 0;
    for (const auto& [name, value] : rows) bytes += name[0] == 'c' ? value.size() : 0;
    return bytes / kSeenEntryBytes;
  }
};

void commit(SeenWindow& window, Rows& log) {
  Arena arena;
  std::vector<flow::StateChange> changes;
  window.close(kInput, arena, changes);
  log.apply(changes);
  window.settle();
}

SeenWindow restored(const SeenLimits& limits, const Rows& log) {
  SeenWindow window(limits);
  REQUIRE(window.restore(log.all()).has_value());
  return window;
}

// The same, told as plainly as can be; without a limit of keys.
class Plain {
 public:
  explicit Plain(int64_t within) : within_(within) {}
  Sight see(uint64_t sender, uint64_t number, int64_t at) {
    auto& newest = newest_.try_emplace(sender, at).first->second;
    newest = std::max(newest, at);
    std::vector<int64_t> times;
    for (const auto& [who, time] : newest_) times.push_back(time);
    std::ranges::sort(times, std::greater());
    if (newest_.size() == 1) lone_ = sender;
    if (newest_.size() == 1) lone_floor_ = std::max(lone_floor_, times[0] - within_);
    int64_t horizon = newest_.size() == 1 ? lone_floor_ : times[1] - within_;
    if (sender == lone_) horizon = std::max(horizon, lone_floor_);
    if (at < horizon) return Sight::late;
    const auto found = times_.find(number);
    if (found != times_.end() && found->second >= horizon) return Sight::repeat;
    times_[number] = at;
    return Sight::fresh;
  }

 private:
  int64_t within_;
  std::map<uint64_t, int64_t> newest_;
  std::map<uint64_t, int64_t> times_;
  uint64_t lone_ = 0;
  int64_t lone_floor_ = INT64_MIN;
};

struct Record {
  uint64_t sender, number;
  int64_t at;
};

// Senders with clocks of their own, one of them far ahead; repeats of what came before.
std::vector<Record> records_of(uint64_t seed, size_t count) {
  Random random(seed);
  std::vector<Record> records;
  for (size_t i = 0; i < count; ++i) {
    if (!records.empty() && random.chance(0.4)) {
      const size_t back = 1 + random.below(std::min<size_t>(records.size(), 300));
      Record again = records[records.size() - back];
      if (random.chance(0.1)) again.at += static_cast<int64_t>(random.below(50));
      records.push_back(again);
      continue;
    }
    const uint64_t sender = random.below(7);
    const auto jitter = static_cast<int64_t>(random.below(400));
    int64_t at = static_cast<int64_t>(i) * 3 - jitter;
    if (sender == 6 && random.chance(0.3)) at += 4'000'000'000;
    records.push_back({sender, i * 8 + sender, at});
  }
  return records;
}

}  // namespace

TEST_CASE("the first passes, repeats do not, and what is older than the horizon is late") {
  SeenWindow window({.within_millis = 100});
  CHECK(window.see(kA, key(1), 1000) == Sight::fresh);
  CHECK(window.see(kA, key(1), 1000) == Sight::repeat);
  CHECK(window.see(kB, key(2), 1050) == Sight::fresh);
  CHECK(window.see(kA, key(3), 1100) == Sight::fresh);
  CHECK(window.see(kA, key(4), 950) == Sight::fresh);  // the horizon is 1050 - 100
  CHECK(window.see(kB, key(5), 949) == Sight::late);
  CHECK(window.see(kA, key(1), 1000) == Sight::repeat);
}

TEST_CASE("one sender with a wrong clock harms nobody else, wherever it comes") {
  constexpr int64_t kFar = 4'000'000'000'000;
  SeenWindow window({.within_millis = 100});
  CHECK(window.see(kC, key(1), kFar) == Sight::fresh);  // the very first, and alone
  CHECK(window.see(kA, key(2), 1000) == Sight::fresh);
  CHECK(window.see(kB, key(3), 1000) == Sight::fresh);
  CHECK(window.see(kC, key(4), kFar + 1000) == Sight::fresh);
  CHECK(window.see(kA, key(2), 1000) == Sight::repeat);
  CHECK(window.see(kA, key(5), 1100) == Sight::fresh);
  CHECK(window.see(kC, key(1), kFar) == Sight::repeat);
  CHECK(window.clock().reclaim_horizon(100) == 1000);
}

TEST_CASE("a sender that is alone counts by itself, and its horizon never falls") {
  SeenWindow window({.within_millis = 100});
  CHECK(window.see(kA, key(1), 1000) == Sight::fresh);
  CHECK(window.see(kA, key(2), 2000) == Sight::fresh);
  CHECK(window.see(kA, key(1), 1000) == Sight::late);
  CHECK(window.see(kB, key(3), 500) == Sight::fresh);  // not compared with A's time
  CHECK(window.see(kA, key(1), 1000) == Sight::late);  // forgotten: it may not pass again
  CHECK(window.see(kA, key(2), 2000) == Sight::repeat);
}

TEST_CASE("times at the ends of their range do no harm") {
  SeenWindow window({.within_millis = 1000});
  CHECK(window.see(kA, key(1), INT64_MIN) == Sight::fresh);
  CHECK(window.see(kB, key(2), INT64_MIN + 5) == Sight::fresh);
  CHECK(window.see(kA, key(3), INT64_MAX) == Sight::fresh);
  CHECK(window.see(kB, key(4), INT64_MAX) == Sight::fresh);
  CHECK(window.see(kA, key(1), INT64_MIN) == Sight::late);
  CHECK(window.see(kA, key(3), INT64_MAX) == Sight::repeat);
}

// Epochs of chance that commit, are given up when computed or when closed, and crashes: the answers
// are those of the plain one over the records as they were committed.
TEST_CASE("epochs, undone and replayed, and restored after a crash, give the same answers") {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const SeenLimits limits{.within_millis = 300 + static_cast<int64_t>(seed % 5) * 200};
    const std::vector<Record> records = records_of(seed, 4000);
    Plain plain(limits.within_millis);
    std::vector<Sight> expected;
    for (const Record& r : records) expected.push_back(plain.see(r.sender, r.number, r.at));
    Random random(seed * 7919);
    Rows log;
    SeenWindow window(limits);
    size_t durable = 0, closed = 0, next = 0, wrong = 0;
    bool flying = false;
    Arena arena;
    std::vector<flow::StateChange> changes;
    const auto run = [&](size_t count) {
      for (size_t i = 0; i < count && next < records.size(); ++i, ++next) {
        const Record& r = records[next];
        wrong += window.see(r.sender, key(r.number), r.at) != expected[next];
      }
    };
    while (durable < records.size()) {
      run(random.below(seed % 2 == 0 ? 8 : 200));
      if (!flying) {
        window.close(kInput, arena, changes);
        closed = next;
        flying = true;
        run(random.below(30));
      }
      const uint64_t roll = random.below(10);
      if (roll < 6) {
        log.apply(changes);
        window.settle();
        durable = closed;
      } else if (roll == 6) {  // what was computed ahead is dropped, the commit goes on
        window.undo_open();
        next = closed;
        continue;
      } else if (roll == 7) {
        window.undo_open();
        window.undo_closed();
        next = durable;
      } else if (roll == 8) {
        window = restored(limits, log);
        next = durable;
      } else {
        continue;
      }
      flying = false;
      changes.clear();
      arena.reset();
    }
    INFO("seed ", seed);
    CHECK(wrong == 0);
    CHECK(log.entries() < 3000);
  }
}

TEST_CASE("thousands of small epochs leave few rows, and what is behind the horizon leaves") {
  const SeenLimits limits{.within_millis = 10'000};
  SeenWindow window(limits);
  Rows log;
  for (int64_t i = 0; i < 20'000; ++i) {
    CHECK(window.see(static_cast<uint64_t>(i % 5), key(static_cast<uint64_t>(i)), i) ==
          Sight::fresh);
    commit(window, log);
    if (i % 1000 == 0) CHECK(log.rows.size() < 40);
  }
  CHECK(log.rows.size() < 40);
  CHECK(log.entries() <= 25'000);
  CHECK(window.entries() <= 25'000);
  CHECK(log.bytes_written < 20'000 * (kSeenEntryBytes * 6 + 150));  // merging is amortised
  SeenWindow again = restored(limits, log);
  CHECK(again.see(0, key(19'995), 19'995) == Sight::repeat);
  CHECK(again.see(0, key(1), 1) == Sight::late);
}

TEST_CASE("entries far ahead do not keep the others") {
  const SeenLimits limits{.within_millis = 1'000};
  SeenWindow window(limits);
  Rows log;
  for (int64_t i = 0; i < 60'000; ++i) {
    const bool ahead = i % 50 == 0;
    const uint64_t sender = ahead ? 9 : static_cast<uint64_t>(i % 5);
    window.see(sender, key(static_cast<uint64_t>(i)), ahead ? 9'000'000'000 + i : i);
    if (i % 20 == 19) commit(window, log);
  }
  // 1,000 of the last second and 1,200 far ahead are needed.
  CHECK(log.entries() < 8'000);
  CHECK(window.entries() < 8'000);
  CHECK(log.rows.size() < 60);
}

TEST_CASE("at the limit of keys the oldest leave early, and none of them passes again") {
  const SeenLimits limits{.within_millis = 1'000'000'000, .keys = 5'000};
  SeenWindow window(limits);
  Rows log;
  Random random(5);
  std::vector<int64_t> times;
  for (int64_t i = 0; i < 50'000; ++i) {
    times.push_back(i * 10 + static_cast<int64_t>(random.below(2'000)));
    window.see(static_cast<uint64_t>(i % 4), key(static_cast<uint64_t>(i)), times.back());
    if (i % 100 == 99) {
      commit(window, log);
      CHECK(window.entries() <= limits.keys * 3 / 2);
      CHECK(log.entries() <= limits.keys * 3 / 2);
    }
  }
  CHECK(window.clock().early > 40'000);
  CHECK(window.entries() > limits.keys / 2);
  for (const bool anew : {false, true}) {
    if (anew) window = restored(limits, log);
    uint64_t repeats = 0;
    for (size_t i = 0; i < times.size(); ++i) {
      const Sight sight = window.see(i % 4, key(i), times[i]);
      CHECK(sight != Sight::fresh);
      repeats += sight == Sight::repeat;
    }
    CHECK(repeats > limits.keys / 2);
    window.undo_open();
  }
}

TEST_CASE("a longer time than before does not bring the horizon back") {
  Rows log;
  SeenWindow window({.within_millis = 100});
  for (int64_t i = 0; i < 5'000; ++i) {
    window.see(static_cast<uint64_t>(i % 2), key(static_cast<uint64_t>(i)), i);
    if (i % 10 == 9) commit(window, log);
  }
  SeenWindow longer = restored({.within_millis = 100'000}, log);
  for (int64_t i = 0; i < 5'000; ++i) {
    CHECK(longer.see(static_cast<uint64_t>(i % 2), key(static_cast<uint64_t>(i)), i) !=
          Sight::fresh);
  }
}

TEST_CASE("rows that were not written by it are refused") {
  SeenWindow window({.within_millis = 100});
  const std::string entry(kSeenEntryBytes, '\0');
  const std::string chunk = "c0000000000000001";
  const std::string clock = "1 1 2 3 0 -9 -9 2 -9 0";
  CHECK(window.restore({}).has_value());
  CHECK(window.restore({{chunk, entry}, {"clock", clock}}).has_value());
  for (const flow::StateRows& rows : std::vector<flow::StateRows>{
           {{chunk, entry}},
           {{chunk, entry.substr(1)}, {"clock", clock}},
           {{chunk, ""}, {"clock", clock}},
           {{"c00000000000000x1", entry}, {"clock", clock}},
           {{"other", entry}, {"clock", clock}},
           {{"clock", "2 1 2 3 0 -9 -9 2 -9 0"}},
           {{"clock", "1 7 2 3 0 -9 -9 2 -9 0"}},
           {{"clock", clock + " 1"}},
           {{"clock", ""}},
       }) {
    const auto result = window.restore(rows);
    REQUIRE(!result.has_value());
    CHECK(result.error().code == "E003"_code);
  }
}

TEST_CASE("partitions are apart, and a forgotten one is new again") {
  Seen seen("unique k at t", {.within_millis = 100});
  CHECK(seen.window({0, 0}).see(kA, key(1), 5) == Sight::fresh);
  CHECK(seen.window({0, 1}).see(kA, key(1), 5) == Sight::fresh);
  CHECK(seen.size().entries == 2);
  Arena arena;
  std::vector<flow::StateChange> changes;
  seen.close(arena, changes);
  CHECK(changes.size() == 4);
  CHECK(changes[0].input == Partition{0, 0});
  CHECK(changes[2].input == Partition{0, 1});
  seen.settle();
  seen.forget({0, 1});
  CHECK(seen.window({0, 1}).see(kA, key(1), 5) == Sight::fresh);
  CHECK(seen.window({0, 0}).see(kA, key(1), 5) == Sight::repeat);
  changes.clear();
  seen.undo_open();
  seen.close(arena, changes);
  CHECK(changes.empty());
}

}  // namespace penstock::step
