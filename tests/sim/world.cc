#include "world.h"

#include "base/check.h"
#include "faulty_sink.h"
#include "wire/partitioner.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace penstock::sim {
namespace {

constexpr uint32_t kWorkersPerStage = 3;
constexpr int64_t kSessionMillis = 150;
constexpr int64_t kTransactionMillis = 250;
constexpr int64_t kBeatMillis = 30;
constexpr int64_t kRepeatMillis = 250;     // a text is sent again within this time
constexpr int64_t kSettleMillis = 20'000;  // after the last fault everything must be done by then
constexpr uint64_t kRecordsMax = 3'000;

int64_t usual_delay(Random& random) {
  const uint64_t roll = random.below(100);
  if (roll < 40) return 0;
  if (roll < 95) return 1 + static_cast<int64_t>(random.below(8));
  return static_cast<int64_t>(random.below(200));
}

avro::SchemaPtr row_schema() {
  static const avro::SchemaPtr schema =
      *avro::parse(R"({"type":"record","name":"Row","fields":[{"name":"text","type":"string"},)"
                   R"({"name":"value","type":"double"}]})");
  return schema;
}

}  // namespace

World::World(Settings settings, Coverage& coverage)
    : settings_(settings),
      coverage_(coverage),
      random_(mix(settings.seed)),
      log_({.as_kafka = true,
            .session_millis = kSessionMillis,
            .transaction_millis = kTransactionMillis,
            .delay_millis = [this] { return usual_delay(random_); },
            .flaw = settings.flaw}) {
  log_.advance(now_);
  PENSTOCK_CHECK(log_.create_missing({{.name = "in", .partitions = kPartitions},
                                      {.name = "mid", .partitions = kPartitions},
                                      {.name = "dead.prep"},
                                      {.name = "dead.writer"}})
                     .has_value());
  feeder_ = std::move(*log_.open_appender({"in"}, feeder_waker_));
  for (uint32_t stage = 0; stage < 2; ++stage) {
    for (uint32_t i = 0; i < kWorkersPerStage; ++i) {
      auto slot = std::make_unique<Slot>();
      slot->stage = stage;
      slot->number = i;
      slot->restart_at = now_ + static_cast<int64_t>(random_.below(20));
      slots_.push_back(std::move(slot));
    }
  }
}

World::~World() {
  for (const auto& slot : slots_) slot->worker.reset();
}

flow::StoreSpec World::store_spec() {
  flow::StoreSpec spec;
  spec.pipeline = "sim";
  spec.stage = "writer";
  spec.store = "store";
  spec.table = {"table", flow::Merge::append, {}, "", row_schema()};
  spec.inputs = {"mid"};
  spec.lineages = {"1"};
  return spec;
}

void World::note(const Slot& slot, std::string_view what) {
  if (!settings_.trace) return;
  fmt::print("{:6} {} {}\n", now_.value, slot.member, what);
}

// ---- workers

engine::WorkerEnds World::ends_for(Slot& slot) {
  engine::WorkerEnds ends;
  const bool prep = slot.stage == 0;
  const std::string group = prep ? "prep" : "writer";
  const std::string input = prep ? "in" : "mid";
  ends.source = std::move(*log_.open_source({group, {input}, slot.member}, slot.waker));
  if (prep) {
    ends.open_log_sink = [this, &slot]() -> Result<std::unique_ptr<flow::LogSink>> {
      PENSTOCK_TRY(
          sink, log_.open_sink(
                    {"prep", {"in"}, {"mid", "dead.prep"}, slot.transaction, settings_.repeats()},
                    slot.waker));
      return faulty(*this, slot, std::move(sink));
    };
  } else {
    ends.open_store_sink = [this, &slot]() -> Result<std::unique_ptr<flow::StoreSink>> {
      PENSTOCK_TRY(sink, store_.open_sink(store_spec(), slot.waker));
      return faulty(*this, slot, std::move(sink));
    };
    ends.appender =
        faulty(*this, slot, std::move(*log_.open_appender({"dead.writer"}, slot.waker)));
  }
  return ends;
}

