#include "records.h"

#include "base/check.h"
#include "step/seen_window.h"
#include "wire/partitioner.h"

#include <charconv>
#include <limits>

namespace penstock::sim {
namespace {

uint64_t number_from(std::string_view text, size_t at) {
  uint64_t value = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), value);
  return value;
}

std::string_view key_text(std::string_view text) { return text.substr(0, text.find(':')); }

void write_dead(engine::Epoch& epoch, uint32_t output, std::string_view text, int64_t timestamp) {
  epoch.records(output, 0).append(
      {.key = key_text(text), .value = text, .timestamp = timestamp, .has_key = true});
}

}  // namespace

std::string record_text(uint64_t key, uint64_t number) {
  return "k" + std::to_string(key) + ":" + std::to_string(number);
}

uint64_t key_of(std::string_view text) { return number_from(text, 1); }
uint64_t number_of(std::string_view text) { return number_from(text, text.find(':') + 1); }
std::string annotated(std::string_view text) { return std::string(text) + "+p"; }

Fate fate_of(uint32_t stage, std::string_view text) {
  const uint64_t roll = mix(mix(key_of(text) * 1'000'003 + number_of(text)) + stage) % 100;
  if (roll < 5) return Fate::drop;
  if (roll < 10) return Fate::dead;
  if (roll < 14 && stage == 1) return Fate::refuse;
  return Fate::pass;
}

PrepProcessor::PrepProcessor(Before blocked, std::optional<int64_t> within_millis)
    : blocked_(std::move(blocked)) {
  if (within_millis) seen_.emplace("seen", step::SeenLimits{*within_millis});
}

step::Sight PrepProcessor::look(Partition partition, const row::RawRecord& record) {
  if (!seen_) return step::Sight::fresh;
  const uint64_t key = key_of(record.value), number = number_of(record.value);
  return seen_->window(partition).see(key, {mix(key * 1'000'003 + number), number},
                                      record.timestamp.value);
}

engine::Processed PrepProcessor::process(row::RawBatch& batch, engine::Epoch& epoch) {
  if (blocked_(batch)) return engine::Processed::blocked;
  uint64_t passed = 0, dropped = 0, dead = 0, absorbed = 0;
  for (const row::RawRecord& record : batch.records) {
    const step::Sight sight = look(batch.partition, record);
    if (sight == step::Sight::repeat) {
      ++absorbed;
      continue;
    }
    if (sight == step::Sight::late) {  // never: the law finds it
      ++dead;
      write_dead(epoch, 1, std::string(record.value) + " late", record.timestamp.value);
      continue;
    }
    switch (fate_of(0, record.value)) {
      case Fate::drop:
        ++dropped;
        break;
      case Fate::dead:
        ++dead;
        write_dead(epoch, 1, record.value, record.timestamp.value);
        break;
      case Fate::pass:
      case Fate::refuse:
        ++passed;
        text_.assign(record.value);
        text_ += "+p";
        epoch.records(0, wire::partition_of(record.key, epoch.partitions(0)))
            .append({.key = record.key,
                     .value = text_,
                     .timestamp = record.timestamp.value,
                     .has_key = true});
    }
  }
  flow::Fates& fates = epoch.fates(batch.partition);
  fates.in += batch.records.size();
  fates.dead += dead;
  fates.absorbed += absorbed;
  if (passed > 0) fates.out.add("mid", passed);
  if (dropped > 0) fates.dropped.add("steps[0]", dropped);
  return engine::Processed::done;
}

void PrepProcessor::make_dead(const flow::RejectedRow&, engine::Epoch&) { PENSTOCK_CHECK(false); }

engine::Processed WriterProcessor::process(row::RawBatch& batch, engine::Epoch& epoch) {
  if (blocked_(batch)) return engine::Processed::blocked;
  const auto texts = epoch.arena.array<ByteView>(batch.records.size());
  const auto values = epoch.arena.array<double>(batch.records.size());
  const auto ids = epoch.arena.array<flow::RowId>(batch.records.size());
  uint32_t rows = 0;
  uint64_t dropped = 0, dead = 0;
  for (const row::RawRecord& record : batch.records) {
    const Fate fate = fate_of(1, record.value);
    if (fate == Fate::drop) {
      ++dropped;
    } else if (fate == Fate::dead) {
      ++dead;
      write_dead(epoch, 0, record.value, record.timestamp.value);
    } else {
      texts[rows] = epoch.arena.copy(record.value);
      values[rows] = fate == Fate::refuse ? std::numeric_limits<double>::quiet_NaN() : 1.0;
      ids[rows] = {batch.partition, record.offset};
      ++rows;
    }
  }
  flow::Fates& fates = epoch.fates(batch.partition);
  fates.in += batch.records.size();
  fates.dead += dead;
  if (rows > 0) fates.out.add("store", rows);
  if (dropped > 0) fates.dropped.add("steps[0]", dropped);
  if (rows > 0) {
    flow::StoreRows made;
    made.count = rows;
    made.columns.resize(2);
    made.columns[0].kind = row::Kind::string;
    made.columns[0].views = texts.data();
    made.columns[1].kind = row::Kind::float64;
    made.columns[1].float64s = values.data();
    made.ids = ids.first(rows);
    epoch.rows.push_back(std::move(made));
  }
  epoch.hold(std::move(batch));
  return engine::Processed::done;
}

void WriterProcessor::make_dead(const flow::RejectedRow& rejected, engine::Epoch& epoch) {
  const row::RawRecord* record = epoch.original(rejected.row);
  PENSTOCK_CHECK(record != nullptr);
  write_dead(epoch, 0, record->value, record->timestamp.value);
}

}  // namespace penstock::sim
