// The sink's side of a worker: claim, write, commit, and what follows from each answer.
#include "base/check.h"
#include "engine/planted.h"
#include "engine/state_position.h"
#include "engine/worker.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace penstock::engine {
namespace {

constexpr int64_t kFencedPauses = 10;  // times retry_millis, so that the newer owner shows itself

}  // namespace

bool Worker::step_sink() {
  if (phase_ == Phase::ready) return start_next();
  flow::SinkEvent event = phase_ == Phase::appending ? ends_.appender->poll() : sink_->poll();
  if (auto* waiting = std::get_if<flow::Waiting>(&event)) {
    if (waiting->why) error_ = std::move(waiting->why);
    return false;
  }
  if (auto* ended = std::get_if<flow::Ended>(&event)) {
    if (phase_ == Phase::appending) {
      on_append_ended(std::move(*ended));
    } else {
      on_ended(std::move(*ended));
    }
  } else if (auto* claimed = std::get_if<flow::Claimed>(&event)) {
    PENSTOCK_CHECK(phase_ == Phase::claiming);
    on_claimed(std::move(*claimed));
  } else if (auto* failed = std::get_if<flow::ClaimFailed>(&event)) {
    PENSTOCK_CHECK(phase_ == Phase::claiming);
    on_claim_failed(std::move(*failed));
  } else {
    PENSTOCK_CHECK(phase_ == Phase::aborting);
    on_aborted();
  }
  return true;
}

bool Worker::start_next() {
  if (now_ < retry_at_) return false;
  if (rebalance_ == Rebalance::lost && !planted(Bug::resumed_commits_old_work)) return false;
  if (flying_ != nullptr) return flush();
  if (draining_ || rebalance_ == Rebalance::revoked || !has_unclaimed()) return false;
  if (sink_ == nullptr && !open_sink()) return false;
  return begin_claim();
}

// ---- claim

bool Worker::has_unclaimed() const {
  return std::any_of(owned_.begin(), owned_.end(), [](const auto& o) { return !o.claimed; });
}

bool Worker::open_sink() {
  if (ends_.open_log_sink) {
    auto sink = ends_.open_log_sink();
    if (!sink) return wait(std::move(sink).error()), false;
    log_sink_ = std::move(*sink);
    sink_ = log_sink_.get();
  } else {
    auto sink = ends_.open_store_sink();
    if (!sink) return wait(std::move(sink).error()), false;
    store_sink_ = std::move(*sink);
    sink_ = store_sink_.get();
  }
  return true;
}

bool Worker::begin_claim() {
  flow::PartitionSet wanted;
  for (const OwnedPartition& owned : owned_) {
    if (!owned.claimed) wanted.push_back(owned.partition);
  }
  sink_->begin_claim(std::move(wanted), membership_);
  phase_ = Phase::claiming;
  return true;
}

void Worker::on_claimed(flow::Claimed&& claimed) {
  phase_ = Phase::ready;
  if (memory_ != nullptr && !restore(claimed)) return;
  ++counters_.claims;
  ever_claimed_ = true;
  refused_ = false;
  went_well();
  learn_outputs();
  if (store_sink_) announce_claim(claimed);
  for (flow::Owned& got : claimed.owned) adopt(std::move(got));
}

void Worker::learn_outputs() {
  output_partitions_.clear();
  output_record_bytes_max_.clear();
  for (uint32_t output = 0; output < spec_.outputs.size(); ++output) {
    const auto learn = [&](const auto& end) {
      output_partitions_.push_back(end.partitions(output));
      output_record_bytes_max_.push_back(end.record_bytes_max(output));
    };
    log_sink_ ? learn(*log_sink_) : learn(*ends_.appender);
  }
}

// False when what is remembered does not belong to the positions: nothing is owned then.
bool Worker::restore(flow::Claimed& claimed) {
  for (flow::Owned& got : claimed.owned) {
    if (planted(Bug::state_not_restored)) got.state.clear();
#ifdef PENSTOCK_PLANTED_BUGS
    if (planted(Bug::state_kept_when_lost) && !restored_.insert(got.partition).second) continue;
    if (planted(Bug::state_not_restored) || planted(Bug::state_after_commit))
      got.fates.absorbed = 0;
#endif
    auto good = check_position(got, spec_.stage);
    if (good) good = memory_->restore(got.partition, got.state);
    if (good) continue;
    on_claim_failed({std::move(good).error(), false});
    return false;
  }
  return true;
}

void Worker::adopt(flow::Owned&& got) {
  OwnedPartition* owned = find(got.partition);
  if (owned == nullptr) return;
  owned->term = got.term;
  owned->durable = owned->next = owned->group_next = got.next;
  owned->fates = std::move(got.fates);
  owned->claimed = true;
  owned->damage.reset();
  owned->announce = log_sink_ && membership_ && got.start != flow::Start::resumed;
  ends_.source->start(owned->partition, owned->next);
}

