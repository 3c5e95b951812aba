#include "store/sqlite/sqlite_store.h"

#include "base/check.h"
#include "base/json_write.h"
#include "flow/store_table.h"
#include "store/sqlite/cell.h"
#include "store/sqlite/database.h"
#include "store/sqlite/session.h"
#include "store/sqlite/table_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

namespace penstock::store {
namespace {

bool is_table(Database& database, std::string_view name) {
  Outcome outcome;
  Statement find = database.prepare(
      "SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?1", outcome);
  if (outcome != Outcome::done) return false;
  find.bind_text(1, name);
  return find.step() == Outcome::row;
}

void append_cell(const CellType& type, const Statement& row, int column, std::string& out) {
  if (row.is_null(column)) {
    out += "null";
    return;
  }
  switch (type.form) {
    case CellForm::boolean:
      out += row.int64(column) != 0 ? "true" : "false";
      break;
    case CellForm::integer:
      fmt::format_to(std::back_inserter(out), "{}", row.int64(column));
      break;
    case CellForm::real:
      append_json_number(row.number(column), out);
      break;
    case CellForm::json:
      out += row.text(column);
      break;
    case CellForm::blob: {
      // Avro's JSON: each byte is the code point of its value.
      std::string text;
      for (const char c : row.text(column)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
          text += c;
        } else {
          text += static_cast<char>(0xc0 | byte >> 6);
          text += static_cast<char>(0x80 | (byte & 0x3f));
        }
      }
      append_json_string(text, out);
      break;
    }
    default:
      append_json_string(row.text(column), out);
  }
}

std::string newest_text(const flow::StoreTable& table, const std::optional<flow::RowFilter>& of) {
  std::string names;
  for (const avro::Field& field : table.schema->root().fields)
    names += (names.empty() ? "" : ", ") + quoted_name(field.name);
  const std::string order =
      table.merge == flow::Merge::newest_by ? quoted_name(table.newest_by) : std::string("rowid");
  const std::string where = of ? fmt::format(" WHERE {} = ?2", quoted_name(of->field)) : "";
  return fmt::format("SELECT {} FROM {}{} ORDER BY {} DESC LIMIT ?1", names,
                     quoted_name(table.table), where, order);
}

Result<void> append_newest(Database& database, const std::string& path,
                           const flow::StoreTable& table, uint32_t limit,
                           const std::optional<flow::RowFilter>& of,
                           std::vector<std::string>& rows) {
  if (!is_table(database, table.table)) return {};
  Outcome outcome;
  Statement select = database.prepare(newest_text(table, of), outcome);
  if (outcome != Outcome::done) return std::unexpected(to_error(outcome, path, database.message()));
  select.bind_int64(1, limit - std::min<size_t>(limit, rows.size()));
  if (of) select.bind_text(2, of->value);
  const std::vector<avro::Field>& fields = table.schema->root().fields;
  while ((outcome = select.step()) == Outcome::row) {
    std::string row = "{";
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) row += ',';
      append_json_string(fields[i].name, row);
      row += ':';
      append_cell(cell_type(*fields[i].type), select, static_cast<int>(i), row);
    }
    rows.push_back(row + "}");
  }
  if (outcome != Outcome::done) return std::unexpected(to_error(outcome, path, database.message()));
  return {};
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(std::string path) {
  std::error_code error;
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return fail("S001"_code, fmt::format("{}: {}", folder.string(), error.message()));
  PENSTOCK_TRY(database, Database::open(path, {.checkpoint_at_end = false}));
  if (const Outcome outcome = database.run(kCreatePositions); outcome != Outcome::done)
    return std::unexpected(to_error(outcome, path, database.message()));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(path), false));
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open_read_only(std::string path) {
  if (auto database = Database::open(path, {.read_only = true}); !database)
    return std::unexpected(std::move(database).error());
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(path), true));
}

