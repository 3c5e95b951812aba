// refused_rows.h — an epoch that the server refused, merged again in parts until the rows that it
// does not take are known.
//
// All of it happens within the transaction of the commit, by savepoints: parts that are taken stay,
// a part that is refused is undone and halved, in the order of the rows. So a row is bad if it is
// refused after all good rows before it. One bad row in 10,000 takes some 28 statements; when there
// are many, a loop in the server goes on row by row.
//
// Thread      one.
// Errors      what is not about the data ends the search.
//
//     auto refused = merge_in_parts(db, table, names, encoder);
//     if (refused->empty()) commit …
#pragma once

#include "store/libpq/connection.h"
#include "store/postgres/row_encoder.h"
#include "store/postgres/table_text.h"

#include <span>
#include <vector>

namespace penstock::store::postgres {

// The stage is filled and the transaction is open and good.
Answer<std::vector<flow::RejectedRow>> merge_in_parts(Connection& db, const flow::StoreTable& table,
                                                      std::span<const TableName> names,
                                                      const RowEncoder& encoder);

// The same for the COPY into the stage: texts that the server's encoding does not have. At most
// kMaxFound rows.
inline constexpr size_t kMaxFound = 256;
Answer<std::vector<flow::RejectedRow>> copy_in_parts(Connection& db, const RowEncoder& encoder);

}  // namespace penstock::store::postgres
