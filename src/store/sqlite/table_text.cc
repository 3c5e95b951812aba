#include "store/sqlite/table_text.h"

#include "flow/store_table.h"
#include "store/sqlite/cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace penstock::store {
namespace {

bool is_key(const flow::StoreTable& table, std::string_view name) {
  return std::find(table.key.begin(), table.key.end(), name) != table.key.end();
}

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += ", ";
    out += quoted_name(name);
  }
  return out;
}

std::string column_text(const flow::StoreTable& table, const avro::Field& field) {
  const bool needed = is_key(table, field.name) || table.newest_by == field.name;
  return fmt::format("{} {}{}", quoted_name(field.name), cell_type(*field.type).column_type(),
                     needed ? " NOT NULL" : "");
}

std::string conflict_text(const flow::StoreTable& table) {
  std::string sets;
  for (const avro::Field& field : table.schema->root().fields) {
    if (is_key(table, field.name)) continue;
    sets += fmt::format("{}{} = excluded.{}", sets.empty() ? "" : ", ", quoted_name(field.name),
                        quoted_name(field.name));
  }
  const std::string target = fmt::format(" ON CONFLICT ({})", list_of(table.key));
  if (sets.empty()) return target + " DO NOTHING";
  std::string text = target + " DO UPDATE SET " + sets;
  if (table.merge == flow::Merge::newest_by) {
    // Null where the column was added to a table that had rows.
    const std::string kept =
        fmt::format("{}.{}", quoted_name(table.table), quoted_name(table.newest_by));
    text += fmt::format(" WHERE {} IS NULL OR excluded.{} >= {}", kept,
                        quoted_name(table.newest_by), kept);
  }
  return text;
}

struct FoundColumn {
  std::string name, type;  // type as it was declared; "" keeps every value as it is
  bool in_key = false;
};

Result<std::vector<FoundColumn>> columns_of(Database& database, const std::string& path,
                                            const std::string& table) {
  Outcome outcome;
  Statement columns =
      database.prepare(fmt::format("PRAGMA table_info({})", quoted_name(table)), outcome);
  if (outcome != Outcome::done) return std::unexpected(to_error(outcome, path, database.message()));
  std::vector<FoundColumn> found;
  while ((outcome = columns.step()) == Outcome::row)
    found.push_back(
        {std::string(columns.text(1)), std::string(columns.text(2)), columns.int64(5) != 0});
  if (outcome != Outcome::done) return std::unexpected(to_error(outcome, path, database.message()));
  return found;
}

// SQLite's rules for declared types: https://sqlite.org/datatype3.html, section 3.1.
std::string_view affinity(std::string_view declared) {
  static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {"INT", "INTEGER"}, {"CHAR", "TEXT"}, {"CLOB", "TEXT"}, {"TEXT", "TEXT"},
      {"BLOB", "BLOB"},   {"REAL", "REAL"}, {"FLOA", "REAL"}, {"DOUB", "REAL"}};
  std::string upper(declared);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  for (const auto& [part, type] : kRules) {
    if (upper.find(part) != upper.npos) return type;
  }
  return "NUMERIC";
}

Failure other_table(const std::string& path, const flow::StoreTable& table,
                    const std::string& what) {
  return fail("S002"_code, fmt::format("{}: table \"{}\" {}", path, table.table, what))
      .cure(fmt::format("ALTER TABLE {} RENAME TO {}; the next start makes the table anew",
                        quoted_name(table.table), quoted_name(table.table + "_old")));
}

// An appending table may have a key of its own, but not one of the records' fields: it would refuse
// every repeated value.
Result<void> check_key(const std::vector<FoundColumn>& found, const std::string& path,
                       const flow::StoreTable& table) {
  std::vector<std::string> key, wanted = table.key;
  bool of_records = true;
  for (const FoundColumn& column : found) {
    if (!column.in_key) continue;
    key.push_back(column.name);
    of_records = of_records && table.schema->root().field(column.name) != nullptr;
  }
  if (table.merge == flow::Merge::append) {
    if (key.empty() || !of_records) return {};
    return other_table(path, table,
                       fmt::format("has the key ({}), the pipeline only appends", list_of(key)));
  }
  std::sort(key.begin(), key.end());
  std::sort(wanted.begin(), wanted.end());
  if (key == wanted) return {};
  return other_table(path, table,
                     key.empty()
                         ? fmt::format("has no key, the pipeline says ({})", list_of(wanted))
                         : fmt::format("has the key ({}), the pipeline says ({})", list_of(key),
                                       list_of(table.key)));
}

}  // namespace

Result<void> check_names(const flow::StoreTable& table) {
  if (table.table.empty() || table.table.starts_with("sqlite_") ||
      table.table.starts_with("penstock_") || table.table.find('\0') != table.table.npos) {
    return fail("S008"_code, fmt::format("\"{}\" cannot be a table's name", table.table));
  }
  return flow::check_fields(table);
}

std::string create_text(const flow::StoreTable& table) {
  std::string text = fmt::format("CREATE TABLE {} (", quoted_name(table.table));
  bool first = true;
  for (const avro::Field& field : table.schema->root().fields) {
    if (!std::exchange(first, false)) text += ", ";
    text += column_text(table, field);
  }
  if (table.merge != flow::Merge::append)
    text += fmt::format(", PRIMARY KEY ({})", list_of(table.key));
  return text + ")";
}

std::string insert_text(const flow::StoreTable& table) {
  std::vector<std::string> names;
  std::string marks;
  for (const avro::Field& field : table.schema->root().fields) {
    names.push_back(field.name);
    marks += marks.empty() ? "?" : ", ?";
  }
  std::string text = fmt::format("INSERT INTO {} ({}) VALUES ({})", quoted_name(table.table),
                                 list_of(names), marks);
  return table.merge == flow::Merge::append ? text : text + conflict_text(table);
}

Result<std::vector<std::string>> missing_text(Database& database, const std::string& path,
                                              const flow::StoreTable& table) {
  PENSTOCK_TRY(found, columns_of(database, path, table.table));
  if (found.empty()) return std::vector{create_text(table)};
  PENSTOCK_TRY_VOID(check_key(found, path, table));
  std::vector<std::string> texts;
  for (const avro::Field& field : table.schema->root().fields) {
    const std::string_view type = cell_type(*field.type).column_type();
    const auto column = std::find_if(found.begin(), found.end(),
                                     [&](const FoundColumn& c) { return c.name == field.name; });
    if (column == found.end()) {
      texts.push_back(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", quoted_name(table.table),
                                  quoted_name(field.name), type));
    } else if (!column->type.empty() && affinity(column->type) != affinity(type)) {
      return other_table(path, table,
                         fmt::format("has the column \"{}\" as {}, the records need {}", field.name,
                                     column->type, type));
    }
  }
  return texts;
}

}  // namespace penstock::store
