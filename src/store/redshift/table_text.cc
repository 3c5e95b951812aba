#include "store/redshift/table_text.h"

#include "flow/store_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

namespace penstock::store::redshift {
namespace {

constexpr size_t kMaxNameBytes = 127;
// PostgreSQL's system columns, whose names no column may have.
constexpr std::string_view kTaken[] = {"oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"};

bool is_key(const flow::StoreTable& table, std::string_view name) {
  return std::ranges::find(table.key, name) != table.key.end();
}
bool is_needed(const flow::StoreTable& table, std::string_view name) {
  return is_key(table, name) || table.newest_by == name;
}
bool is_time(const ColumnType& type) {
  return type.form == Form::timestamptz || type.form == Form::timestamp || type.form == Form::date;
}
bool can_distribute(const ColumnType& type) {
  return type.form != Form::super && type.form != Form::varbyte;
}

// Rows of one key lie on one slice, so that a merge moves none of them between nodes; blocks are in
// the order of time, so that a question about a week reads a week.
std::string layout_text(const flow::StoreTable& table, const std::vector<ColumnType>& columns) {
  const auto& fields = table.schema->root().fields;
  std::string distribute, sort = table.newest_by;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (sort.empty() && is_time(columns[i])) sort = fields[i].name;
  }
  for (const bool times : {false, true}) {
    for (size_t i = 0; i < fields.size() && distribute.empty(); ++i) {
      if (is_key(table, fields[i].name) && can_distribute(columns[i]) &&
          (times || !is_time(columns[i])))
        distribute = fields[i].name;
    }
  }
  std::string text;
  if (!distribute.empty()) text += fmt::format(" DISTKEY ({})", column_sql(distribute));
  if (!sort.empty()) text += fmt::format(" SORTKEY ({})", column_sql(sort));
  return text;
}

std::string stage_column(size_t number) { return fmt::format("{}.\"c{}\"", kStage, number); }

// "t"."meter_id" = "penstock_stage"."c0" AND …
std::string same_key_text(const flow::StoreTable& table, const std::string& target) {
  std::string text;
  const auto& fields = table.schema->root().fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!is_key(table, fields[i].name)) continue;
    text += fmt::format("{}{}.{} = {}", text.empty() ? "" : " AND ", target,
                        column_sql(fields[i].name), stage_column(i));
  }
  return text;
}

// ---- what is there

struct FoundColumn {
  FoundType type;
  bool not_null = false;
  bool filled = false;  // by a default
};
struct Found {
  std::string kind;              // "BASE TABLE"; "": no such table
  std::vector<std::string> key;  // of a PRIMARY KEY that it claims, sorted
  std::vector<std::pair<std::string, FoundColumn>> columns;
};

// "PRIMARY KEY (id, \"at\")"
std::vector<std::string> names_in(std::string_view definition) {
  std::vector<std::string> names;
  const size_t begin = definition.find('(');
  if (begin == definition.npos) return names;
  std::string name;
  for (const char c : definition.substr(begin + 1)) {
    if (c == ',' || c == ')') {
      names.push_back(std::exchange(name, {}));
    } else if (c != '"' && (c != ' ' || !name.empty())) {
      name += c;
    }
  }
  std::ranges::sort(names);
  return names;
}

Answer<Found> find_table(Database& db, const TableName& name) {
  const std::string of = fmt::format("WHERE table_schema = {} AND table_name = {}",
                                     text_sql(folded(name.schema)), text_sql(folded(name.table)));
  auto answers = db.ask(
      {fmt::format("SELECT table_type FROM svv_tables {}", of),
       fmt::format("SELECT column_name, data_type, character_maximum_length, numeric_precision, "
                   "numeric_scale, is_nullable, column_default FROM svv_columns {} ORDER BY "
                   "ordinal_position",
                   of),
       fmt::format("SELECT pg_get_constraintdef(p.oid) FROM pg_constraint p, pg_class c, "
                   "pg_namespace n WHERE p.conrelid = c.oid AND c.relnamespace = n.oid AND "
                   "p.contype = 'p' AND n.nspname = {} AND c.relname = {}",
                   text_sql(folded(name.schema)), text_sql(folded(name.table)))});
  if (!answers) return std::unexpected(std::move(answers).error());
  Found found;
  found.kind = (*answers)[0].text(0, 0);
  found.key = names_in((*answers)[2].text(0, 0));
  const Rows& rows = (*answers)[1];
  for (size_t i = 0; i < rows.cells.size(); ++i) {
    const auto number = [&](size_t column) { return std::atoll(rows.text(i, column).c_str()); };
    found.columns.push_back({rows.text(i, 0),
                             {{rows.text(i, 1), number(2), number(3), number(4)},
                              rows.text(i, 5) == "NO",
                              !rows.text(i, 6).empty()}});
  }
  return found;
}

