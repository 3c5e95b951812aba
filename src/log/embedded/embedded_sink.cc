#include "log/embedded/embedded_sink.h"

#include "base/check.h"
#include "flow/dead_letter.h"
#include "log/embedded/chunk_reader.h"

#include <algorithm>
#include <utility>

namespace penstock::log {
namespace {

uint64_t bytes_max(const Topic& topic) {
  return kMaxRecordBytes + (topic.takes_letters ? flow::kMaxLetterBytes : 0);
}

bool fits(const std::vector<TopicPtr>& outputs, const flow::EncodedBatch& batch) {
  return batch.output < outputs.size() && batch.partition >= 0 &&
         batch.partition < outputs[batch.output]->partitions() && batch.count > 0 &&
         batch.count <= INT32_MAX && batch.records.size() <= kMaxChunkBytes;
}

bool is_too_large(const std::vector<TopicPtr>& outputs, const flow::EncodedBatch& batch) {
  return !wire::each_fits(batch.records, batch.count, bytes_max(*outputs[batch.output]));
}

// The header, with its checksum, is made on the worker's side; only the offset is given out later.
PendingChunk make_chunk(const std::vector<TopicPtr>& outputs, const flow::EncodedBatch& batch) {
  PendingChunk chunk;
  chunk.topic = outputs[batch.output];
  chunk.partition = batch.partition;
  chunk.count = batch.count;
  chunk.records = batch.records;
  wire::write_header(chunk.header.data(),
                     {.last_offset_delta = static_cast<int32_t>(batch.count) - 1,
                      .base_timestamp = batch.base_timestamp,
                      .max_timestamp = batch.max_timestamp,
                      .count = batch.count},
                     batch.records);
  return chunk;
}

}  // namespace

EmbeddedSink::EmbeddedSink(Committer& committer, std::string group, std::vector<Input> inputs,
                           std::vector<TopicPtr> outputs, bool stateful, flow::Waker& waker)
    : committer_(committer),
      outputs_(std::move(outputs)),
      stateful_(stateful),
      request_(std::make_shared<Request>()) {
  request_->group = std::move(group);
  request_->inputs = std::move(inputs);
  request_->waker = &waker;
}

EmbeddedSink::~EmbeddedSink() {
  if (in_flight_) committer_.withdraw(request_);
}

int32_t EmbeddedSink::partitions(uint32_t output) const { return outputs_[output]->partitions(); }

uint64_t EmbeddedSink::record_bytes_max(uint32_t output) const {
  return bytes_max(*outputs_[output]);
}

void EmbeddedSink::begin_claim(flow::PartitionSet partitions, flow::Membership membership) {
  PENSTOCK_CHECK(!in_flight_ && !event_);
  for (const Partition partition : partitions) {
    PENSTOCK_CHECK(partition.topic < request_->inputs.size());
    const auto it = std::ranges::lower_bound(claimed_, partition);
    if (it == claimed_.end() || *it != partition) claimed_.insert(it, partition);
  }
  // An open epoch's chunks wait: a claim carries none.
  request_->kind = Request::Kind::claim;
  request_->partitions = std::move(partitions);
  request_->membership = std::move(membership);
  in_flight_ = true;
  committer_.submit(request_);
}

flow::WriteAnswer EmbeddedSink::write(const flow::EncodedBatch& batch) {
  PENSTOCK_CHECK(!in_flight_);
  if (!fits(outputs_, batch) || is_too_large(outputs_, batch)) return flow::WriteAnswer::error;
  const uint64_t before = request_->chunk_bytes + request_->state_bytes;
  if (before > 0 && before + batch.records.size() > kMaxEpochBytes) {
    return flow::WriteAnswer::full;
  }
  request_->chunks.push_back(make_chunk(outputs_, batch));
  request_->chunk_bytes += batch.records.size();
  return flow::WriteAnswer::accepted;
}

flow::WriteAnswer EmbeddedSink::write_state(std::span<const flow::StateChange> changes) {
  PENSTOCK_CHECK(!in_flight_ && stateful_);
  uint64_t bytes = 0;
  for (const flow::StateChange& change : changes) {
    PENSTOCK_CHECK(change.input.topic < request_->inputs.size());
    if (!flow::is_valid(change)) return flow::WriteAnswer::error;
    bytes += change.key.size() + change.value.size();
  }
  const uint64_t before = request_->chunk_bytes + request_->state_bytes;
  if (before > 0 && before + bytes > kMaxEpochBytes) return flow::WriteAnswer::full;
  for (const flow::StateChange& change : changes) {
    request_->state.push_back({change.input, change.gone, std::string(change.key), change.value});
  }
  request_->state_bytes += bytes;
  return flow::WriteAnswer::accepted;
}

void EmbeddedSink::forget_epoch() {
  request_->chunks.clear();
  request_->chunk_bytes = 0;
  request_->state.clear();
  request_->state_bytes = 0;
}

void EmbeddedSink::begin_commit(flow::Commit commit) {
  PENSTOCK_CHECK(!in_flight_ && !event_ && !commit.partitions.empty());
  for (const auto& moved : commit.partitions) {
    if (std::ranges::binary_search(claimed_, moved.partition)) continue;
    event_ = flow::Ended{flow::CommitEnd::fenced,
                         {},
                         {},
                         fail("L008"_code, "a partition was given up before").take()};
    return;
  }
  request_->kind = Request::Kind::commit;
  request_->commit = std::move(commit);
  in_flight_ = true;
  committer_.submit(request_);
}

void EmbeddedSink::begin_abort() {
  PENSTOCK_CHECK(!in_flight_ && !event_);
  forget_epoch();
  event_ = flow::Aborted{};
}

flow::SinkEvent EmbeddedSink::poll() {
  if (event_) {
    flow::SinkEvent event = std::move(*event_);
    event_.reset();
    return event;
  }
  if (!in_flight_) return flow::Waiting{};
  auto answer = committer_.take_answer(*request_);
  if (!answer) return flow::Waiting{};
  in_flight_ = false;
  const auto* ended = std::get_if<flow::Ended>(&*answer);
  if (ended != nullptr && ended->end == flow::CommitEnd::done) forget_epoch();
  auto* claimed = std::get_if<flow::Claimed>(&*answer);
  if (claimed != nullptr && stateful_) return with_state(std::move(*claimed));
  return std::move(*answer);
}

// Read here, not by the committer, whom everybody waits for. The claim is durable: the folder has
// what the former owner committed, and only this sink changes it from now on.
flow::SinkEvent EmbeddedSink::with_state(flow::Claimed&& claimed) const {
  for (flow::Owned& owned : claimed.owned) {
    auto rows = committer_.read_state(
        {request_->group, request_->inputs[owned.partition.topic].lineage, owned.partition.index});
    if (!rows) return flow::ClaimFailed{std::move(rows).error(), true};
    owned.state = std::move(*rows);
  }
  return std::move(claimed);
}

void EmbeddedSink::release(const flow::PartitionSet& partitions) {
  std::erase_if(claimed_, [&](Partition p) { return std::ranges::binary_search(partitions, p); });
}

EmbeddedAppender::EmbeddedAppender(Committer& committer, std::vector<TopicPtr> outputs,
                                   flow::Waker& waker)
    : committer_(committer), outputs_(std::move(outputs)), request_(std::make_shared<Request>()) {
  request_->kind = Request::Kind::append;
  request_->waker = &waker;
}

EmbeddedAppender::~EmbeddedAppender() {
  if (in_flight_) committer_.withdraw(request_);
}

int32_t EmbeddedAppender::partitions(uint32_t output) const {
  return outputs_[output]->partitions();
}

uint64_t EmbeddedAppender::record_bytes_max(uint32_t output) const {
  return bytes_max(*outputs_[output]);
}

void EmbeddedAppender::begin_append(std::vector<flow::EncodedBatch> batches) {
  PENSTOCK_CHECK(!in_flight_);
  request_->chunks.clear();
  request_->chunk_bytes = 0;
  for (const flow::EncodedBatch& batch : batches) {
    PENSTOCK_CHECK(fits(outputs_, batch));
    if (is_too_large(outputs_, batch)) {
      too_large_ = true;
      return;
    }
    request_->chunks.push_back(make_chunk(outputs_, batch));
    request_->chunk_bytes += batch.records.size();
  }
  in_flight_ = true;
  committer_.submit(request_);
}

flow::SinkEvent EmbeddedAppender::poll() {
  if (std::exchange(too_large_, false)) {
    return flow::Ended{flow::CommitEnd::retry,
                       {},
                       {},
                       fail("E005"_code, "a record to be appended is too large").take(),
                       true};
  }
  if (!in_flight_) return flow::Waiting{};
  auto answer = committer_.take_answer(*request_);
  if (!answer) return flow::Waiting{};
  in_flight_ = false;
  return std::move(*answer);
}

}  // namespace penstock::log
