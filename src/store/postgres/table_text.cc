#include "store/postgres/table_text.h"

#include "flow/store_table.h"
#include "store/postgres/column_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace penstock::store::postgres {
namespace {

bool is_key(const flow::StoreTable& table, std::string_view name) {
  return std::ranges::find(table.key, name) != table.key.end();
}
bool is_needed(const flow::StoreTable& table, std::string_view name) {
  return is_key(table, name) || table.newest_by == name;
}

ColumnType type_of(const flow::StoreTable& table, const avro::Field& field) {
  return column_type(*field.type, is_needed(table, field.name));
}

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + sql_name(name);
  return out;
}

// ---- what is there

struct FoundColumn {
  std::string name, type;
  int32_t modifier = -1;
  bool not_null = false;
  bool filled = false;  // by a default, an identity or an expression
  bool closed = false;  // GENERATED ALWAYS: nobody may write it
};
struct Found {
  char kind = 0;  // pg_class.relkind; 0: no such table
  std::vector<FoundColumn> columns;
  std::vector<std::vector<std::string>> unique;  // columns of each usable unique index, sorted
};

Answer<Found> find_table(Connection& db, const TableName& name) {
  const std::string of = fmt::format(
      " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
      "c.relnamespace AND n.nspname = {} AND c.relname = {} ",
      sql_text(name.schema), sql_text(name.table));
  const std::string sql =
      "SELECT c.relkind" + of +
      "; SELECT a.attname, CASE WHEN b.oid IS NULL THEN t.typname ELSE b.typname END, "
      "CASE WHEN b.oid IS NULL THEN a.atttypmod ELSE t.typtypmod END, a.attnotnull, "
      "a.atthasdef OR a.attidentity <> '', a.attgenerated <> '' OR a.attidentity = 'a'" +
      of +
      "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT "
      "a.attisdropped JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN "
      "pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype ORDER BY a.attnum"
      "; SELECT i.indexrelid, a.attname" +
      of +
      "JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND "
      "i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL JOIN pg_catalog.pg_attribute a "
      "ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]) ORDER BY "
      "i.indexrelid, a.attname COLLATE \"C\"";
  auto answers = db.run(sql, 3);
  if (!answers) return std::unexpected(std::move(answers).error());
  Found found;
  if ((*answers)[0].cells.empty()) return found;
  found.kind = (*answers)[0].text(0, 0).empty() ? '?' : (*answers)[0].text(0, 0)[0];
  const Rows& columns = (*answers)[1];
  for (size_t i = 0; i < columns.cells.size(); ++i) {
    const auto yes = [&](size_t column) { return columns.text(i, column) == "t"; };
    found.columns.push_back({columns.text(i, 0), columns.text(i, 1),
                             std::atoi(columns.text(i, 2).c_str()), yes(3), yes(4), yes(5)});
  }
  const Rows& keys = (*answers)[2];
  std::string last;
  for (size_t i = 0; i < keys.cells.size(); ++i) {
    const std::string index = keys.text(i, 0);
    if (i == 0 || std::exchange(last, index) != index) found.unique.emplace_back();
    last = index;
    found.unique.back().push_back(keys.text(i, 1));
  }
  return found;
}

Failure other_table(const std::string& where, const TableName& name, std::string what) {
  return fail("S002"_code, fmt::format("{}: table {} {}", where, name.text(), what));
}

Result<void> check_key(const Found& found, const std::string& where, const flow::StoreTable& table,
                       const TableName& name) {
  std::vector<std::string> wanted = table.key;
  std::ranges::sort(wanted);
  if (table.merge == flow::Merge::append) {
    for (const auto& key : found.unique) {
      const bool of_records = std::ranges::all_of(
          key, [&](const auto& column) { return table.schema->root().field(column) != nullptr; });
      if (of_records)
        return other_table(where, name,
                           fmt::format("has the key ({}), the pipeline only appends", list_of(key)))
            .cure(fmt::format("write upsert_on: [{}] in the store's line, or drop the index",
                              fmt::join(key, ", ")));
    }
    return {};
  }
  if (std::ranges::find(found.unique, wanted) != found.unique.end()) return {};
  return other_table(where, name, fmt::format("has no unique index on ({})", list_of(table.key)))
      .cure(fmt::format("CREATE UNIQUE INDEX ON {} ({})", name.sql(), list_of(table.key)));
}