Result<void> SqliteStore::create_missing(const flow::StoreTable& table) {
  const std::vector<flow::StoreTable> tables = flow::tables_of(table);
  PENSTOCK_TRY(database,
               Database::open(path_, {.read_only = read_only_, .checkpoint_at_end = false}));
  bool whole = true;
  for (const flow::StoreTable& one : tables) {
    PENSTOCK_TRY_VOID(check_names(one));
    PENSTOCK_TRY(missing, missing_text(database, path_, one));
    whole = whole && missing.empty();
  }
  if (whole) return {};
  const std::lock_guard turn(*turn_);
  if (const Outcome outcome = database.run("BEGIN IMMEDIATE"); outcome != Outcome::done)
    return std::unexpected(to_error(outcome, path_, database.message()));
  // Another process may have made some of it in between. What returns early is rolled back when
  // the connection ends.
  std::vector<std::string> texts;
  for (const flow::StoreTable& one : tables) {
    PENSTOCK_TRY(missing, missing_text(database, path_, one));
    texts.insert(texts.end(), missing.begin(), missing.end());
  }
  texts.emplace_back("COMMIT");
  for (const std::string& text : texts) {
    if (const Outcome outcome = database.run(text); outcome != Outcome::done)
      return std::unexpected(to_error(outcome, path_, database.message()));
  }
  return {};
}

Result<std::unique_ptr<flow::StoreSink>> SqliteStore::open_sink(const flow::StoreSpec& spec,
                                                                flow::Waker& waker) {
  PENSTOCK_CHECK(!read_only_ && spec.inputs.size() == spec.lineages.size());
  for (const flow::StoreTable& one : flow::tables_of(spec.table))
    PENSTOCK_TRY_VOID(check_names(one));
  return std::make_unique<store::ThreadedStoreSink>(std::make_unique<Session>(path_, spec, turn_),
                                                    waker);
}

Result<flow::StoreState> SqliteStore::state(const flow::StoreSpec& spec) {
  PENSTOCK_TRY(database, Database::open(path_, {.read_only = true}));
  flow::StoreState state;
  Outcome outcome;
  if (is_table(database, "penstock_positions")) {
    Statement find = database.prepare(
        "SELECT topic, partition, next, fates FROM penstock_positions WHERE pipeline = ?1 AND "
        "store = ?2 AND (?3 = '' OR stage = ?3) ORDER BY stage, topic, partition",
        outcome);
    if (outcome != Outcome::done)
      return std::unexpected(to_error(outcome, path_, database.message()));
    find.bind_text(1, spec.pipeline);
    find.bind_text(2, spec.store);
    find.bind_text(3, spec.stage);
    while ((outcome = find.step()) == Outcome::row) {
      const auto fates = find.is_null(3) ? flow::Fates{} : flow::fates_from_text(find.text(3));
      if (!fates) return fail("S005"_code, path_ + ": the fates of a position are not readable");
      state.positions.push_back({std::string(find.text(0)), static_cast<int32_t>(find.int64(1)),
                                 Offset{find.int64(2)}, *fates});
    }
    if (outcome != Outcome::done)
      return std::unexpected(to_error(outcome, path_, database.message()));
  }
  for (const flow::StoreTable& one : flow::tables_of(spec.table)) {
    if (!is_table(database, one.table)) continue;
    Statement count = database.prepare("SELECT count(*) FROM " + quoted_name(one.table), outcome);
    if (outcome == Outcome::done && count.step() == Outcome::row)
      state.rows = state.rows.value_or(0) + static_cast<uint64_t>(count.int64(0));
  }
  return state;
}

Result<std::vector<std::string>> SqliteStore::newest(const flow::StoreTable& table, uint32_t limit,
                                                     const std::optional<flow::RowFilter>& of) {
  PENSTOCK_TRY(database, Database::open(path_, {.read_only = true}));
  std::vector<std::string> rows;
  for (const flow::StoreTable& one : flow::tables_of(table))
    PENSTOCK_TRY_VOID(append_newest(database, path_, one, limit, of, rows));
  return rows;
}

std::vector<flow::PartSpec> sqlite_part_specs() {
  flow::PartSpec spec;
  spec.kind = flow::PartKind::store;
  spec.name = "sqlite";
  spec.doc = "Rows in a table of an SQLite file: stores/<store>.sqlite in the data folder.";
  spec.guarantee =
      "Exactly once: rows and position are one transaction, synced to the disk; a worker that was "
      "overtaken writes nothing.";
  spec.fields = {
      {.name = "file",
       .type = flow::FieldType::file,
       .doc = "The file, when it shall not lie in the data folder.",
       .example = "warehouse.sqlite"},
  };
  return {std::move(spec)};
}

}  // namespace penstock::store
