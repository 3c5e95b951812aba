// The source's side of a worker: turn, intake, rebalances, when an epoch is closed, draining.
#include "engine/worker.h"

#include "base/check.h"
#include "engine/planted.h"
#include "engine/state_position.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace penstock::engine {
namespace {

constexpr int kStepsPerTurn = 16;          // then the thread may look at something else
constexpr int64_t kHeartbeatMillis = 500;  // a worker is turned at least this often
constexpr int64_t kBlockedMillis = 20;     // a blocked batch is tried again after this long

}  // namespace

std::string_view to_text(WorkerState state) {
  switch (state) {
    case WorkerState::unassigned:
      return "unassigned";
    case WorkerState::claiming:
      return "claiming";
    case WorkerState::running:
      return "running";
    case WorkerState::waiting:
      return "waiting";
    case WorkerState::stopped:
      return "stopped";
    case WorkerState::drained:
      return "drained";
    case WorkerState::failed:
      break;
  }
  return "failed";
}

void DurationCounts::add(int64_t millis) {
  const auto bound = std::ranges::lower_bound(kBoundsMillis, millis);
  ++counts[static_cast<size_t>(bound - kBoundsMillis.begin())];
  sum_millis += millis;
}

Worker::Worker(WorkerSpec spec, WorkerEnds ends, Processor& processor)
    : spec_(std::move(spec)),
      ends_(std::move(ends)),
      processor_(processor),
      memory_(processor.memory()),
      gate_(spec_.stop_above),
      rate_(spec_.limits.records_per_second),
      rows_limit_(spec_.limits.epoch_rows) {
  PENSTOCK_CHECK(ends_.source != nullptr);
  PENSTOCK_CHECK((ends_.open_log_sink != nullptr) != (ends_.open_store_sink != nullptr));
  PENSTOCK_CHECK(!ends_.open_store_sink || spec_.outputs.empty() || ends_.appender != nullptr);
  PENSTOCK_CHECK(memory_ == nullptr || ends_.open_log_sink);  // a store keeps no state
}

// Sinks go before the epochs whose bytes they may still read.
Worker::~Worker() {
  log_sink_.reset();
  store_sink_.reset();
  ends_.appender.reset();
}

Millis Worker::turn(Millis now) {
  now_ = now;
  tried_blocked_ = false;
  for (int step = 0; step < kStepsPerTurn; ++step) {
    if (drained_ || failed_) return kNever;
    bool moved = step_sink();
    moved |= give_up_stuck();
    moved |= settle_rebalance();
    moved |= close_when_due();
    moved |= intake();
    moved |= finish_drain();
    if (!moved) return deadline();
  }
  return now_;
}

// ---- intake

bool Worker::intake() {
  if (rebalance_ != Rebalance::none || drained_ || failed_) return false;
  if (try_blocked()) return true;
  return now_ >= poll_at_ && poll_source();
}

void Worker::block(row::RawBatch&& batch) {
  const Error* why = processor_.waits_for();
  ends_.source->hold(batch.partition, true);
  blocked_.push_back({std::move(batch), why != nullptr ? std::optional(*why) : std::nullopt});
}

// Once in a turn: what was blocked, in the order in which it came.
bool Worker::try_blocked() {
  if (blocked_.empty() || phase_ == Phase::aborting || std::exchange(tried_blocked_, true)) {
    return false;
  }
  const size_t before = blocked_.size();
  for (auto at = blocked_.begin(); at != blocked_.end() && !open_is_full();) {
    const Partition partition = at->batch.partition;
    if (compute(at->batch)) {
      ends_.source->hold(partition, false);
      at = blocked_.erase(at);
      continue;
    }
    const Error* why = processor_.waits_for();
    at->why = why != nullptr ? std::optional(*why) : std::nullopt;
    ++at;
  }
  return blocked_.size() < before;
}

