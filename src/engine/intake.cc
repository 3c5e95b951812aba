#include "engine/intake.h"

#include "wire/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace penstock::engine {

namespace {

// True when `value` begins with the head of the record before it, as nearly all of a batch do.
bool has_header(ByteView value, ByteView header) {
  if (value.size() < header.size()) return false;
  if (header.size() == avro::kSingleObjectHeaderBytes) [[likely]]
    return std::memcmp(value.data(), header.data(), avro::kSingleObjectHeaderBytes) == 0;
  return !header.empty() && value.starts_with(header);
}

}  // namespace

bool Intake::ready(const row::RawBatch& raw) {
  if (spec_.topics[raw.partition.topic].framing == avro::Framing::bare) return true;
  bool all = true;
  why_ = nullptr;
  ByteView header;
  for (const row::RawRecord& record : raw.records) {
    if (!record.has_value || has_header(record.value, header)) continue;
    avro::Head head;
    if (avro::read_head(record.value, head) != avro::HeadFault::none) continue;
    header = record.value.substr(0, head.bytes);
    if (writers_.contains(head.id)) continue;
    auto found = spec_.schemas->find_id(head.id);
    if (found.schema || found.final) continue;
    if (why_ == nullptr) why_ = std::move(found.why);
    all = false;
  }
  return all;
}

Intake::Writer Intake::make_writer(const avro::SchemaPtr& schema) const {
  auto plan = avro::DecodePlan::compile(schema, spec_.input, spec_.wants, spec_.cuts);
  if (!plan) return {nullptr, "avro.unresolvable", plan.error().message};
  return {std::make_unique<avro::DecodePlan>(std::move(*plan)), {}, {}};
}

const Intake::Writer& Intake::writer(const avro::SchemaId& id) {
  const auto known = writers_.find(id);
  if (known != writers_.end()) return known->second;
  if (id.framing == avro::Framing::bare)
    return writers_.emplace(id, make_writer(spec_.topics[id.low].schema)).first->second;
  auto found = spec_.schemas->find_id(id);
  if (found.schema) return writers_.emplace(id, make_writer(found.schema)).first->second;
  // A stranger is not remembered: its schema may be registered later, and hostile ids must not pile
  // up.
  stranger_ = {nullptr, "avro.unknown_schema",
               found.why ? found.why->message : "no schema has this fingerprint"};
  return stranger_;
}

// From the next record on: this schema.
void Intake::name(const avro::SchemaId& id) {
  if (ids_.empty() || ids_.back() != id) ids_.push_back(id);
}

void Intake::frame_bare(const row::RawBatch& raw, row::Batch& batch) {
  name({avro::Framing::bare, 0, raw.partition.topic});
  for (uint32_t row = 0; row < raw.records.size(); ++row) {
    const row::RawRecord& record = raw.records[row];
    if (!record.has_value) {
      batch.reject(row, row::kDecodeStep, "value.null", "the record has no value");
      continue;
    }
    payloads_[row] = record.value;
    numbers_[row] = 0;
    batch.live.push_back(row);
  }
}

bool Intake::inflate(uint32_t row, row::Batch& batch) {
  const ByteView deflated = payloads_[row];
  const size_t bytes_max = avro::inflated_bytes_max(deflated.size());
  if (!wire::zlib_decompress(deflated, bytes_max, inflated_)) {
    batch.reject(row, row::kDecodeStep, "avro.compressed",
                 fmt::format("what zlib compressed is damaged, or more than {} bytes", bytes_max));
    return false;
  }
  payloads_[row] = batch.arena->copy(inflated_);
  return true;
}

bool Intake::frame_anew(const row::RawRecord& record, uint32_t row, uint32_t topic,
                        row::Batch& batch) {
  header_ = {};
  if (!record.has_value) {
    batch.reject(row, row::kDecodeStep, "value.null", "the record has no value");
    return false;
  }
  avro::Head head;
  const avro::HeadFault fault = avro::read_head(record.value, head);
  if (fault != avro::HeadFault::none && !spec_.topics[topic].unframed_bare) {
    batch.reject(row, row::kDecodeStep, "avro.framing", avro::describe(fault, record.value));
    return false;
  }
  if (fault != avro::HeadFault::none) head = {{avro::Framing::bare, 0, topic}, 0, false};
  payloads_[row] = record.value.substr(head.bytes);
  name(head.id);
  if (head.deflated) return inflate(row, batch);
  header_ = record.value.substr(0, head.bytes);
  return true;
}

// Payload and schema per row; what has none is rejected and does not enter `live`.
void Intake::frame(const row::RawBatch& raw, row::Batch& batch) {
  payloads_.resize(raw.records.size());
  numbers_.resize(raw.records.size());
  ids_.clear();
  header_ = {};
  batch.live.clear();
  const uint32_t topic = raw.partition.topic;
  if (spec_.topics[topic].framing == avro::Framing::bare) return frame_bare(raw, batch);
  ByteView header;      // header_, for this loop's registers
  uint32_t number = 0;  // of the record's schema in ids_
  for (uint32_t row = 0; row < raw.records.size(); ++row) {
    const row::RawRecord& record = raw.records[row];
    if (record.has_value && has_header(record.value, header)) {
      payloads_[row] = record.value.substr(header.size());
    } else {
      const bool good = frame_anew(record, row, topic, batch);
      header = header_;
      if (!good) continue;
      number = static_cast<uint32_t>(ids_.size() - 1);
    }
    numbers_[row] = number;
    batch.live.push_back(row);
  }
}

void Intake::decode(const row::RawBatch& raw, row::Batch& batch) {
  frame(raw, batch);
  if (batch.live.empty()) return;
  if (ids_.size() == 1) {
    decode_by(ids_.front(), batch);
  } else {
    decode_mixed(batch);
  }
}

// Decodes exactly the rows of batch.live; those that fail leave it.
void Intake::decode_by(const avro::SchemaId& id, row::Batch& batch) {
  const Writer& writer = this->writer(id);
  if (writer.plan == nullptr) {
    const std::string detail = fmt::format("{} ({})", writer.detail, avro::to_text(id));
    for (const uint32_t row : batch.live)
      batch.reject(row, row::kDecodeStep, writer.reason, detail);
    batch.live.clear();
    return;
  }
  chosen_.clear();
  for (const uint32_t row : batch.live) chosen_.push_back(payloads_[row]);
  writer.plan->decode(chosen_, batch);
}

// Records of several schemas in one batch: sorted by schema, then a pass over each run. So a
// batch in which every record names another schema costs a sort, not a pass over all for each.
void Intake::decode_mixed(row::Batch& batch) {
  waiting_ = batch.live;
  const auto id_of = [&](uint32_t row) { return ids_[numbers_[row]]; };
  std::ranges::sort(waiting_, {}, [&](uint32_t row) { return std::pair(id_of(row), row); });
  finished_.clear();
  for (size_t at = 0; at < waiting_.size();) {
    const avro::SchemaId id = id_of(waiting_[at]);
    batch.live.clear();
    for (; at < waiting_.size() && id_of(waiting_[at]) == id; ++at)
      batch.live.push_back(waiting_[at]);
    decode_by(id, batch);
    finished_.insert(finished_.end(), batch.live.begin(), batch.live.end());
  }
  std::ranges::sort(finished_);
  batch.live = finished_;
}

}  // namespace penstock::engine
