#include "store/sqlite/table_text.h"

#include "store/sqlite/cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
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
    out += sql_name(name);
  }
  return out;
}

std::string column_text(const flow::StoreTable& table, const avro::Field& field) {
  const bool needed = is_key(table, field.name) || table.newest_by == field.name;
  return fmt::format("{} {}{}", sql_name(field.name), cell_type(*field.type).column_type(),
                     needed ? " NOT NULL" : "");
}

std::string conflict_text(const flow::StoreTable& table) {
  std::string sets;
  for (const avro::Field& field : table.schema->root().fields) {
    if (is_key(table, field.name)) continue;
    sets += fmt::format("{}{} = excluded.{}", sets.empty() ? "" : ", ", sql_name(field.name),
                        sql_name(field.name));
  }
  const std::string target = fmt::format(" ON CONFLICT ({})", list_of(table.key));
  if (sets.empty()) return target + " DO NOTHING";
  std::string text = target + " DO UPDATE SET " + sets;
  if (table.merge == flow::Merge::newest_by) {
    text += fmt::format(" WHERE excluded.{} >= {}.{}", sql_name(table.newest_by),
                        sql_name(table.table), sql_name(table.newest_by));
  }
  return text;
}

Result<void> check_field(const flow::StoreTable& table, const std::string& name) {
  if (table.schema->root().field(name) != nullptr) return {};
  return fail(Code::S008,
              fmt::format("the records for table \"{}\" have no field \"{}\"", table.table, name));
}

}  // namespace

Result<void> check_names(const flow::StoreTable& table) {
  if (table.table.empty() || table.table.starts_with("sqlite_") ||
      table.table.starts_with("penstock_") || table.table.find('\0') != table.table.npos) {
    return fail(Code::S008, fmt::format("\"{}\" cannot be a table's name", table.table));
  }
  if (table.merge == flow::Merge::append) return {};
  if (table.key.empty())
    return fail(Code::S008, fmt::format("table \"{}\" has no key", table.table));
  for (const std::string& name : table.key) PENSTOCK_TRY_VOID(check_field(table, name));
  if (table.merge == flow::Merge::newest_by) return check_field(table, table.newest_by);
  return {};
}

std::string create_text(const flow::StoreTable& table) {
  std::string text = fmt::format("CREATE TABLE {} (", sql_name(table.table));
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
  std::string text =
      fmt::format("INSERT INTO {} ({}) VALUES ({})", sql_name(table.table), list_of(names), marks);
  return table.merge == flow::Merge::append ? text : text + conflict_text(table);
}

Result<bool> fits(Database& database, const std::string& path, const flow::StoreTable& table) {
  Outcome outcome;
  Statement columns =
      database.prepare(fmt::format("PRAGMA table_info({})", sql_name(table.table)), outcome);
  if (outcome != Outcome::done) return std::unexpected(to_error(outcome, path, database.message()));
  std::map<std::string, bool, std::less<>> found;
  std::vector<std::string> key;
  while ((outcome = columns.step()) == Outcome::row) {
    const bool in_key = columns.int64(5) != 0;
    if (in_key) key.emplace_back(columns.text(1));
    found.emplace(columns.text(1), in_key);
  }
  if (outcome != Outcome::done) return std::unexpected(to_error(outcome, path, database.message()));
  if (found.empty()) return false;
  for (const avro::Field& field : table.schema->root().fields) {
    if (found.contains(field.name)) continue;
    return fail(Code::S002,
                fmt::format("{}: table \"{}\" has no column \"{}\"", path, table.table, field.name))
        .cure(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", sql_name(table.table),
                          sql_name(field.name), cell_type(*field.type).column_type()));
  }
  std::vector<std::string> wanted = table.key;
  if (table.merge == flow::Merge::append) return true;
  std::sort(key.begin(), key.end());
  std::sort(wanted.begin(), wanted.end());
  if (key == wanted) return true;
  return fail(Code::S002, fmt::format("{}: table \"{}\" has the key ({}), the pipeline says ({})",
                                      path, table.table, list_of(key), list_of(table.key)))
      .cure(fmt::format("ALTER TABLE {} RENAME TO {}; the next start makes the table anew",
                        sql_name(table.table), sql_name(table.table + "_old")));
}

}  // namespace penstock::store