// Columns that the records do not fill.
Result<void> check_others(const Found& found, const std::string& where,
                          const flow::StoreTable& table, const TableName& name) {
  for (const FoundColumn& column : found.columns) {
    if (!column.not_null || column.filled || table.schema->root().field(column.name) != nullptr)
      continue;
    return other_table(
               where, name,
               fmt::format("needs a value in \"{}\", which the records do not have", column.name))
        .cure(fmt::format("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT …, or DROP NOT NULL",
                          name.sql(), sql_name(column.name)));
  }
  return {};
}

Result<void> check_column(const FoundColumn& column, const ColumnType& type,
                          const std::string& where, const TableName& name, Missing& missing) {
  if (column.closed) {
    return other_table(where, name,
                       fmt::format("computes \"{}\" itself, the records have it too", column.name))
        .cure("unset the field in the stage, or make the column a plain one");
  }
  std::string why;
  if (!type.fits(column.type, column.modifier, why)) {
    return other_table(where, name, fmt::format("has the column \"{}\" {}", column.name, why))
        .cure(fmt::format("ALTER TABLE {} ALTER COLUMN {} TYPE {}; or name another table",
                          name.sql(), sql_name(column.name), type.sql()));
  }
  const bool narrow =
      (type.form == Form::int8 && column.type.starts_with("int") && column.type != "int8") ||
      (type.form == Form::int4 && column.type == "int2") || column.type == "varchar";
  if (narrow)
    missing.notes.push_back(
        fmt::format("column \"{}\" is {}: rows whose value does not fit become dead letters",
                    column.name, column.type));
  return {};
}

std::string conflict_text(const flow::StoreTable& table) {
  std::string sets;
  for (const avro::Field& field : table.schema->root().fields) {
    if (is_key(table, field.name)) continue;
    sets += fmt::format("{}{} = EXCLUDED.{}", sets.empty() ? "" : ", ", sql_name(field.name),
                        sql_name(field.name));
  }
  const std::string target = fmt::format(" ON CONFLICT ({})", list_of(table.key));
  if (sets.empty()) return target + " DO NOTHING";
  std::string text = target + " DO UPDATE SET " + sets;
  if (table.merge != flow::Merge::newest_by) return text;
  const avro::Field& field = *table.schema->root().field(table.newest_by);
  const std::string_view order = type_of(table, field).form == Form::text ? " COLLATE \"C\"" : "";
  const std::string newest = sql_name(table.newest_by);
  // Null where the column was added to a table that had rows.
  return text +
         fmt::format(" WHERE kept.{0} IS NULL OR EXCLUDED.{0}{1} >= kept.{0}{1}", newest, order);
}

}  // namespace

std::string TableName::sql() const { return sql_name(schema) + "." + sql_name(table); }
std::string TableName::text() const { return schema + "." + table; }

TableName table_name(std::string_view written, std::string_view default_schema) {
  const size_t point = written.find('.');
  if (point == written.npos) return {std::string(default_schema), std::string(written)};
  return {std::string(written.substr(0, point)), std::string(written.substr(point + 1))};
}

std::vector<TableName> names_of(const flow::StoreTable& table, std::string_view default_schema) {
  std::vector<TableName> names;
  for (const flow::StoreTable& one : flow::tables_of(table))
    names.push_back(table_name(one.table, default_schema));
  return names;
}