bool Worker::poll_source() {
  rate_.tick(now_);
  update_pause();
  flow::PollLimits limits = spec_.limits.poll;
  const uint64_t taken = open().in();
  const uint64_t room = rows_limit_ > taken ? rows_limit_ - taken : 1;
  limits.max_records = static_cast<uint32_t>(
      std::min<uint64_t>({limits.max_records, room, std::max(rate_.allowed(), 1U)}));
  flow::SourceEvent event = ends_.source->poll(limits);
  if (std::holds_alternative<flow::Idle>(event)) {
    if (!ends_.source->at_end()) idle_since_ = kNever;
    if (idle_since_ == kNever && ends_.source->at_end()) idle_since_ = now_;
    return false;
  }
  if (auto* batch = std::get_if<row::RawBatch>(&event)) return take_batch(std::move(*batch));
  if (auto* fault = std::get_if<flow::SourceFault>(&event)) {
    ++counters_.outages;
    if (fault->partition && !fault->retry) {
      stand_still(*fault->partition, std::move(fault->error));
      return true;
    }
    failed_ = !fault->retry;
    refused_ |= fault->refused;
    error_ = std::move(fault->error);
    poll_at_ = now_ + spec_.limits.retry_millis;
    return false;
  }
  if (auto* a = std::get_if<flow::Assigned>(&event)) {
    serve(Rebalance::assigned, std::move(a->partitions), std::move(a->membership));
  } else if (auto* r = std::get_if<flow::Revoked>(&event)) {
    serve(Rebalance::revoked, std::move(r->partitions), std::move(r->membership));
  } else if (auto* l = std::get_if<flow::Lost>(&event)) {
    serve(Rebalance::lost, std::move(l->partitions), nullptr);
  }
  return true;
}

// A damaged chunk: its partition is read no further, what came before it is committed.
void Worker::stand_still(Partition partition, Error error) {
  if (OwnedPartition* owned = find(partition)) owned->damage = std::move(error);
}

bool Worker::take_batch(row::RawBatch&& batch) {
  idle_since_ = kNever;
  if (batch.records.empty()) return true;
  const OwnedPartition* owned = find(batch.partition);
  PENSTOCK_CHECK(owned != nullptr && owned->claimed && !source_paused_);
  rate_.took(batch.records.size());
  if (!compute(batch)) block(std::move(batch));
  return true;
}

// False when the processor can not go on yet; the batch is untouched then.
bool Worker::compute(row::RawBatch& batch) {
  Epoch& epoch = open();
  if (!epoch.begun) {
    epoch.set_outputs(output_partitions_);
    epoch.set_record_bytes_max(output_record_bytes_max_);
    processor_.begin(epoch);
  }
  const uint64_t records = batch.records.size();
  const uint64_t in_before = epoch.in();
  const uint64_t dead_before = epoch.dead();
  const Partition partition = batch.partition;
  if (processor_.process(batch, epoch) == Processed::blocked) return false;
  PENSTOCK_CHECK(epoch.in() == in_before + records);
  PENSTOCK_CHECK(epoch.fates(partition).adds_up());
  if (!epoch.begun) {
    epoch.begun = true;
    epoch.started = now_;
    epoch.membership = membership_;
  }
  counters_.records += records;
  counters_.dead += epoch.dead() - dead_before;
  gate_.count(now_, records, epoch.dead() - dead_before);
  return true;
}

bool Worker::open_is_full() const {
  return open().in() >= rows_limit_ || open().bytes() >= spec_.limits.epoch_bytes;
}

bool Worker::wants_data() const {
  if (draining_ || gate_.shut() || owned_.empty() || open_is_full()) return false;
  if (blocked_.size() == owned_.size()) return false;
  if (open().stuck || rate_.allowed() == 0) return false;
  if (phase_ == Phase::aborting) return false;  // what came now would be read again
  return std::all_of(owned_.begin(), owned_.end(), [](const auto& o) { return o.claimed; });
}

void Worker::update_pause() {
  const bool pause = !wants_data();
  if (pause == source_paused_) return;
  source_paused_ = pause;
  ends_.source->pause(pause);
}

// ---- rebalances

void Worker::serve(Rebalance kind, flow::PartitionSet partitions, flow::Membership membership) {
  rebalance_ = kind;
  rebalance_partitions_ = std::move(partitions);
  rebalance_since_ = now_;
  idle_since_ = kNever;
  if (kind == Rebalance::lost) {
    ++counters_.losses;
    if (planted(Bug::resumed_commits_old_work)) return;
    drop_open();
    return;
  }
  pin(membership);
  if (kind == Rebalance::assigned) {
    ever_assigned_ = true;
    add_partitions();
  } else {
    ++counters_.revocations;
    if (flying_ != nullptr) {  // what was computed ahead would keep the group waiting
      drop_open();
      seek_back();
    }
  }
}

// This worker takes part in the rebalance: what it has in memory is still its own.
void Worker::pin(const flow::Membership& membership) {
  membership_ = membership;
  if (open().begun) open().membership = membership;
  if (flying_ != nullptr) flying_->membership = membership;
}