Failure other_table(const std::string& where, const TableName& name, std::string what) {
  return fail("S002"_code, fmt::format("{}: table {} {}", where, name.text(), what));
}

// Nobody enforces a key that a table claims, but the planner believes it.
Result<void> check_key(const Found& found, const std::string& where, const flow::StoreTable& table,
                       const TableName& name) {
  std::vector<std::string> wanted;
  for (const std::string& field : table.key) wanted.push_back(folded(field));
  std::ranges::sort(wanted);
  if (found.key.empty() || found.key == wanted) return {};
  return other_table(where, name,
                     fmt::format("claims the key ({}), which the pipeline does not keep",
                                 fmt::join(found.key, ", ")))
      .cure(fmt::format("write upsert_on: [{}] in the store's line, or drop the constraint",
                        fmt::join(found.key, ", ")));
}

// Columns that the records do not fill.
Result<void> check_others(const Found& found, const std::string& where,
                          const flow::StoreTable& table, const TableName& name) {
  for (const auto& [column, facts] : found.columns) {
    if (!facts.not_null || facts.filled) continue;
    const bool ours =
        std::ranges::any_of(table.schema->root().fields,
                            [&](const avro::Field& field) { return folded(field.name) == column; });
    if (ours) continue;
    return other_table(
               where, name,
               fmt::format("needs a value in \"{}\", which the records do not have", column))
        .cure("make the table anew with a DEFAULT for the column, or name another table");
  }
  return {};
}

void compare_column(const FoundColumn& found, const avro::Field& field, const std::string& where,
                    const TableName& name, Missing& missing, ColumnType& type) {
  const ColumnType wide = type;
  std::string why;
  if (!type.fit(found.type, why)) {
    missing.unfit.push_back(
        other_table(where, name, fmt::format("has the column \"{}\" {}", folded(field.name), why))
            .cure(fmt::format("name another table, or make this one anew with {} {}",
                              column_sql(field.name), wide.sql()))
            .take());
  } else if (type.low != wide.low || type.bytes_max < wide.bytes_max) {
    missing.notes.push_back(fmt::format(
        "column \"{}\" is {}{}: rows whose value does not fit become dead letters",
        folded(field.name), found.type.name,
        type.bytes_max < wide.bytes_max ? fmt::format("({} bytes)", type.bytes_max) : ""));
  }
}

}  // namespace

std::string TableName::sql() const { return column_sql(schema) + "." + column_sql(table); }
std::string TableName::text() const { return folded(schema) + "." + folded(table); }

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

std::string folded(std::string_view name) {
  std::string low(name);
  for (char& c : low) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return low;
}

std::string column_sql(std::string_view name) { return sql_name(folded(name)); }

std::string text_sql(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\\') {
      out += "' || CHR(92) || '";
    } else {
      out += c;
      if (c == '\'') out += c;
    }
  }
  return out + "'";
}

std::vector<ColumnType> columns_of(const flow::StoreTable& table) {
  std::vector<ColumnType> columns;
  for (const avro::Field& field : table.schema->root().fields)
    columns.push_back(column_type(*field.type, is_needed(table, field.name)));
  return columns;
}

Result<void> check_records(const flow::StoreTable& table) {
  PENSTOCK_TRY_VOID(flow::check_fields(table));
  std::set<std::string> names;
  for (const avro::Field& field : table.schema->root().fields) {
    const std::string name = folded(field.name);
    const ColumnType type = column_type(*field.type, true);
    if (name.size() > kMaxNameBytes || std::ranges::find(kTaken, name) != std::end(kTaken))
      return fail("S008"_code, fmt::format("\"{}\" can not be a column's name", field.name));
    if (!names.insert(name).second)
      return fail("S008"_code, fmt::format("two fields are called \"{}\": Redshift does not tell "
                                           "capitals from small letters",
                                           name));
    if (field.name == table.newest_by && !can_be_newest(type))
      return fail("S008"_code, fmt::format("newest_by: \"{}\" is {}, which has no order here",
                                           field.name, avro::describe(*field.type)));
    if (is_key(table, field.name) && !can_distribute(type))
      return fail("S008"_code, fmt::format("key: \"{}\" is {}, by which no rows can be found here",
                                           field.name, avro::describe(*field.type)));
  }
  return {};
}

