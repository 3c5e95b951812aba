// table_text.h — SQL about tables: what makes one, what one lacks, how rows get in.
//
// Thread      free functions.
// Errors      S002 for a table that is another one, with what to do; S008 for records that no table
//             could hold.
#pragma once

#include "flow/store.h"
#include "store/libpq/connection.h"

#include <string>
#include <string_view>
#include <vector>

namespace penstock::store::postgres {

// "readings" or "energy.readings".
struct TableName {
  std::string schema, table;
  std::string sql() const;   // "energy"."readings"
  std::string text() const;  // energy.readings
};
TableName table_name(std::string_view written, std::string_view default_schema);
// Of each of its tables.
std::vector<TableName> names_of(const flow::StoreTable& table, std::string_view default_schema);

Result<void> check_records(const flow::StoreTable& table);

std::string create_text(const flow::StoreTable& table, const TableName& name);
// The temporary table that an epoch is copied into, and the COPY itself.
std::string stage_text(const flow::StoreTable& table);
inline constexpr std::string_view kCopyText =
    "COPY pg_temp.penstock_stage FROM STDIN (FORMAT binary)";
// From the stage into the table; `where` ("ord < 5") chooses rows, "" takes all.
std::string merge_text(const flow::StoreTable& table, const TableName& name,
                       std::string_view where);

std::string positions_name(std::string_view schema);
std::string create_positions_text(std::string_view schema);

// What of a table that is there (or is not) differs from the records.
struct Missing {
  bool is_there = false;
  std::vector<std::string> statements;  // what makes it fit: none, CREATE TABLE, or ALTER TABLE
  std::vector<std::string> notes;       // what is narrower than the records, for people
  std::vector<Error> unfit;             // what nothing that this program does would make fit
};
Result<Missing> differences(Connection& db, const std::string& where, const flow::StoreTable& table,
                            const TableName& name);
// The same for whoever writes: the first misfit is the Error.
Result<Missing> missing_text(Connection& db, const std::string& where,
                             const flow::StoreTable& table, const TableName& name);

}  // namespace penstock::store::postgres