void Worker::add_partitions() {
  for (const Partition partition : rebalance_partitions_) {
    if (find(partition) != nullptr) {
      if (planted(Bug::resumed_commits_old_work)) {
        ends_.source->start(partition, ends_.source->position(partition));
      }
      continue;
    }
    const auto at =
        std::lower_bound(owned_.begin(), owned_.end(), partition,
                         [](const OwnedPartition& o, Partition p) { return o.partition < p; });
    OwnedPartition owned;
    owned.partition = partition;
    owned_.insert(at, std::move(owned));
  }
}

// Answers the event when nothing is open any more that speaks against it.
bool Worker::settle_rebalance() {
  if (rebalance_ == Rebalance::none) return false;
  if (rebalance_ == Rebalance::assigned) {
    if (has_unclaimed() && !draining_) return false;  // who drains claims nothing more
  } else if (!(rebalance_ == Rebalance::lost && planted(Bug::resumed_commits_old_work))) {
    if (phase_ != Phase::ready) return false;
    const bool patient = rebalance_ == Rebalance::revoked &&
                         now_ < rebalance_since_ + spec_.limits.revoke_patience_millis;
    if (flying_ != nullptr) return !patient && give_up_flying();
    if (rebalance_ == Rebalance::revoked && (open().begun || !blocked_.empty())) {
      if (patient && open().begun && !open().stuck) {
        close_open();
        return true;
      }
      drop_open();
      seek_back();
    }
    leave_partitions();
    if (rebalance_ == Rebalance::lost) seek_back();
  }
  if (rebalance_ != Rebalance::lost) tell_group_again();
  rebalance_ = Rebalance::none;
  rebalance_partitions_.clear();
  ends_.source->answer();
  return true;
}

void Worker::leave_partitions() {
  flow::PartitionSet claimed;
  for (const OwnedPartition& owned : owned_) {
    if (owned.claimed && leaving(owned.partition)) claimed.push_back(owned.partition);
  }
  if (sink_ != nullptr && !claimed.empty()) sink_->release(claimed);
  if (memory_ != nullptr && !planted(Bug::state_kept_when_lost)) {
    for (const Partition partition : claimed) memory_->forget(partition);
  }
  std::erase_if(owned_, [&](const OwnedPartition& o) { return leaving(o.partition); });
  std::erase_if(blocked_, [&](const Blocked& b) { return find(b.batch.partition) == nullptr; });
}

bool Worker::leaving(Partition partition) const {
  if (rebalance_ != Rebalance::revoked && rebalance_ != Rebalance::lost) return false;
  return std::find(rebalance_partitions_.begin(), rebalance_partitions_.end(), partition) !=
         rebalance_partitions_.end();
}

Worker::OwnedPartition* Worker::find(Partition partition) {
  const auto at =
      std::lower_bound(owned_.begin(), owned_.end(), partition,
                       [](const OwnedPartition& o, Partition p) { return o.partition < p; });
  return at != owned_.end() && at->partition == partition ? &*at : nullptr;
}

// ---- the end of an epoch

bool Worker::close_when_due() {
  if (flying_ != nullptr || sink_ == nullptr || rebalance_ != Rebalance::none) return false;
  if (phase_ != Phase::ready || (has_unclaimed() && !draining_) || !due()) return false;
  close_open();
  return true;
}

bool Worker::due() const {
  if (open().stuck) return false;
  const bool idle = idle_since_ != kNever && now_ >= idle_since_ + spec_.limits.idle_millis;
  const bool still = idle || draining_ || blocked_.size() == owned_.size();
  if (!open().begun) return still && moved_while_idle();
  return still || gate_.shut() || open_is_full() ||
         now_ >= open().started + spec_.limits.epoch_millis;
}

bool Worker::moved_while_idle() const {
  return std::any_of(owned_.begin(), owned_.end(), [&](const OwnedPartition& o) {
    return o.claimed && (o.announce || position_of(o) > o.next);
  });
}

// What was handed out and taken: a batch that is blocked was handed out, but is not in the epoch.
Offset Worker::position_of(const OwnedPartition& owned) const {
  if (const Blocked* blocked = blocked_of(owned.partition)) {
    return blocked->batch.records.front().offset;
  }
  const Offset next = ends_.source->position(owned.partition);
  return planted(Bug::position_past_handed_out) ? Offset{next.value + 1} : next;
}

