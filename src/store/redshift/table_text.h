// table_text.h — SQL about tables: what makes one, what one lacks, how rows get in from the stage.
//
// Only Redshift's own dialect, as AWS documents it: no ON CONFLICT, no RETURNING, no arrays, no
// savepoints, no E'' and no backslash in a literal (whether it escapes is a setting): CHR(92).
// Names are written in lower case, to which Redshift folds them anyway.
//
// Thread      free functions.
// Errors      S002 for a table that is another one, with what to do; S008 for records that no table
//             could hold.
#pragma once

#include "flow/store.h"
#include "store/redshift/column_type.h"
#include "store/redshift/database.h"

#include <string>
#include <string_view>
#include <vector>

namespace penstock::store::redshift {

inline constexpr std::string_view kStage = "\"penstock_stage\"";

// "readings" or "energy.readings".
struct TableName {
  std::string schema, table;
  std::string sql() const;   // "energy"."readings"
  std::string text() const;  // energy.readings
};
TableName table_name(std::string_view written, std::string_view default_schema);
// Of each of its tables.
std::vector<TableName> names_of(const flow::StoreTable& table, std::string_view default_schema);

// A name as Redshift keeps it, in quotes; a text as a literal.
std::string folded(std::string_view name);
std::string column_sql(std::string_view name);
std::string text_sql(std::string_view text);

Result<void> check_records(const flow::StoreTable& table);
// Of the fields, in their order.
std::vector<ColumnType> columns_of(const flow::StoreTable& table);

std::string create_text(const flow::StoreTable& table, const TableName& name);
// The temporary table of an epoch: penstock_row, c0, c1 …
std::string stage_text(const flow::StoreTable& table, const std::vector<ColumnType>& columns);
std::string stage_columns(size_t count);  // ("penstock_row", "c0", …)
// From the stage into the table.
std::vector<std::string> merge_texts(const flow::StoreTable& table,
                                     const std::vector<ColumnType>& columns, const TableName& name);

// What of a table that is there (or is not) differs from the records.
struct Missing {
  bool is_there = false;
  std::vector<std::string> statements;  // what makes it fit: none, CREATE TABLE, or ALTER TABLE
  std::vector<std::string> notes;       // what is narrower than the records, for people
  std::vector<Error> unfit;             // what nothing that this program does would make fit
  std::vector<ColumnType> columns;      // of the fields, as narrow as the table has them
  std::vector<bool> not_null;           // likewise
};
Result<Missing> differences(Database& db, const std::string& where, const flow::StoreTable& table,
                            const TableName& name);
// The same for whoever writes: the first misfit is the Error.
Result<Missing> missing_text(Database& db, const std::string& where, const flow::StoreTable& table,
                             const TableName& name);

}  // namespace penstock::store::redshift
