#include "log/kafka/kafka_sink.h"

#include "base/check.h"

#include <algorithm>
#include <utility>

namespace penstock::log::kafka {

KafkaSink::KafkaSink(SinkWorld& world, flow::SinkSpec spec, std::vector<uint64_t> record_bytes_max,
                     flow::Waker& waker)
    : world_(world),
      waker_(waker),
      session_(std::make_shared<SinkSession>(world, spec, record_bytes_max)),
      limits_(*world.admin, spec.outputs, std::move(record_bytes_max)),
      thread_(waker, session_->vital()) {
  thread_.post([session = session_] { return session->prepare(); });
}

int32_t KafkaSink::partitions(uint32_t output) const { return partitions_[output]; }

void KafkaSink::begin_claim(flow::PartitionSet partitions, flow::Membership membership) {
  PENSTOCK_CHECK(!in_flight_ && !event_);
  in_flight_ = true;
  thread_.post(
      [session = session_, partitions = std::move(partitions), membership = std::move(membership)] {
        return session->claim(partitions, membership);
      });
}

flow::WriteAnswer KafkaSink::write(const flow::EncodedBatch& batch) {
  PENSTOCK_CHECK(!in_flight_ && !event_);
  if (batch.output >= partitions_.size() || batch.partition < 0 ||
      batch.partition >= partitions_[batch.output]) {
    return flow::WriteAnswer::error;
  }
  PendingEpoch& epoch = session_->epoch();
  if (epoch.records > 0 && (epoch.records + batch.count > kMaxEpochRecords ||
                            epoch.bytes + batch.records.size() > kMaxEpochBytes)) {
    return flow::WriteAnswer::full;
  }
  epoch.batches.push_back(batch);
  epoch.records += batch.count;
  epoch.bytes += batch.records.size();
  return flow::WriteAnswer::accepted;
}

flow::WriteAnswer KafkaSink::write_state(std::span<const flow::StateChange> changes) {
  PENSTOCK_CHECK(!in_flight_ && !event_);
  if (changes.empty()) return flow::WriteAnswer::accepted;
  if (!session_->spec().stateful) return flow::WriteAnswer::error;
  for (const flow::StateChange& change : changes) {
    if (!owned_.contains(change.input) || !flow::is_valid(change)) return flow::WriteAnswer::error;
  }
  auto& pending = session_->epoch().changes;
  pending.insert(pending.end(), changes.begin(), changes.end());
  return flow::WriteAnswer::accepted;
}

// The group's generation fences other members; this fences what this sink itself has got over.
std::optional<Error> KafkaSink::not_ours(const flow::Commit& commit) const {
  for (const flow::PartitionCommit& moved : commit.partitions) {
    const auto own = owned_.find(moved.partition);
    if (own == owned_.end()) return fail("L008"_code, "a partition was given up before").take();
    if (own->second.term == moved.term && own->second.next == moved.from) continue;
    return fail("L008"_code, "the epoch does not begin where the last one ended").take();
  }
  return std::nullopt;
}

void KafkaSink::begin_commit(flow::Commit commit) {
  PENSTOCK_CHECK(!in_flight_ && !event_ && !commit.partitions.empty());
  if (auto error = not_ours(commit)) {
    event_ = flow::Ended{flow::CommitEnd::fenced, {}, {}, std::move(*error)};
    return waker_.wake();
  }
  in_flight_ = true;
  thread_.post(
      [session = session_, commit = std::move(commit)] { return session->commit(commit); });
}

void KafkaSink::begin_abort() {
  PENSTOCK_CHECK(!in_flight_ && !event_);
  in_flight_ = true;
  thread_.post([session = session_] { return session->abort(); });
}

flow::SinkEvent KafkaSink::poll() {
  if (event_) return *std::exchange(event_, std::nullopt);
  if (!in_flight_) return flow::Waiting{};
  auto event = thread_.take();
  if (!event) return watch();
  in_flight_ = false;
  learn(*event);
  return std::move(*event);
}

// A call that never returns can not be undone: the process ends.
flow::SinkEvent KafkaSink::watch() {
  const int64_t silent = thread_.stuck_millis();
  if (silent < world_.watchdog_millis) return flow::Waiting{session_->vital()->take_note()};
  thread_.abandon();
  in_flight_ = false;
  return flow::Ended{flow::CommitEnd::fatal,
                     {},
                     {},
                     fail("L125"_code, "no answer for " + std::to_string(silent) + " ms").take()};
}

void KafkaSink::learn(flow::SinkEvent& event) {
  if (auto* claimed = std::get_if<flow::Claimed>(&event)) {
    partitions_.clear();
    for (uint32_t output = 0; output < session_->spec().outputs.size(); ++output) {
      partitions_.push_back(session_->partitions(output));
    }
    for (flow::Owned& own : claimed->owned) {
      // What this sink owned before and did not commit has to differ from what it owns now.
      if (const auto before = owned_.find(own.partition); before != owned_.end()) {
        own.term = std::max(own.term, Term{before->second.term.value + 1});
      }
      owned_[own.partition] = {own.term, own.next};
    }
  } else if (const auto* ended = std::get_if<flow::Ended>(&event)) {
    for (const auto& [partition, next] : ended->durable) owned_[partition].next = next;
  } else if (std::holds_alternative<flow::Aborted>(event)) {
    if (auto looked = session_->take_new_limits()) limits_.learn(std::move(*looked));
  }
}

void KafkaSink::release(const flow::PartitionSet& partitions) {
  for (const Partition partition : partitions) owned_.erase(partition);
}

}  // namespace penstock::log::kafka
