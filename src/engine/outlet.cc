#include "engine/outlet.h"

#include "flow/key_text.h"
#include "wire/partitioner.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::engine {

std::string too_large_text(uint64_t bytes, std::string_view topic, uint64_t bytes_max) {
  return fmt::format("{} bytes, {} takes {} (E005)", bytes, topic, bytes_max);
}

Outlet::Outlet(avro::EncodePlan plan, const plan::Topic& topic, std::vector<uint32_t> key_slots,
               std::vector<Output> outputs)
    : plan_(std::move(plan)),
      key_slots_(std::move(key_slots)),
      same_partition_(topic.same_partition),
      outputs_(std::move(outputs)) {}

Result<Outlet> Outlet::make(const plan::Topic& topic, flow::Shape& shape,
                            std::vector<Output> outputs) {
  std::vector<uint32_t> key_slots;
  for (const std::string& field : topic.key) {
    const flow::Shape::Field* found = shape.field(field);
    if (found == nullptr) {
      return fail("P301"_code,
                  fmt::format("topic {} is keyed by \"{}\", which the record does not have",
                              topic.name, field));
    }
    if (!flow::can_be_key(avro::slot_shape(*found->type).kind)) {
      return fail("P302"_code, fmt::format("topic {} is keyed by \"{}\", which is {}", topic.name,
                                           field, avro::describe(*found->type)));
    }
    key_slots.push_back(shape.slot(field));
  }
  PENSTOCK_TRY(origins, shape.origins(*topic.schema));
  PENSTOCK_TRY(plan, avro::EncodePlan::compile(shape.input(), topic.schema, std::move(origins)));
  return Outlet(std::move(plan), topic, std::move(key_slots), std::move(outputs));
}

bool Outlet::key_of(const row::Batch& batch, uint32_t row) {
  if (key_slots_.empty()) {
    const row::RawRecord& record = batch.records[row];
    key_ = record.has_key ? record.key : ByteView();
    return record.has_key;
  }
  key_.clear();
  return flow::append_key(batch, key_slots_, row, key_);
}

Encoded Outlet::encode(const row::Batch& batch, uint32_t row, uint32_t which, Epoch& epoch,
                       std::string& why) {
  value_ = outputs_[which].head;
  if (!plan_.encode(batch, row, value_, &why)) return Encoded::misfit;
  const bool has_key = key_of(batch, row);
  const uint32_t output = outputs_[which].index;
  const size_t bytes = wire::lone_batch_bytes(key_, has_key, value_);
  if (bytes > epoch.record_bytes_max(output)) [[unlikely]] {
    why = too_large_text(bytes, outputs_[which].topic, epoch.record_bytes_max(output));
    return Encoded::too_large;
  }
  const int32_t partitions = epoch.partitions(output);
  const row::RawRecord& record = batch.records[row];
  // Without a key: in turns, by the input's offset, so that a replay makes the same choice.
  int32_t partition = static_cast<int32_t>(record.offset.value % partitions);
  if (same_partition_) {
    partition = batch.partition.index % partitions;
  } else if (has_key) {
    partition = wire::partition_of(key_, partitions);
  }
  epoch.records(output, partition)
      .append(
          {.key = key_, .value = value_, .timestamp = record.timestamp.value, .has_key = has_key});
  return Encoded::done;
}

}  // namespace penstock::engine