// The group is told where the store is: it may be behind, or know nothing.
void Worker::announce_claim(const flow::Claimed& claimed) {
  flow::Commit commit;
  commit.membership = membership_;
  for (const flow::Owned& got : claimed.owned) {
    commit.partitions.push_back({got.partition, got.term, got.next, got.next, got.fates});
  }
  if (!commit.partitions.empty()) ends_.source->commit_group(commit);
}

// What was told with the former membership may have been ignored.
void Worker::tell_group_again() {
  if (!ends_.open_store_sink) return;
  flow::Commit commit;
  commit.membership = membership_;
  for (const OwnedPartition& owned : owned_) {
    if (!owned.claimed) continue;
    commit.partitions.push_back(
        {owned.partition, owned.term, owned.durable, owned.group_next, owned.fates});
  }
  if (!commit.partitions.empty()) ends_.source->commit_group(commit);
}

void Worker::on_claim_failed(flow::ClaimFailed&& failed) {
  phase_ = Phase::ready;
  refused_ = !failed.retry;
  wait(std::move(failed.error), failed.retry ? 0 : spec_.limits.refused_millis);
}

// ---- commit

bool Worker::flush() {
  const bool plain_dead = !planted(Bug::dead_after_commit);
  if (store_sink_ && !flying_->nothing_encoded() && plain_dead) {
    encoded_.clear();
    flying_->take_encoded(encoded_);
    ends_.appender->begin_append(encoded_);
    phase_ = Phase::appending;
    return true;
  }
  if (store_sink_ && flying_->in() == 0) {
    group_only();
    return true;
  }
  if (!written_) {
    written_ = true;
    const bool late = planted(Bug::commit_before_write) && log_sink_ != nullptr;
    if (!late && !write_flying()) return true;
  }
  begin_commit();
  return true;
}

// False when the epoch was given up.
bool Worker::write_flying() {
  flow::WriteAnswer answer = flow::WriteAnswer::accepted;
  if (log_sink_) {
    encoded_.clear();
    flying_->take_encoded(encoded_);
    if (planted(Bug::sent_ahead)) open().take_encoded(encoded_);
#ifdef PENSTOCK_PLANTED_BUGS
    encoded_.insert(encoded_.end(), escaped_.begin(), escaped_.end());
    escaped_.clear();
#endif
    for (const flow::EncodedBatch& batch : encoded_) {
      if (answer == flow::WriteAnswer::accepted) answer = log_sink_->write(batch);
    }
    if (answer == flow::WriteAnswer::accepted) answer = write_state();
    if (planted(Bug::sent_ahead)) open().clear_encoded();
  } else {
    for (const flow::StoreRows& rows : flying_->rows) {
      if (answer == flow::WriteAnswer::accepted) answer = store_sink_->write(rows);
    }
  }
  if (answer == flow::WriteAnswer::accepted) return true;
  if (answer == flow::WriteAnswer::full) {
    rows_limit_ = std::max<uint64_t>(1, std::min(rows_limit_, flying_->in()) / 2);
    wait(
        fail("E001"_code, "the sink of " + spec_.stage + " is full before the epoch's end").take());
  } else {
    wait(fail("E002"_code, "the sink of " + spec_.stage + " refused to take records").take());
  }
  ++counters_.aborts;
  abort_flying();
  return false;
}

flow::WriteAnswer Worker::write_state() {
#ifdef PENSTOCK_PLANTED_BUGS
  if (planted(Bug::state_after_commit)) {  // what the former epoch changed, and then its own
    std::vector<flow::StateChange> late;
    for (const auto& [change, key, value] : late_state_) {
      late.push_back({change.input, key, value, change.gone});
    }
    const auto answer = late.empty() ? flow::WriteAnswer::accepted : log_sink_->write_state(late);
    next_late_state_.clear();
    for (const flow::StateChange& change : flying_->state) {
      if (change.key == flow::kStatePositionKey) continue;
      next_late_state_.push_back({change, std::string(change.key), std::string(change.value)});
    }
    return answer;
  }
#endif
  if (flying_->state.empty()) return flow::WriteAnswer::accepted;
  return log_sink_->write_state(flying_->state);
}

flow::Commit Worker::commit_of(Epoch& epoch, bool cumulative) {
  flow::Commit commit;
  commit.membership = epoch.membership;
  commit.partitions.reserve(epoch.moved().size());
  for (const Epoch::Moved& moved : epoch.moved()) {
    const OwnedPartition* owned = find(moved.partition);
    PENSTOCK_CHECK(owned != nullptr && owned->claimed);
    commit.partitions.push_back(
        {moved.partition, owned->term, owned->durable, moved.next, owned->fates});
    if (cumulative) commit.partitions.back().fates.add(moved.fates);
  }
  return commit;
}