void World::start(Slot& slot) {
  ++slot.incarnation;
  slot.member =
      fmt::format("{}-{}.{}", slot.stage == 0 ? "prep" : "writer", slot.number, slot.incarnation);
  if (slot.transaction.empty() || random_.chance(0.5)) slot.transaction = slot.member;
  slot.draining = false;
  slot.blocked_for = 0;
  slot.next_turn = slot.paused_until = now_;
  const auto blocked = [this, &slot](const row::RawBatch& batch) {
    if (settings_.trace) {
      note(slot,
           fmt::format("computes {}: {} to {}", batch.partition.index,
                       batch.records.front().offset.value, batch.records.back().offset.value));
    }
    const Fault fault = draw(slot, Point::compute);
    if (fault == Fault::crash_before || fault == Fault::crash_after) throw Crash{};
    if (fault == Fault::blocked) slot.blocked_for = 1 + random_.below(4);
    return slot.blocked_for > 0 && slot.blocked_for-- > 0;
  };
  engine::WorkerSpec spec;
  spec.limits.epoch_rows = 24;
  spec.limits.epoch_millis = 30;
  spec.limits.idle_millis = 5;
  spec.limits.retry_millis = 3;
  spec.limits.retry_millis_max = 40;
  spec.limits.revoke_patience_millis = 60;
  spec.limits.poll.max_records = 10;
  if (slot.stage == 0) {
    spec.stage = "prep";
    spec.outputs = {"mid", "dead.prep"};
    slot.processor = std::make_unique<PrepProcessor>(
        blocked, settings_.repeats() ? std::optional(kRepeatMillis) : std::nullopt);
  } else {
    spec.stage = "writer";
    spec.outputs = {"dead.writer"};
    spec.store = "store";
    slot.processor = std::make_unique<WriterProcessor>(blocked);
  }
  slot.worker = std::make_unique<engine::Worker>(std::move(spec), ends_for(slot), *slot.processor);
  note(slot, "starts");
}

void World::bury(Slot& slot, bool crashed) {
  if (crashed && slot.worker->open_records() > 0) ++crash_bites_;
  past_drops_ += slot.worker->counters().dropped_epochs;
  note(slot, crashed ? "dies" : "is gone");
  slot.worker.reset();
  slot.restart_at = now_ + 1 + static_cast<int64_t>(random_.below(crashed ? 120 : 30));
}

uint64_t World::bites() const {
  uint64_t sum = crash_bites_ + past_drops_;
  for (const auto& slot : slots_) {
    if (slot->worker) sum += slot->worker->counters().dropped_epochs;
  }
  return sum;
}

// False when the worker is not to be turned again in this step.
bool World::turn(Slot& slot) {
  slot.waker.woken = false;
  slot.next_turn = kNever;
  try {
    slot.next_turn = std::min(slot.next_turn, slot.worker->turn(now_));
  } catch (const Crash&) {
    bury(slot, true);
    return false;
  }
  const engine::WorkerState state = slot.worker->state();
  if (state == engine::WorkerState::drained || state == engine::WorkerState::failed) {
    bury(slot, false);
    return false;
  }
  return slot.next_turn <= now_;
}

// ---- faults

Fault World::draw(Slot& slot, Point point) {
  if (!faults_on_) return Fault::none;
  double rate = fault_rate_;
  if (point == Point::abort || point == Point::append || point == Point::claim) rate *= 4;
  if (point == Point::write || point == Point::compute) rate *= 0.6;
  if (!random_.chance(rate)) return Fault::none;
  Fault fault = Fault::none;
  do {
    fault = static_cast<Fault>(1 + random_.below(kFaults - 1));
  } while (!applies(fault, point) || (fault == Fault::repeat && slot.stage == 0));
  ++faults_;
  coverage_.add(fault, point);
  if (settings_.trace) {
    note(slot, fmt::format("{} at {}", kFaultNames[static_cast<size_t>(fault)],
                           kPointNames[static_cast<size_t>(point)]));
  }
  strike(slot, fault);
  return fault;
}

// What does not concern the call itself.
void World::strike(Slot& slot, Fault fault) {
  if (fault == Fault::revoke) {
    Slot& other = *slots_[slot.stage * kWorkersPerStage + random_.below(kWorkersPerStage)];
    if (other.worker) other.worker->request_drain();
    wake_at(other, now_);
  } else if (fault == Fault::lose) {
    log_.evict(slot.member);
  } else if (fault == Fault::pause) {
    slot.paused_until = now_ + kSessionMillis + 20 + static_cast<int64_t>(random_.below(300));
  } else if (fault == Fault::outage) {
    outage_until_ = now_ + 10 + static_cast<int64_t>(random_.below(60));
  }
}

// ---- time

