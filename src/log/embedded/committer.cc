#include "log/embedded/committer.h"

#include "base/check.h"
#include "log/embedded/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace penstock::log {
namespace {

using flow::CommitEnd;
using flow::Ended;
using flow::SinkEvent;

constexpr uint64_t kMergeBytes = 16 << 20;

GroupKey key_of(const Request& request, Partition partition) {
  return {request.group, request.inputs[partition.topic].lineage, partition.index};
}

flow::PartitionSet partitions_of(const flow::Commit& commit) {
  flow::PartitionSet partitions;
  for (const auto& moved : commit.partitions) partitions.push_back(moved.partition);
  return partitions;
}

SinkEvent ended(CommitEnd end, Error error) { return Ended{end, {}, {}, std::move(error)}; }

SinkEvent fenced(std::string message) {
  return ended(CommitEnd::fenced, fail("L008"_code, std::move(message)).take());
}

}  // namespace

Committer::Committer(Db& db, Catalog& catalog, GroupRows& rows, Members& members,
                     Retention& retention, CommitterOptions options)
    : db_(db),
      catalog_(catalog),
      rows_(rows),
      members_(members),
      retention_(retention),
      options_(std::move(options)),
      thread_([this] { work(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Committer::submit(RequestPtr request) {
  {
    const std::lock_guard lock(mutex_);
    request->answered = false;
    request->ready.store(false, std::memory_order_relaxed);
    queue_.push_back(std::move(request));
  }
  changed_.notify_one();
}

std::optional<SinkEvent> Committer::take_answer(Request& request) {
  if (!request.ready.load(std::memory_order_acquire)) return std::nullopt;
  // Not before answer_all() has let go of it: who takes the answer may end its waker at once.
  const std::lock_guard lock(mutex_);
  request.ready.store(false, std::memory_order_relaxed);
  return std::move(request.answer);
}

void Committer::withdraw(const RequestPtr& request) {
  std::unique_lock lock(mutex_);
  if (std::erase(queue_, request) > 0) return;
  answered_.wait(lock, [&] { return request->answered; });
}

SinkEvent Committer::run(RequestPtr request) {
  submit(request);
  std::unique_lock lock(mutex_);
  answered_.wait(lock, [&] { return request->answered; });
  return std::move(request->answer);
}

void Committer::work() {
  while (true) {
    auto requests = next_requests();
    if (!requests) return;
    if (requests->empty()) {
      retain(options_.clock->now());
    } else {
      process(*requests);
    }
  }
}

// Waits for work; empty when it is time for retention, nothing when it is time to stop.
std::optional<std::vector<RequestPtr>> Committer::next_requests() {
  std::unique_lock lock(mutex_);
  const auto some = [&] { return !queue_.empty() || stop_; };
  if (options_.clock == nullptr) {
    changed_.wait(lock, some);
  } else {
    changed_.wait_for(lock, std::chrono::milliseconds(options_.retention_every_millis), some);
  }
  if (queue_.empty() && stop_) return std::nullopt;
  uint64_t bytes = 0;
  size_t count = 0;
  for (; count < queue_.size(); ++count) {
    bytes += queue_[count]->chunk_bytes + queue_[count]->state_bytes;
    if (count > 0 && bytes > kMergeBytes) break;
  }
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<RequestPtr> taken(std::make_move_iterator(queue_.begin()),
                                std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return taken;
}

void Committer::process(std::vector<RequestPtr>& requests) {
  {
    const std::lock_guard rows(rows_.mutex());
    batch_.clear();
    durable_ = false;
    for (const RequestPtr& request : requests) stage(*request);
    rows_.put_staged(batch_);
    for (const auto& [topic, index] : moved_) {
      const TopicPartition& partition = topic->partition(index);
      batch_.put(Family::ends, ends_key(topic->id, index),
                 ends_value(partition.start(), partition.staged_end));
    }
    settle(write(requests));
  }
  for (const auto& [topic, index] : moved_) topic->wake_readers();
  moved_.clear();
  answer_all(requests);
}

void Committer::stage(Request& request) {
  if (broken_) {
    request.answer = request.kind == Request::Kind::claim
                         ? SinkEvent(flow::ClaimFailed{*broken_, false})
                         : ended(CommitEnd::fatal, *broken_);
    return;
  }
  switch (request.kind) {
    case Request::Kind::claim:
      return stage_claim(request);
    case Request::Kind::commit:
      return stage_commit(request);
    case Request::Kind::append:
      durable_ = true;
      request.answer = Ended{CommitEnd::done, {}, {}, {}};
      return stage_chunks(request);
    case Request::Kind::group_lag:
      return stage_lag(request);
    case Request::Kind::retain:
      request.answer = Ended{CommitEnd::done, {}, {}, {}};
      return;
  }
}

bool Committer::holds(const Request& request, const flow::Membership& membership,
                      const flow::PartitionSet& partitions) const {
  if (membership == nullptr) return true;  // no group reads these: term and position fence
  const auto* token = dynamic_cast<const MemberToken*>(membership.get());
  return token != nullptr && token->group == request.group && members_.holds(*token, partitions);
}

void Committer::stage_claim(Request& request) {
  if (!holds(request, request.membership, request.partitions)) {
    request.answer = flow::ClaimFailed{
        fail("L008"_code, fmt::format("group \"{}\": the membership is not current", request.group))
            .take(),
        true};
    return;
  }
  flow::Claimed claimed;
  for (const Partition partition : request.partitions) {
    const Input& input = request.inputs[partition.topic];
    GroupRow& row = rows_.stage(key_of(request, partition));
    row.topic = input.name;
    ++row.term.value;
    if (!row.committed && input.topic) row.next = input.topic->partition(partition.index).start();
    claimed.owned.push_back({partition,
                             row.term,
                             row.next,
                             row.fates,
                             row.committed ? flow::Start::resumed : flow::Start::first,
                             {}});
  }
  durable_ = true;
  request.answer = std::move(claimed);
}

// Done when every partition may move as the commit says; else how it ends.
SinkEvent Committer::check(const Request& request) const {
  if (!holds(request, request.commit.membership, partitions_of(request.commit))) {
    return fenced(fmt::format("group \"{}\": the membership is not current", request.group));
  }
  flow::Positions durable;
  for (const flow::PartitionCommit& moved : request.commit.partitions) {
    const GroupRow* row = rows_.find(key_of(request, moved.partition));
    const std::string& topic = request.inputs[moved.partition.topic].name;
    if (row == nullptr || row->term != moved.term) {
      return fenced(fmt::format("group \"{}\": {}/{} has a newer owner", request.group, topic,
                                moved.partition.index));
    }
    if (row->next != moved.from || moved.next < moved.from) {
      return fenced(fmt::format("group \"{}\": {}/{} stands at {}, not at {}", request.group, topic,
                                moved.partition.index, row->next.value, moved.from.value));
    }
    durable.set(moved.partition, moved.next);
  }
  return Ended{CommitEnd::done, std::move(durable), {}, {}};
}

void Committer::stage_commit(Request& request) {
  request.answer = check(request);
  if (std::get<Ended>(request.answer).end != CommitEnd::done) return;
  for (const flow::PartitionCommit& moved : request.commit.partitions) {
    GroupRow& row = rows_.stage(key_of(request, moved.partition));
    row.next = moved.next;
    row.fates = moved.fates;
    row.committed = true;
  }
  durable_ = true;
  stage_chunks(request);
  stage_state(request);
}

void Committer::stage_lag(Request& request) {
  request.answer = Ended{CommitEnd::done, {}, {}, {}};
  if (!holds(request, request.commit.membership, partitions_of(request.commit))) return;
  for (const flow::PartitionCommit& moved : request.commit.partitions) {
    GroupRow& row = rows_.stage(key_of(request, moved.partition));
    row.topic = request.inputs[moved.partition.topic].name;
    row.term = moved.term;
    row.next = moved.next;
    row.fates = moved.fates;
    row.committed = true;
  }
}

void Committer::stage_chunks(Request& request) {
  for (PendingChunk& chunk : request.chunks) {
    TopicPartition& partition = chunk.topic->partition(chunk.partition);
    const Offset base = partition.staged_end;
    if (base == partition.end()) moved_.emplace_back(chunk.topic, chunk.partition);
    wire::set_base_offset(chunk.header.data(), base.value);
    batch_.put(Family::chunks, chunk_key({chunk.topic->id, chunk.partition, base}),
               {chunk.header.data(), chunk.header.size()}, chunk.records);
    partition.staged_end.value += chunk.count;
  }
}

void Committer::stage_state(Request& request) {
  for (const PendingState& change : request.state) {
    const std::string key = group_key(key_of(request, change.input)) + change.key;
    if (change.gone) {
      batch_.erase(Family::state, key);
    } else {
      batch_.put(Family::state, key, change.value, {});
    }
  }
}

Result<flow::StateRows> Committer::read_state(const GroupKey& key) const {
  const std::string prefix = group_key(key);
  flow::StateRows rows;
  auto cursor = db_.cursor(Family::state);
  for (cursor->seek(prefix); cursor->valid() && cursor->key().starts_with(prefix); cursor->next()) {
    rows.push_back(
        {std::string(cursor->key().substr(prefix.size())), std::string(cursor->value())});
  }
  PENSTOCK_TRY_VOID(cursor->status());
  return rows;
}

// True when the batch is in the folder. Answers that are not known are changed to `unknown`.
bool Committer::write(std::vector<RequestPtr>& requests) {
  if (batch_.empty()) return true;
  const bool lost = durable_ && options_.failpoint && options_.failpoint(WritePoint::before_write);
  Result<void> written;
  if (!lost) written = db_.write(batch_, options_.sync);
  if (!written) break_off(written.error());
  const bool done = !lost && written.has_value();
  const bool told =
      done && !(durable_ && options_.failpoint && options_.failpoint(WritePoint::after_write));
  if (told) return true;
  const Error error =
      broken_ ? *broken_ : fail("L005"_code, "the answer of a write was lost").take();
  for (const RequestPtr& request : requests) {
    request->answer = request->kind == Request::Kind::claim
                          ? SinkEvent(flow::ClaimFailed{error, !broken_})
                          : ended(CommitEnd::unknown, error);
  }
  return done;
}

void Committer::settle(bool done) {
  rows_.settle(done);
  for (const auto& [topic, index] : moved_) {
    TopicPartition& partition = topic->partition(index);
    if (done) {
      partition.publish_end(partition.staged_end);
    } else {
      partition.staged_end = partition.end();
    }
  }
}

void Committer::answer_all(std::vector<RequestPtr>& requests) {
  for (const RequestPtr& request : requests) {
    if (request->kind == Request::Kind::retain) retain(request->now);
  }
  // All under the mutex: a request that is submitted anew, or withdrawn, is not touched any more.
  const std::lock_guard lock(mutex_);
  for (const RequestPtr& request : requests) {
    request->answered = true;
    request->ready.store(true, std::memory_order_release);
    if (request->waker != nullptr) request->waker->wake();
  }
  answered_.notify_all();
}

void Committer::retain(Millis now) {
  if (broken_) return;
  const std::lock_guard rows(rows_.mutex());
  if (auto result = retention_.run(db_, catalog_, rows_, now); !result) break_off(result.error());
}

void Committer::break_off(Error error) {
  if (broken_) return;
  broken_ = std::move(error);
  is_broken_.store(true, std::memory_order_release);
}

}  // namespace penstock::log
