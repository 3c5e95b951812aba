// staged_rows.h — an epoch's rows as one Avro container file that COPY FORMAT AVRO 'auto' reads.
//
// A record per row: penstock_row (0, 1, 2 … in the order of `winners`), then c0, c1 … as
// column_type.h has them. A row whose value has no place in its column is not in the file.
//
// Thread      free function.
// Lifetime    rows are read during the call only.
// Limits      a row of 3.9 MB; a larger one is refused.
#pragma once

#include "flow/store.h"
#include "store/redshift/column_type.h"
#include "store/rows/winners.h"

#include <span>
#include <string>
#include <vector>

namespace penstock::store::redshift {

// Behind up to 64 KiB of other rows, and still in a block below COPY's 4 MB.
inline constexpr size_t kMaxRowBytes = 3'900'000;

struct StagedRows {
  std::string bytes;
  std::vector<flow::RejectedRow> rejected;
};

// `columns` are those of the schema's fields, as narrow as the table has them.
StagedRows stage_rows(std::span<const ColumnType> columns, const avro::Schema& schema,
                      std::span<const flow::StoreRows> rows, std::span<const Winner> winners);

}  // namespace penstock::store::redshift
