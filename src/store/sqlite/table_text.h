// table_text.h — the SQL of one table, and whether the table that is there is the one that is
// meant.
//
// Thread      free functions.
// Errors      S002 (another key, a column of another type), S008 (key is no field).
#pragma once

#include "base/error.h"
#include "flow/store.h"
#include "store/sqlite/database.h"

#include <string>
#include <vector>

namespace penstock::store {

// Fails (S008) when key or newest_by are no fields of the schema, or are missing.
Result<void> check_names(const flow::StoreTable& table);
std::string create_text(const flow::StoreTable& table);
// INSERT with as many parameters as the schema has fields. Rows of one key meet in the order in
// which they are written; newest_by keeps the row that is there only when it is newer than the one
// that comes. Each key lies in one input partition and every position is swapped once, so arrival
// within a key is offset order: the later offset wins a tie, also across restarts.
std::string insert_text(const flow::StoreTable& table);
// The statements that are missing until the file has the table: CREATE TABLE, or an ALTER TABLE for
// each field without a column (nullable: rows that are there know nothing of it). Empty when it
// fits. Fails (S002) when the table has another key, or a column of another type.
Result<std::vector<std::string>> missing_text(Database& database, const std::string& path,
                                              const flow::StoreTable& table);

inline constexpr const char* kCreatePositions =
    "CREATE TABLE IF NOT EXISTS penstock_positions (pipeline TEXT NOT NULL, stage TEXT NOT NULL, "
    "store TEXT NOT NULL, lineage TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, "
    "next INTEGER NOT NULL, term INTEGER NOT NULL, fates TEXT, "
    "PRIMARY KEY (pipeline, stage, store, lineage, partition)) WITHOUT ROWID";

}  // namespace penstock::store
