#include "engine/row_gatherer.h"

#include "base/check.h"

namespace penstock::engine {
namespace {

template <class T>
T* gather_slots(const T* from, const std::vector<uint32_t>& live, Arena& arena) {
  T* to = arena.array<T>(live.size()).data();
  for (size_t i = 0; i < live.size(); ++i) to[i] = from[live[i]];
  return to;
}

row::Column gather_column(const row::Column& from, const std::vector<uint32_t>& live,
                          Arena& arena) {
  row::Column to;
  to.kind = from.kind;
  switch (row::slot_bytes(from.kind)) {
    case 1:
      to.booleans = gather_slots(from.booleans, live, arena);
      break;
    case 8:
      to.int64s = gather_slots(from.int64s, live, arena);
      break;
    default:
      to.views = gather_slots(from.views, live, arena);
  }
  if (from.nulls != nullptr) to.nulls = gather_slots(from.nulls, live, arena);
  return to;
}

}  // namespace

RowGatherer::RowGatherer(const avro::Schema& rows, flow::Shape& shape) {
  for (const avro::Field& field : rows.root().fields) {
    PENSTOCK_CHECK(shape.field(field.name) != nullptr);
    slots_.push_back(shape.slot(field.name));
  }
}

flow::StoreRows RowGatherer::gather(const row::Batch& batch, const std::vector<uint32_t>& rows,
                                    Arena& arena) const {
  flow::StoreRows gathered;
  gathered.count = static_cast<uint32_t>(rows.size());
  for (const uint32_t slot : slots_)
    gathered.columns.push_back(gather_column(batch.columns[slot], rows, arena));
  const std::span<flow::RowId> ids = arena.array<flow::RowId>(rows.size());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = {batch.partition, batch.records[rows[i]].offset};
  gathered.ids = ids;
  return gathered;
}

}  // namespace penstock::engine