void Worker::begin_commit() {
  sink_->begin_commit(commit_of(*flying_, true));
  phase_ = Phase::committing;
}

// A store's epoch without records: only the group hears of it.
void Worker::group_only() {
  for (const Epoch::Moved& moved : flying_->moved()) {
    OwnedPartition* owned = find(moved.partition);
    owned->announce = false;
    owned->group_next = moved.next;
  }
  ends_.source->commit_group(commit_of(*flying_, false));
  flying_->clear();
  flying_ = nullptr;
}

void Worker::on_append_ended(flow::Ended&& ended) {
  phase_ = Phase::ready;
  if (ended.end == flow::CommitEnd::done) {
    flying_->clear_encoded();
    return;
  }
  learn_outputs();
  if (ended.end == flow::CommitEnd::fatal) failed_ = true;
  ++counters_.retries;  // unknown too: readers of dead letters merge repeats
  wait(std::move(ended.error), ended.refused ? spec_.limits.refused_millis : 0);
  if (ended.refused) give_up_flying();  // made again within the limits as they are now
}

void Worker::on_ended(flow::Ended&& ended) {
  const bool lost = rebalance_ == Rebalance::lost && !planted(Bug::resumed_commits_old_work);
  flow::CommitEnd end = ended.end;
  if (end == flow::CommitEnd::unknown && planted(Bug::unknown_as_done) && log_sink_) {
    for (const Epoch::Moved& moved : flying_->moved())
      ended.durable.set(moved.partition, moved.next);
    end = flow::CommitEnd::done;
  }
  if (end == flow::CommitEnd::unknown && planted(Bug::unknown_as_abort)) {
    end = flow::CommitEnd::abort;
  }
  switch (end) {
    case flow::CommitEnd::done:
      return on_done(ended.durable);
    case flow::CommitEnd::retry:
      ++counters_.retries;
      phase_ = Phase::ready;
      return wait(std::move(ended.error));  // flush() commits again, or a lost event gives it up
    case flow::CommitEnd::rejected:
      return lost ? abort_flying() : on_rejected(std::move(ended.rejected));
    case flow::CommitEnd::abort:
      ++counters_.aborts;
      // The first time the epoch is made again within the limits as they are now.
      wait(std::move(ended.error),
           ended.refused && refused_before_ ? spec_.limits.refused_millis : 0);
      refused_before_ = ended.refused;
      return abort_flying();
    case flow::CommitEnd::unknown:
      ++counters_.unknowns;
      return start_over(std::move(ended.error), 0);
    case flow::CommitEnd::fenced:
      ++counters_.fenced;
      return start_over(std::move(ended.error), kFencedPauses * spec_.limits.retry_millis);
    case flow::CommitEnd::fatal:
      failed_ = true;
      error_ = std::move(ended.error);
      phase_ = Phase::ready;
  }
}

void Worker::on_done(const flow::Positions& durable) {
  phase_ = Phase::ready;
  ++counters_.epochs;
  counters_.commit_durations.add(now_.value - flying_since_.value);
  counters_.committed_records += flying_->in();
  rows_limit_ = std::min(spec_.limits.epoch_rows, rows_limit_ * 2);
  went_well();
  stuck_.reset();
  refused_before_ = false;
  learn_outputs();
  if (memory_ != nullptr) memory_->settle();
#ifdef PENSTOCK_PLANTED_BUGS
  std::swap(late_state_, next_late_state_);
#endif
  if (planted(Bug::commit_before_write) && log_sink_) write_flying();
  if (planted(Bug::dead_after_commit) && store_sink_ && !flying_->nothing_encoded()) {
    encoded_.clear();
    flying_->take_encoded(encoded_);
    ends_.appender->begin_append(encoded_);
    ends_.appender->poll();
  }
  if (store_sink_) ends_.source->commit_group(commit_of(*flying_, true));
  bool all = true;
  for (const Epoch::Moved& moved : flying_->moved()) {
    OwnedPartition* owned = find(moved.partition);
    owned->announce = false;
    if (durable.find(moved.partition) == moved.next) {
      owned->durable = owned->group_next = moved.next;
      owned->fates.add(moved.fates);
    } else {
      all = false;
      owned->claimed = false;  // only the store knows how far it came
    }
  }
  flying_->clear();
  flying_ = nullptr;
  written_ = false;
  if (all) return;
  drop_open();
  seek_back();
}

