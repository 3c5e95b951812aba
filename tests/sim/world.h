// world.h — one simulation: a log, a store, two stages with three workers each, a clock, and what
// goes wrong, all from one seed.
//
//     in ──► prep (log → log) ──► mid ──► writer (log → store) ──► table
//              └► dead.prep                 └► dead.writer
//
// Thread      one. The same seed and settings give the same run, to the letter.
#pragma once

#include "base/random.h"
#include "engine/worker.h"
#include "fault.h"
#include "log/memory/memory_log.h"
#include "records.h"
#include "store/model/model_store.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace penstock::sim {

struct Settings {
  uint64_t seed = 1;
  uint64_t records = 500;
  uint64_t bites_min = 3;
  log::MemoryFlaw flaw = log::MemoryFlaw::none;
  bool trace = false;
  // The first stage remembers what it saw, and every text is sent up to three times.
  bool repeats() const { return seed % 3 == 0; }
};

class SlotWaker final : public flow::Waker {
 public:
  void wake() noexcept override { woken = true; }
  bool woken = false;
};

// A place for a worker process; when one dies, another takes it.
struct Slot {
  uint32_t stage = 0;  // 0 prep, 1 writer
  uint32_t number = 0;
  uint32_t incarnation = 0;
  std::string member;       // of the group: new with each process
  std::string transaction;  // id; often the predecessor's
  SlotWaker waker;
  std::unique_ptr<engine::Processor> processor;
  std::unique_ptr<engine::Worker> worker;
  Millis next_turn;
  Millis paused_until;
  Millis restart_at;
  bool draining = false;
  uint64_t blocked_for = 0;  // calls
};

class World {
 public:
  explicit World(Settings settings, Coverage& coverage);
  ~World();

  // Runs to the end; the violations of the law, empty when it holds.
  std::vector<std::string> run();
  // Faults that dropped, replayed, fenced or left unknown an epoch with records.
  uint64_t bites() const;
  uint64_t faults() const { return faults_; }
  uint64_t fed() const { return fed_.size(); }
  uint64_t repeated() const { return repeated_; }

  // ---- for the faulty sinks
  Millis now() const { return now_; }
  Random& random() { return random_; }
  Fault draw(Slot& slot, Point point);
  bool in_outage() const { return now_ < outage_until_; }
  void wake_at(Slot& slot, Millis at) { slot.next_turn = std::min(slot.next_turn, at); }
  log::MemoryLog& log() { return log_; }
  store::ModelStore& store() { return store_; }
  flow::StoreSpec store_spec();
  bool tracing() const { return settings_.trace; }
  void note(const Slot& slot, std::string_view what);

 private:
  friend class Law;
  struct Again {
    std::string text;
    Millis first;
    uint64_t times;  // that it is still to be sent
  };
  void start(Slot& slot);
  void bury(Slot& slot, bool crashed);
  bool turn(Slot& slot);
  void feed();
  std::vector<Again> next_texts();
  void step();
  void strike(Slot& slot, Fault fault);
  void beat();
  bool quiet();
  void settle(std::vector<std::string>& violations);
  Millis next_event();
  engine::WorkerEnds ends_for(Slot& slot);

  Settings settings_;
  Coverage& coverage_;
  Random random_;
  Millis now_{1000};
  log::MemoryLog log_;
  store::ModelStore store_;
  std::vector<std::unique_ptr<Slot>> slots_;
  SlotWaker feeder_waker_;
  std::unique_ptr<flow::Appender> feeder_;
  std::vector<std::string> fed_;  // in order
  std::vector<Again> again_;      // texts that may be sent again
  uint64_t repeated_ = 0;
  std::array<uint64_t, kKeys> numbers_{};
  Millis feed_at_;
  Millis beat_at_;
  Millis outage_until_;
  double fault_rate_ = 0.03;
  bool faults_on_ = true;
  uint64_t faults_ = 0;
  uint64_t crash_bites_ = 0;
  uint64_t past_drops_ = 0;  // of workers that are gone
};

// The bytes of the seed's last moments are not needed: what is in log and store is judged.
std::vector<std::string> judge(World& world);

}  // namespace penstock::sim