Result<void> check_records(const flow::StoreTable& table) {
  PENSTOCK_TRY_VOID(flow::check_fields(table));
  for (const avro::Field& field : table.schema->root().fields) {
    if (field.name.size() > 63)
      return fail("S008"_code, fmt::format("\"{}\" is too long for a column's name", field.name));
    if (field.name == table.newest_by && !can_be_newest(type_of(table, field)))
      return fail("S008"_code, fmt::format("newest_by: \"{}\" is {}, which has no order here",
                                           field.name, avro::describe(*field.type)));
  }
  return {};
}

std::string create_text(const flow::StoreTable& table, const TableName& name) {
  std::string columns;
  for (const avro::Field& field : table.schema->root().fields) {
    columns +=
        fmt::format("{}{} {}{}", columns.empty() ? "" : ", ", sql_name(field.name),
                    type_of(table, field).sql(), is_needed(table, field.name) ? " NOT NULL" : "");
  }
  if (table.merge != flow::Merge::append)
    columns += fmt::format(", PRIMARY KEY ({})", list_of(table.key));
  return fmt::format("CREATE TABLE {} ({})", name.sql(), columns);
}

std::string stage_text(const flow::StoreTable& table) {
  std::string text = "CREATE TEMPORARY TABLE penstock_stage (ord integer";
  int number = 0;
  for (const avro::Field& field : table.schema->root().fields)
    text += fmt::format(", c{} {}", number++, type_of(table, field).stage_sql());
  return text + ") ON COMMIT DELETE ROWS";
}

std::string merge_text(const flow::StoreTable& table, const TableName& name,
                       std::string_view where) {
  std::string names, values;
  int number = 0;
  for (const avro::Field& field : table.schema->root().fields) {
    const std::string_view comma = number == 0 ? "" : ", ";
    names += fmt::format("{}{}", comma, sql_name(field.name));
    values += fmt::format("{}c{}{}", comma, number++, type_of(table, field).cast());
  }
  return fmt::format("INSERT INTO {} AS kept ({}) SELECT {} FROM pg_temp.penstock_stage{}{}{}",
                     name.sql(), names, values, where.empty() ? "" : " WHERE ", where,
                     table.merge == flow::Merge::append ? "" : conflict_text(table));
}

std::string positions_name(std::string_view schema) {
  return sql_name(schema) + ".penstock_positions";
}

std::string create_positions_text(std::string_view schema) {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {} (pipeline text, stage text, store text, lineage text, "
      "partition integer, topic text NOT NULL, next bigint NOT NULL, term bigint NOT NULL, fates "
      "text, owner integer, owner_since timestamp with time zone, PRIMARY KEY (pipeline, stage, "
      "store, lineage, partition))",
      positions_name(schema));
}

Result<Missing> differences(Connection& db, const std::string& where, const flow::StoreTable& table,
                            const TableName& name) {
  auto found = find_table(db, name);
  if (!found) return std::unexpected(to_error(found.error(), where));
  Missing missing;
  if (found->kind == 0) {
    missing.statements.push_back(create_text(table, name));
    return missing;
  }
  missing.is_there = true;
  const auto keep = [&](Result<void> fits) {
    if (!fits) missing.unfit.push_back(std::move(fits).error());
  };
  if (found->kind != 'r' && found->kind != 'p') {
    keep(other_table(where, name, "is no table that takes rows by their key"));
    return missing;
  }
  for (const avro::Field& field : table.schema->root().fields) {
    const ColumnType type = type_of(table, field);
    const auto column = std::ranges::find(found->columns, field.name, &FoundColumn::name);
    if (column == found->columns.end()) {
      missing.statements.push_back(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", name.sql(),
                                               sql_name(field.name), type.sql()));
    } else {
      keep(check_column(*column, type, where, name, missing));
    }
  }
  keep(check_key(*found, where, table, name));
  keep(check_others(*found, where, table, name));
  return missing;
}

Result<Missing> missing_text(Connection& db, const std::string& where,
                             const flow::StoreTable& table, const TableName& name) {
  PENSTOCK_TRY(missing, differences(db, where, table, name));
  if (!missing.unfit.empty()) return std::unexpected(std::move(missing.unfit.front()));
  return std::move(missing);
}

}  // namespace penstock::store::postgres
