// records.h — the records of a simulation, and what has to become of each: pure functions that the
// processors compute and the law expects.
//
// Thread      free functions.
#pragma once

#include "base/random.h"
#include "engine/processor.h"
#include "step/seen.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::sim {

constexpr int32_t kPartitions = 4;
constexpr uint64_t kKeys = 13;

// "k7:42": key and number of a record; the number grows per key.
std::string record_text(uint64_t key, uint64_t number);
uint64_t key_of(std::string_view text);
uint64_t number_of(std::string_view text);

enum class Fate : uint8_t { pass, drop, dead, refuse };
// What the stage does with it; `refuse` (second stage only): the store does not take its row.
Fate fate_of(uint32_t stage, std::string_view text);
// What the first stage makes of it.
std::string annotated(std::string_view text);

// Called with each batch before anything else; true: blocked.
using Before = std::function<bool(const row::RawBatch&)>;

// log → log: outputs {mid, dead.prep}. With `within` only the first of each text goes on: what came
// within so many milliseconds of the records' timestamps is remembered.
class PrepProcessor final : public engine::Processor {
 public:
  PrepProcessor(Before blocked, std::optional<int64_t> within_millis);
  flow::Memory* memory() override { return seen_ ? &*seen_ : nullptr; }
  void begin(engine::Epoch&) override {}
  engine::Processed process(row::RawBatch& batch, engine::Epoch& epoch) override;
  void make_dead(const flow::RejectedRow&, engine::Epoch&) override;

 private:
  step::Sight look(Partition partition, const row::RawRecord& record);

  Before blocked_;
  std::optional<step::Seen> seen_;
  std::string text_;
};

// log → store: outputs {dead.writer}, rows (text string, value double).
class WriterProcessor final : public engine::Processor {
 public:
  explicit WriterProcessor(Before blocked) : blocked_(std::move(blocked)) {}
  void begin(engine::Epoch&) override {}
  engine::Processed process(row::RawBatch& batch, engine::Epoch& epoch) override;
  void make_dead(const flow::RejectedRow& rejected, engine::Epoch& epoch) override;

 private:
  Before blocked_;
};

}  // namespace penstock::sim
