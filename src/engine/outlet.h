// outlet.h — from rows to the records of one output: encoding, key, partition.
//
// Thread      one worker.
//
//     outlet.bind_cuts(intake_cuts);
//     outlet.encode(batch, rows, epoch, counts);
#pragma once

#include "avro/framing.h"
#include "avro/plan.h"
#include "engine/epoch.h"
#include "flow/shape.h"
#include "plan/plan.h"
#include "row/batch.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::engine {

enum class Encoded : uint8_t { done, misfit, too_large };

// "1200345 bytes, usage.alpine takes 1048588 (E005)"
std::string too_large_text(uint64_t bytes, std::string_view topic, uint64_t bytes_max);

class Outlet {
 public:
  // `outputs` are the epoch's output indices that share this outlet's schema (one, or one per
  // tenant), by the topics' names. Asks `shape` for the slots of key fields.
  struct Output {
    uint32_t index;
    std::string topic;
    std::string head;  // framing bytes
  };
  static Result<Outlet> make(const plan::Topic& topic, flow::Shape& shape,
                             std::vector<Output> outputs);

  const std::vector<uint32_t>& cuts() const { return plan_.cuts(); }
  void bind_cuts(std::span<const uint32_t> recorded) { plan_.bind_cuts(recorded); }

  // Appends the record of `row` to output outputs[which], or says why not.
  Encoded encode(const row::Batch& batch, uint32_t row, uint32_t which, Epoch& epoch,
                 std::string& why);

 private:
  Outlet(avro::EncodePlan plan, const plan::Topic& topic, std::vector<uint32_t> key_slots,
         std::vector<Output> outputs);
  // The output's key of this row; false when there is none.
  bool key_of(const row::Batch& batch, uint32_t row);

  avro::EncodePlan plan_;
  std::vector<uint32_t> key_slots_;  // empty: the record's own key goes on
  bool same_partition_ = false;
  std::vector<Output> outputs_;
  std::string value_, key_;
};

}  // namespace penstock::engine
