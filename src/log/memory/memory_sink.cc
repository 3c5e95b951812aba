#include "log/memory/memory_sink.h"

#include "base/check.h"
#include "wire/record_batch.h"

#include <algorithm>
#include <utility>

namespace penstock::log {
namespace {

Error refused_error(flow::CommitEnd end) {
  return fail("L001"_code, end == flow::CommitEnd::abort ? "the group knows no such member"
                                                         : "another owner has claimed this")
      .take();
}

}  // namespace

MemorySink::MemorySink(MemoryLog& log, flow::SinkSpec spec, std::vector<Topic*> outputs,
                       Group& group, flow::Waker& waker)
    : log_(log),
      spec_(std::move(spec)),
      outputs_(std::move(outputs)),
      group_(group),
      waker_(waker),
      producer_(spec_.group + "/" + spec_.member) {
  log_.wakers_.push_back(&waker_);
}

// As Kafka: what was sent goes on, what is open stays so until it is fenced or timed out.
MemorySink::~MemorySink() {
  const auto at = std::find(log_.wakers_.begin(), log_.wakers_.end(), &waker_);
  if (at != log_.wakers_.end()) log_.wakers_.erase(at);
  if (transaction_ != nullptr && log_.settings_.session_millis == 0) log_.end(*transaction_, false);
}

// A new producer of the same id: its predecessor's transaction is aborted, what it still has under
// way will be refused.
void MemorySink::init_producer() {
  if (initialised_) return;
  initialised_ = true;
  if (!log_.settings_.as_kafka) return;
  epoch_ = ++log_.producer_epochs_[producer_];
  const auto open = log_.open_;
  for (const auto& transaction : open) {
    if (transaction->producer != producer_) continue;
    const bool flawed = log_.settings_.flaw == MemoryFlaw::late_end_accepted;
    if (flawed && transaction->ends != kNever) continue;
    log_.end(*transaction, false);
  }
}

bool MemorySink::fenced() const {
  return log_.settings_.as_kafka && log_.producer_epochs_[producer_] != epoch_;
}

void MemorySink::begin_claim(flow::PartitionSet partitions, flow::Membership) {
  PENSTOCK_CHECK(operation_ == Operation::none);
  init_producer();
  claiming_ = std::move(partitions);
  operation_ = Operation::claiming;
}

MemoryLog::Transaction& MemorySink::transaction() {
  if (transaction_ == nullptr) {
    transaction_ = std::make_shared<MemoryLog::Transaction>();
    transaction_->producer = producer_;
    transaction_->producer_epoch = epoch_;
    transaction_->started = log_.now_;
    log_.open_.push_back(transaction_);
  }
  return *transaction_;
}

flow::WriteAnswer MemorySink::write(const flow::EncodedBatch& batch) {
  PENSTOCK_CHECK(operation_ == Operation::none && initialised_);
  if (fenced()) return flow::WriteAnswer::error;
  MemoryLog::Transaction& open = transaction();
  if (open.state != MemoryLog::Transaction::State::open) return flow::WriteAnswer::error;
  if (!wire::each_fits(batch.records, batch.count, record_bytes_max(batch.output))) {
    too_large_ = true;  // told at the commit, as Kafka does
    return flow::WriteAnswer::accepted;
  }
  TopicPartition* to =
      outputs_[batch.output]->partitions[static_cast<size_t>(batch.partition)].get();
  to->append(batch, &open);
  if (std::find(open.touched.begin(), open.touched.end(), to) == open.touched.end()) {
    open.touched.push_back(to);
  }
  return flow::WriteAnswer::accepted;
}

flow::WriteAnswer MemorySink::write_state(std::span<const flow::StateChange> changes) {
  PENSTOCK_CHECK(operation_ == Operation::none && initialised_ && spec_.stateful);
  if (fenced()) return flow::WriteAnswer::error;
  MemoryLog::Transaction& open = transaction();
  if (open.state != MemoryLog::Transaction::State::open) return flow::WriteAnswer::error;
  for (const flow::StateChange& change : changes) {
    if (!flow::is_valid(change)) return flow::WriteAnswer::error;
    open.changes.push_back(
        {change.input, {std::string(change.key), std::string(change.value)}, change.gone});
  }
  return flow::WriteAnswer::accepted;
}

// Why these offsets are not taken; done when they are.
flow::CommitEnd MemorySink::refusal(const flow::Commit& commit) const {
  if (log_.settings_.flaw == MemoryFlaw::zombie_not_fenced) return flow::CommitEnd::done;
  if (fenced()) return flow::CommitEnd::fenced;
  if (transaction_->state != MemoryLog::Transaction::State::open) return flow::CommitEnd::fenced;
  if (commit.membership != nullptr && !group_.accepts(commit.membership)) {
    return flow::CommitEnd::abort;
  }
  if (log_.settings_.as_kafka && commit.membership != nullptr) return flow::CommitEnd::done;
  for (const flow::PartitionCommit& moved : commit.partitions) {
    const Group::Position& position = group_.position(input(moved.partition));
    if (position.term != moved.term || position.next != moved.from) return flow::CommitEnd::fenced;
  }
  return flow::CommitEnd::done;
}

void MemorySink::begin_commit(flow::Commit commit) {
  PENSTOCK_CHECK(operation_ == Operation::none && initialised_ && !commit.partitions.empty());
  operation_ = Operation::committing;
  MemoryLog::Transaction& open = transaction();
  refused_ = too_large_ ? flow::CommitEnd::abort : refusal(commit);
  if (refused_ != flow::CommitEnd::done) return;
  open.group = spec_.group;
  open.inputs = spec_.inputs;
  open.offsets = std::move(commit);
  open.offsets_sent = true;
  using Lose = MemoryLog::LoseAnswer;
  if (const Lose lose = std::exchange(log_.lose_, Lose::no); lose != Lose::no) {
    refused_ = flow::CommitEnd::unknown;
    log_.end(open, lose == Lose::written);
    return;
  }
  const int64_t delay = log_.settings_.delay_millis ? log_.settings_.delay_millis() : 0;
  open.ends = log_.now_ + delay;
  if (delay == 0) log_.arrive(open);
}

void MemorySink::begin_abort() {
  PENSTOCK_CHECK(operation_ == Operation::none);
  operation_ = Operation::aborting;
  too_large_ = false;
  if (transaction_ != nullptr && !fenced()) log_.end(*transaction_, false);
  transaction_ = nullptr;
}

flow::SinkEvent MemorySink::poll() {
  switch (operation_) {
    case Operation::none:
      return flow::Waiting{};
    case Operation::claiming:
      return poll_claim();
    case Operation::committing:
      return poll_commit();
    case Operation::aborting:
      break;
  }
  operation_ = Operation::none;
  return flow::Aborted{};
}

flow::SinkEvent MemorySink::poll_claim() {
  for (const Partition p : claiming_) {
    if (log_.pending_offsets(spec_.group, input(p).first, p.index)) return flow::Waiting{};
  }
  operation_ = Operation::none;
  flow::Claimed claimed;
  for (const Partition p : claiming_) {
    Group::Position& position = group_.position(input(p));
    ++position.term.value;
    if (!position.known) {
      const Topic* topic = log_.find_topic(input(p).first);
      position.next =
          topic == nullptr ? Offset{} : topic->partitions[static_cast<size_t>(p.index)]->start();
    }
    claimed.owned.push_back({p,
                             position.term,
                             position.next,
                             position.fates,
                             position.known ? flow::Start::resumed : flow::Start::first,
                             {}});
    if (!spec_.stateful) continue;
    for (const auto& [key, value] : position.state) {
      claimed.owned.back().state.push_back({key, value});
    }
  }
  return claimed;
}

flow::SinkEvent MemorySink::poll_commit() {
  using State = MemoryLog::Transaction::State;
  flow::Ended ended{flow::CommitEnd::done, {}, {}, {}};
  if (refused_ != flow::CommitEnd::done) {
    ended.end = refused_;
    ended.error = too_large_ ? fail("L112"_code, "a record of the epoch is too large").take()
                             : refused_error(refused_);
    ended.refused = too_large_;
    // With Kafka it is for the caller to abort, but a fenced one can not.
    if (refused_ == flow::CommitEnd::fenced || !log_.settings_.as_kafka) {
      if (!fenced()) log_.end(*transaction_, false);
      transaction_ = nullptr;
    }
  } else if (transaction_->state == State::open) {
    return flow::Waiting{};
  } else if (transaction_->state == State::committed) {
    for (const auto& moved : transaction_->offsets.partitions) {
      ended.durable.set(moved.partition, moved.next);
    }
    transaction_ = nullptr;
  } else {
    ended.end = flow::CommitEnd::fenced;
    ended.error = refused_error(ended.end);
    transaction_ = nullptr;
  }
  operation_ = Operation::none;
  return ended;
}

void MemoryAppender::begin_append(std::vector<flow::EncodedBatch> batches) {
  too_large_ = std::ranges::any_of(batches, [&](const flow::EncodedBatch& batch) {
    return !wire::each_fits(batch.records, batch.count, record_bytes_max(batch.output));
  });
  ended_ = true;
  if (too_large_) return log_.wake_all();
  for (const flow::EncodedBatch& batch : batches) {
    topics_[batch.output]->partitions[static_cast<size_t>(batch.partition)]->append(batch, nullptr);
  }
  log_.wake_all();
}

flow::SinkEvent MemoryAppender::poll() {
  if (!std::exchange(ended_, false)) return flow::Waiting{};
  if (!too_large_) return flow::Ended{flow::CommitEnd::done, {}, {}, {}};
  return flow::Ended{flow::CommitEnd::retry,
                     {},
                     {},
                     fail("L112"_code, "a record to be appended is too large").take(),
                     true};
}

}  // namespace penstock::log
