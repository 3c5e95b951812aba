// store_table.h — what is asked of a StoreTable in every store.
//
// Thread      free functions.
// Errors      S008.
#pragma once

#include "flow/store.h"

namespace penstock::flow {

// The key and newest_by are fields of the records; upsert and newest_by have a key.
Result<void> check_fields(const StoreTable& table);

// The tables that a StoreTable stands for, each by itself: `each`, or the one.
std::vector<StoreTable> tables_of(const StoreTable& table);

}  // namespace penstock::flow
