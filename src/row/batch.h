// batch.h — the rows that go through a stage's steps together.
//
// A Batch is the records of one partition from one poll, decoded. Rules and steps see columns;
// whole records stay what they are, as views of their Avro bytes. Steps never move rows: they take
// them out of `live`, and what they add are further columns.
//
// Thread      the worker that owns it; moves forward, is never shared.
// Lifetime    columns, datums and cuts live in `arena` (the turn's) or in the RawBatch. Valid for
// one turn.
// Limits      at most 2^31 rows.
//
//     for (uint32_t row : batch.live) total += batch.columns[slot].float64s[row];    // fors down
#pragma once

#include "base/arena.h"
#include "base/units.h"
#include "row/column.h"
#include "row/raw_batch.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace penstock::row {

// A bad record is data: which row, which step refused it, why. Position and original bytes are
// those of its RawRecord. `reason` is a short stable name ("join.no_match", "implausible");
// `detail` is for people.
struct Reject {
  uint32_t row = 0;
  uint32_t step = 0;  // index of the step; kDecodeStep, kEncodeStep where no step is to blame
  std::string reason;
  std::string detail;
};
inline constexpr uint32_t kDecodeStep = UINT32_MAX;
inline constexpr uint32_t kEncodeStep = UINT32_MAX - 1;

struct Batch {
  Partition partition;
  std::span<const RawRecord>
      records;                 // one per row: key, timestamp, offset, the bytes as they came
  std::span<ByteView> datums;  // one per row: the value's Avro bytes under the stage's input schema
  // Byte offsets into datums[row] at which the encoder cuts: cuts[row * cut_count + i]. Which cuts:
  // the encode plan's affair.
  std::span<uint32_t> cuts;
  uint32_t cut_count = 0;
  std::vector<Column> columns;  // by slot number
  std::vector<uint32_t> live;   // rows still under way, ascending
  std::vector<Reject> rejects;  // rows set aside so far
  Arena* arena = nullptr;       // for what lives as long as this batch

  uint32_t rows() const { return static_cast<uint32_t>(records.size()); }

  // A column of rows() uninitialised slots in the arena; with `nullable` a zeroed null map.
  Column make_column(Kind kind, bool nullable);
  // Takes `row` out of the way as a dead letter; the caller removes it from `live` (keep_live).
  void reject(uint32_t row, uint32_t step, std::string reason, std::string detail);

  Batch() = default;
  Batch(Batch&&) = default;
  Batch& operator=(Batch&&) = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
};

}  // namespace penstock::row
