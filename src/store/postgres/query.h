// query.h — the answer of one query, for reference tables.
//
// Thread      one; waits for the server.
// Limits      rows_max rows, an answer within kQueryMillis.
// Errors      S001, S002 (the query itself), S006, S020; S022 for too many rows.
//
//     PENSTOCK_TRY(lines, query_lines(settings, "select id, tenant from meters", 1'000, nullptr));
#pragma once

#include "store/postgres/session.h"

#include <cstdint>
#include <string>

namespace penstock::store::postgres {

inline constexpr int64_t kQueryMillis = 300'000;

// A JSON object per line, in the names of the query's columns; all of one snapshot.
Result<std::string> query_lines(StoreSettings settings, std::string sql, uint64_t rows_max,
                                const Interrupt* interrupt);

}  // namespace penstock::store::postgres