std::string create_text(const flow::StoreTable& table, const TableName& name) {
  const std::vector<ColumnType> columns = columns_of(table);
  std::string text, key;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string& field = table.schema->root().fields[i].name;
    text += fmt::format("{}{} {}{}", i == 0 ? "" : ", ", column_sql(field), columns[i].sql(),
                        is_needed(table, field) ? " NOT NULL" : "");
  }
  for (const std::string& field : table.key) key += (key.empty() ? "" : ", ") + column_sql(field);
  // Nothing enforces it: for the planner, which may believe it, as the merge keeps to it.
  if (table.merge != flow::Merge::append) text += fmt::format(", PRIMARY KEY ({})", key);
  return fmt::format("CREATE TABLE {} ({}){}", name.sql(), text, layout_text(table, columns));
}

std::string stage_text(const flow::StoreTable& table, const std::vector<ColumnType>& columns) {
  std::string text = fmt::format("CREATE TEMP TABLE {} (\"penstock_row\" bigint", kStage);
  std::string distribute;
  for (size_t i = 0; i < columns.size(); ++i) {
    text += fmt::format(", \"c{}\" {}", i, columns[i].stage_sql());
    if (distribute.empty() && is_key(table, table.schema->root().fields[i].name))
      distribute = fmt::format(" DISTKEY (\"c{}\")", i);
  }
  return text + ")" + distribute;
}

std::string stage_columns(size_t count) {
  std::string text = "(\"penstock_row\"";
  for (size_t i = 0; i < count; ++i) text += fmt::format(", \"c{}\"", i);
  return text + ")";
}

std::vector<std::string> merge_texts(const flow::StoreTable& table,
                                     const std::vector<ColumnType>& columns,
                                     const TableName& name) {
  std::string names, values, sets;
  const std::string target = column_sql(name.table);
  std::vector<std::string> statements;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string_view comma = i == 0 ? "" : ", ";
    const std::string field = column_sql(table.schema->root().fields[i].name);
    const std::string value = columns[i].from_stage(stage_column(i));
    names += fmt::format("{}{}", comma, field);
    values += fmt::format("{}{}", comma, value);
    sets += fmt::format("{}{} = {}", comma, field, value);
    // MERGE has no WHEN MATCHED AND: what is older than the table's row leaves the stage.
    if (table.schema->root().fields[i].name == table.newest_by)
      statements.push_back(fmt::format("DELETE FROM {} USING {} WHERE {} AND {}.{} > {}", kStage,
                                       name.sql(), same_key_text(table, target), target, field,
                                       stage_column(i)));
  }
  if (table.merge == flow::Merge::append) {
    statements.push_back(
        fmt::format("INSERT INTO {} ({}) SELECT {} FROM {}", name.sql(), names, values, kStage));
  } else {
    statements.push_back(fmt::format(
        "MERGE INTO {} USING {} ON {} WHEN MATCHED THEN UPDATE SET {} WHEN NOT MATCHED THEN INSERT "
        "({}) VALUES ({})",
        name.sql(), kStage, same_key_text(table, target), sets, names, values));
  }
  return statements;
}

Result<Missing> differences(Database& db, const std::string& where, const flow::StoreTable& table,
                            const TableName& name) {
  auto found = find_table(db, name);
  if (!found) return std::unexpected(to_error(found.error(), where));
  Missing missing;
  missing.columns = columns_of(table);
  missing.not_null.resize(missing.columns.size());
  if (found->kind.empty()) {
    missing.statements.push_back(create_text(table, name));
    return missing;
  }
  missing.is_there = true;
  if (found->kind != "BASE TABLE") {
    missing.unfit.push_back(other_table(where, name, "is no table that takes rows").take());
    return missing;
  }
  for (size_t i = 0; i < missing.columns.size(); ++i) {
    const avro::Field& field = table.schema->root().fields[i];
    const auto column = std::ranges::find(found->columns, folded(field.name),
                                          &std::pair<std::string, FoundColumn>::first);
    if (column == found->columns.end()) {
      missing.statements.push_back(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", name.sql(),
                                               column_sql(field.name), missing.columns[i].sql()));
      continue;
    }
    compare_column(column->second, field, where, name, missing, missing.columns[i]);
    missing.not_null[i] = column->second.not_null;
  }
  if (auto fits = check_key(*found, where, table, name); !fits)
    missing.unfit.push_back(std::move(fits).error());
  if (auto fits = check_others(*found, where, table, name); !fits)
    missing.unfit.push_back(std::move(fits).error());
  return missing;
}

Result<Missing> missing_text(Database& db, const std::string& where, const flow::StoreTable& table,
                             const TableName& name) {
  PENSTOCK_TRY(missing, differences(db, where, table, name));
  if (!missing.unfit.empty()) return std::unexpected(std::move(missing.unfit.front()));
  return std::move(missing);
}

}  // namespace penstock::store::redshift