void Worker::close_open() {
  Epoch& epoch = open();
  PENSTOCK_CHECK(flying_ == nullptr && !epoch.closed);
  for (OwnedPartition& owned : owned_) {
    if (!owned.claimed) continue;
    const Offset next = position_of(owned);
    PENSTOCK_CHECK(next >= owned.next);
    if (next == owned.next && !owned.announce) continue;
    epoch.moved_of(owned.partition).next = next;
    owned.next = next;
  }
  if (!epoch.begun) epoch.membership = membership_;
  if (memory_ != nullptr) close_memory(epoch);
  epoch.closed = true;
  flying_ = &epoch;
  flying_since_ = now_;
  written_ = false;
  open_ ^= 1U;
  PENSTOCK_CHECK(!open().begun && !open().closed);
}

// For each partition that moves, also the position that its state belongs to.
void Worker::close_memory(Epoch& epoch) {
  memory_->close(epoch.arena, epoch.state);
  for (const Epoch::Moved& moved : epoch.moved()) {
    epoch.state.push_back(position_row(moved.partition, moved.next, epoch.arena));
  }
}

flow::Memory::Size Worker::remembered() const {
  return memory_ == nullptr ? flow::Memory::Size{} : memory_->size();
}

// ---- draining and looking

bool Worker::nothing_left() const {
  if (flying_ != nullptr || phase_ != Phase::ready || open().begun) return false;
  return has_unclaimed() || sink_ == nullptr || !moved_while_idle();
}

bool Worker::finish_drain() {
  if (!draining_ || drained_ || !nothing_left()) return false;
  flow::PartitionSet claimed;
  for (const OwnedPartition& owned : owned_) {
    if (owned.claimed) claimed.push_back(owned.partition);
  }
  if (sink_ != nullptr && !claimed.empty()) sink_->release(claimed);
  blocked_.clear();
  owned_.clear();
  ends_.source->close();
  drained_ = true;
  return true;
}

void Worker::resume() { gate_.open_again(); }

bool Worker::idle() const {
  if (flying_ != nullptr || open().begun || !blocked_.empty() || phase_ != Phase::ready)
    return false;
  if (rebalance_ != Rebalance::none || has_unclaimed()) return false;
  return owned_.empty() || (ends_.source->at_end() && !moved_while_idle());
}

WorkerState Worker::state() const {
  if (failed_) return WorkerState::failed;
  if (drained_) return WorkerState::drained;
  if (error_ && (now_ < retry_at_ || now_ < poll_at_ || has_unclaimed() || flying_ != nullptr)) {
    return WorkerState::waiting;
  }
  if (gate_.shut()) return WorkerState::stopped;
  if (owned_.empty()) return WorkerState::unassigned;
  if (damage() != nullptr || missing_schema() != nullptr) return WorkerState::waiting;
  return has_unclaimed() ? WorkerState::claiming : WorkerState::running;
}

const Error* Worker::damage() const {
  const auto at = std::ranges::find_if(owned_, [](const auto& o) { return o.damage.has_value(); });
  return at != owned_.end() ? &*at->damage : nullptr;
}

// Why the schema of what was polled is not known yet, where that is no matter of moments.
const Error* Worker::missing_schema() const {
  const auto at =
      std::ranges::find_if(blocked_, [](const Blocked& b) { return b.why.has_value(); });
  return at != blocked_.end() ? &*at->why : nullptr;
}

const Worker::Blocked* Worker::blocked_of(Partition partition) const {
  const auto at = std::ranges::find_if(
      blocked_, [&](const Blocked& b) { return b.batch.partition == partition; });
  return at != blocked_.end() ? &*at : nullptr;
}

Worker::Status Worker::status() const {
  const Error* standing = error_ ? &*error_ : damage();
  if (standing == nullptr) standing = missing_schema();
  return {state(),       standing != nullptr ? std::optional(*standing) : std::nullopt,
          owned_,        refused_,
          ever_claimed_, ever_assigned_,
          stuck_};
}

Millis Worker::deadline() const {
  Millis at = now_ + kHeartbeatMillis;
  const auto also = [&](Millis when) {
    if (when > now_) at = std::min(at, when);
  };
  also(retry_at_);
  also(poll_at_);
  also(rate_.opens_at());
  if (open().begun) also(open().started + spec_.limits.epoch_millis);
  if (idle_since_ != kNever) also(idle_since_ + spec_.limits.idle_millis);
  if (rebalance_ == Rebalance::revoked) {
    also(rebalance_since_ + spec_.limits.revoke_patience_millis);
  }
  if (!blocked_.empty()) also(now_ + kBlockedMillis);
  return at;
}

}  // namespace penstock::engine