// The sink keeps the other rows of the epoch and leaves these out.
void Worker::on_rejected(std::vector<flow::RejectedRow>&& rows) {
  phase_ = Phase::ready;
  for (const flow::RejectedRow& row : rows) {
    ++counters_.rejected_rows;
    if (!planted(Bug::rejected_fates_kept)) {
      flow::Fates& fates = flying_->fates(row.row.partition);
      PENSTOCK_CHECK(fates.out.of(spec_.store) > 0);
      fates.out.add(spec_.store, UINT64_MAX);  // one less
      ++fates.dead;
    }
    processor_.make_dead(row, *flying_);
  }
  gate_.count(now_, 0, rows.size());
  if (!flying_->stuck) return;
  stuck_ = flying_->stuck->row;
  rows_limit_ = 1;
  start_over(std::move(flying_->stuck->error), flying_->in() > 1 ? 0 : spec_.limits.refused_millis);
}

// ---- giving up

void Worker::abort_flying() {
  if (!planted(Bug::ahead_kept_after_abort)) drop_open();
  sink_->begin_abort();
  phase_ = Phase::aborting;
}

void Worker::on_aborted() {
  phase_ = Phase::ready;
  written_ = false;
  drop(*flying_);
  flying_ = nullptr;
  PENSTOCK_CHECK(!open().begun || planted(Bug::ahead_kept_after_abort));
  learn_outputs();
  if (!planted(Bug::seek_dropped_after_abort)) seek_back();
}

// Before its commit was called; always true.
bool Worker::give_up_flying() {
  PENSTOCK_CHECK(phase_ == Phase::ready);
  if (written_) {
    abort_flying();
    return true;
  }
  drop_open();
  drop(*flying_);
  flying_ = nullptr;
  seek_back();
  return true;
}

// A record of the open epoch can go nowhere. What was read before it is committed first: epochs
// begin anew with one record, until it is alone. Then the stage holds, and looks now and then
// whether its topics take more by now (a claim tells), or it fails.
bool Worker::give_up_stuck() {
  if (!open().stuck || flying_ != nullptr || phase_ != Phase::ready) return false;
  const Epoch::Stuck stuck = *open().stuck;
  const bool alone = open().in() == 1;
  rows_limit_ = 1;
  start_over(stuck.error, alone ? spec_.limits.refused_millis : 0);
  if (!alone) return true;
  stuck_ = stuck.row;
  refused_ = true;
  failed_ = stuck.for_good;
  return true;
}

// Nothing is known of what the sink did: another sink, and what its claim returns is the truth.
void Worker::start_over(Error error, int64_t pause_millis) {
  log_sink_.reset();
  store_sink_.reset();
  sink_ = nullptr;
  phase_ = Phase::ready;
  written_ = false;
  drop_open();
  if (flying_ != nullptr) drop(*flying_);
  flying_ = nullptr;
  for (OwnedPartition& owned : owned_) owned.claimed = false;
  wait(std::move(error), pause_millis);
}

void Worker::drop_open() {
  blocked_.clear();
  drop(open());
}

void Worker::drop(Epoch& epoch) {
  if (epoch.in() > 0) ++counters_.dropped_epochs;
#ifdef PENSTOCK_PLANTED_BUGS
  if (planted(Bug::dead_letter_outside) && ends_.open_log_sink) {
    encoded_.clear();
    epoch.take_encoded(encoded_);
    for (flow::EncodedBatch batch : encoded_) {
      if (batch.output + 1 != spec_.outputs.size()) continue;
      escaped_bytes_.emplace_back(batch.records);
      batch.records = escaped_bytes_.back();
      escaped_.push_back(batch);
    }
  }
#endif
  if (memory_ != nullptr) {
    if (planted(Bug::undo_forgotten)) {
      if (epoch.closed) memory_->settle();
    } else if (epoch.closed) {
      memory_->undo_closed();
    } else {
      memory_->undo_open();
    }
  }
  epoch.clear();
}

// To the end of what is in flight, or else to what is durable: nothing open stems from behind it.
void Worker::seek_back() {
  idle_since_ = kNever;
  for (OwnedPartition& owned : owned_) {
    if (!owned.claimed || leaving(owned.partition)) continue;
    if (flying_ == nullptr) owned.next = owned.durable;
    owned.damage.reset();  // it is read anew, and tells again
    ends_.source->start(owned.partition, owned.next);
  }
}

void Worker::wait(Error error, int64_t at_least_millis) {
  pause_millis_ =
      std::clamp(pause_millis_ * 2, spec_.limits.retry_millis, spec_.limits.retry_millis_max);
  retry_at_ = now_ + std::max(pause_millis_, at_least_millis);
  error_ = std::move(error);
}

void Worker::went_well() {
  pause_millis_ = 0;
  error_.reset();
}

}  // namespace penstock::engine