// New ones in the order of their numbers, and between them old ones again.
std::vector<World::Again> World::next_texts() {
  std::vector<Again> texts;
  std::erase_if(
      again_, [&](const Again& one) { return one.times == 0 || one.first + kRepeatMillis < now_; });
  const uint64_t count = 5 + random_.below(30);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t key = random_.below(kKeys);
    fed_.push_back(record_text(key, numbers_[key]++));
    texts.push_back({fed_.back(), now_, 0});
    if (!settings_.repeats()) continue;
    again_.push_back({fed_.back(), now_, random_.below(3)});
    for (uint64_t tries = random_.below(4); tries > 0; --tries) {
      Again& old = again_[random_.below(again_.size())];
      if (old.times == 0) continue;
      --old.times;
      ++repeated_;
      texts.push_back(old);
    }
  }
  return texts;
}

void World::feed() {
  if (now_ < feed_at_ || fed_.size() >= kRecordsMax) return;
  if (fed_.size() >= settings_.records && bites() >= settings_.bites_min) return;
  feed_at_ = now_ + 5 + static_cast<int64_t>(random_.below(40));
  if (fed_.size() >= settings_.records) fault_rate_ = 0.1;
  wire::RecordsBuilder builders[kPartitions];
  for (const Again& one : next_texts()) {
    const std::string key_text = "k" + std::to_string(key_of(one.text));
    builders[wire::partition_of(key_text, kPartitions)].append(
        {.key = key_text, .value = one.text, .timestamp = one.first.value, .has_key = true});
  }
  std::vector<flow::EncodedBatch> batches;
  for (int32_t p = 0; p < kPartitions; ++p) {
    const auto& records = builders[p];
    if (records.empty()) continue;
    batches.push_back({0, p, records.count(), records.base_timestamp(), records.max_timestamp(),
                       records.bytes()});
  }
  feeder_->begin_append(std::move(batches));
  feeder_->poll();
}

void World::beat() {
  if (now_ < beat_at_) return;
  beat_at_ = now_ + kBeatMillis;
  for (const auto& slot : slots_) {
    if (slot->worker && slot->paused_until <= now_) log_.alive(slot->member);
  }
}

Millis World::next_event() {
  Millis at = std::min(log_.next_event(), beat_at_);
  if (fed_.size() < settings_.records || bites() < settings_.bites_min) at = std::min(at, feed_at_);
  for (const auto& slot : slots_) {
    if (!slot->worker) {
      at = std::min(at, slot->restart_at);
    } else {
      const Millis due = slot->waker.woken ? now_ : slot->next_turn;
      at = std::min(at, std::max(due, slot->paused_until));
    }
  }
  return std::max(at, now_ + 1);
}

// One moment: everybody who is due, in an order of chance, each at most a few turns.
void World::step() {
  log_.advance(now_);
  beat();
  feed();
  const uint64_t first = random_.below(slots_.size());
  for (uint64_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = *slots_[(first + i * 5) % slots_.size()];  // 5 and 6 have no common divisor
    if (!slot.worker) {
      if (slot.restart_at <= now_) start(slot);
      continue;
    }
    for (int turns = 0; turns < 4; ++turns) {
      if (slot.paused_until > now_ || !(slot.waker.woken || slot.next_turn <= now_)) break;
      if (!turn(slot)) break;
    }
  }
  now_ = next_event();
}

// Everything is read, committed and told to the groups.
bool World::quiet() {
  for (const auto& slot : slots_) {
    if (!slot->worker || !slot->worker->idle()) return false;
  }
  const auto groups = *log_.groups();
  const auto topics = *log_.topics();
  for (const auto& [group, topic] : {std::pair{"prep", "in"}, std::pair{"writer", "mid"}}) {
    const auto& state =
        *std::find_if(topics.begin(), topics.end(), [&](const auto& t) { return t.name == topic; });
    const auto found =
        std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.name == group; });
    if (found == groups.end()) return false;
    size_t at_end = 0;
    for (const flow::GroupPosition& position : found->positions) {
      at_end += position.next == state.partitions[static_cast<size_t>(position.partition)].end;
    }
    if (at_end != state.partitions.size()) return false;
  }
  return true;
}

void World::settle(std::vector<std::string>& violations) {
  faults_on_ = false;
  outage_until_ = now_;
  const Millis until = now_ + kSettleMillis;
  int steps = 0;
  while (now_ < until) {
    step();
    if (++steps % 16 == 0 && quiet()) return;
  }
  violations.push_back("it never comes to rest: something is left unread or uncommitted");
}

std::vector<std::string> World::run() {
  while (fed_.size() < settings_.records || bites() < settings_.bites_min) {
    step();
    if (fed_.size() >= kRecordsMax) break;
  }
  std::vector<std::string> violations;
  settle(violations);
  for (std::string& violation : judge(*this)) violations.push_back(std::move(violation));
  return violations;
}

}  // namespace penstock::sim
