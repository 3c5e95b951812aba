#include "engine/intake.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace penstock::engine {

namespace {

// True when `value` begins with the header of the record before it, as nearly all of a batch do.
bool has_header(ByteView value, ByteView header) {
  return header.size() == avro::kSingleObjectHeaderBytes && value.size() >= header.size() &&
         std::memcmp(value.data(), header.data(), avro::kSingleObjectHeaderBytes) == 0;
}

}  // namespace

bool Intake::ready(const row::RawBatch& raw) {
  if (spec_.framings[raw.partition.topic] == avro::Framing::bare) return true;
  ByteView header;
  for (const row::RawRecord& record : raw.records) {
    if (!record.has_value || has_header(record.value, header)) continue;
    uint64_t fingerprint = 0;
    ByteView datum;
    if (!avro::strip_single_object(record.value, fingerprint, datum)) continue;
    header = record.value.substr(0, avro::kSingleObjectHeaderBytes);
    if (writers_.contains(fingerprint)) continue;
    const auto found = spec_.schemas->find(fingerprint);
    if (!found.schema && !found.final) return false;
  }
  return true;
}

Intake::Writer Intake::make_writer(const avro::SchemaPtr& schema) const {
  auto plan = avro::DecodePlan::compile(schema, spec_.input, spec_.wants, spec_.cuts);
  if (!plan) return {nullptr, "avro.unresolvable", plan.error().message};
  return {std::make_unique<avro::DecodePlan>(std::move(*plan)), {}, {}};
}

const Intake::Writer& Intake::writer(uint64_t fingerprint) {
  const auto known = writers_.find(fingerprint);
  if (known != writers_.end()) return known->second;
  const auto found = spec_.schemas->find(fingerprint);
  // A stranger is not remembered: its schema may be registered later, and hostile fingerprints must
  // not pile up.
  if (!found.schema) {
    static const Writer unknown{nullptr, "avro.unknown_schema", "no schema has this fingerprint"};
    return unknown;
  }
  return writers_.emplace(fingerprint, make_writer(found.schema)).first->second;
}

// Payload and fingerprint per row; what has none is rejected and does not enter `live`.
void Intake::frame(const row::RawBatch& raw, row::Batch& batch) {
  const bool bare = spec_.framings[raw.partition.topic] == avro::Framing::bare;
  const uint64_t declared = bare ? spec_.bare[raw.partition.topic]->fingerprint() : 0;
  payloads_.resize(raw.records.size());
  fingerprints_.resize(raw.records.size());
  batch.live.clear();
  ByteView header;
  uint64_t fingerprint = 0;
  for (uint32_t row = 0; row < raw.records.size(); ++row) {
    const row::RawRecord& record = raw.records[row];
    if (!record.has_value) {
      batch.reject(row, row::kDecodeStep, "value.null", "the record has no value");
    } else if (bare) {
      payloads_[row] = record.value;
      fingerprints_[row] = declared;
      batch.live.push_back(row);
    } else if (has_header(record.value, header)) {
      payloads_[row] = record.value.substr(header.size());
      fingerprints_[row] = fingerprint;
      batch.live.push_back(row);
    } else if (avro::strip_single_object(record.value, fingerprint, payloads_[row])) {
      header = record.value.substr(0, avro::kSingleObjectHeaderBytes);
      fingerprints_[row] = fingerprint;
      batch.live.push_back(row);
    } else {
      batch.reject(row, row::kDecodeStep, "avro.framing",
                   "the value does not begin with C3 01 and a fingerprint");
    }
  }
  if (bare && !writers_.contains(declared)) {
    writers_.emplace(declared, make_writer(spec_.bare[raw.partition.topic]));
  }
}

void Intake::decode(const row::RawBatch& raw, row::Batch& batch) {
  frame(raw, batch);
  if (batch.live.empty()) return;
  const uint64_t first = fingerprints_[batch.live.front()];
  const bool same =
      std::ranges::all_of(batch.live, [&](uint32_t row) { return fingerprints_[row] == first; });
  if (same) {
    decode_by(writer(first), batch);
  } else {
    decode_mixed(batch);
  }
}

// Decodes exactly the rows of batch.live; those that fail leave it.
void Intake::decode_by(const Writer& writer, row::Batch& batch) {
  if (writer.plan == nullptr) {
    for (const uint32_t row : batch.live) {
      batch.reject(row, row::kDecodeStep, writer.reason,
                   fmt::format("{} (fingerprint {:016x})", writer.detail, fingerprints_[row]));
    }
    batch.live.clear();
    return;
  }
  chosen_.clear();
  for (const uint32_t row : batch.live) chosen_.push_back(payloads_[row]);
  writer.plan->decode(chosen_, batch);
}

// Records of several schemas in one batch: sorted by fingerprint, then a pass over each run. So a
// batch in which every record names another schema costs a sort, not a pass over all for each.
void Intake::decode_mixed(row::Batch& batch) {
  waiting_ = batch.live;
  std::ranges::sort(waiting_, {}, [&](uint32_t row) { return std::pair(fingerprints_[row], row); });
  finished_.clear();
  for (size_t at = 0; at < waiting_.size();) {
    const uint64_t fingerprint = fingerprints_[waiting_[at]];
    batch.live.clear();
    for (; at < waiting_.size() && fingerprints_[waiting_[at]] == fingerprint; ++at)
      batch.live.push_back(waiting_[at]);
    decode_by(writer(fingerprint), batch);
    finished_.insert(finished_.end(), batch.live.begin(), batch.live.end());
  }
  std::ranges::sort(finished_);
  batch.live = finished_;
}

}  // namespace penstock::engine
