#include "store/postgres/postgres_store.h"

#include "base/check.h"
#include "base/json_write.h"
#include "store/postgres/column_type.h"

#include <fmt/format.h>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace penstock::store::postgres {
namespace {

constexpr int64_t kStartMillis = 15'000;
constexpr std::string_view kUndefinedTable = "42P01";

// One value as SQL's text that becomes JSON's by append_cell().
std::string cell_text(const ColumnType& type, const std::string& name) {
  const std::string column = sql_name(name);
  switch (type.form) {
    case Form::timestamptz:
      return fmt::format(
          "pg_catalog.to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')", column);
    case Form::timestamp:
      return fmt::format("pg_catalog.to_char({}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')", column);
    case Form::bytea:
      return fmt::format("pg_catalog.encode({}, 'hex')", column);
    default:
      return fmt::format("{}::text", column);
  }
}

int digit_of(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

// Avro's JSON: each byte is the code point of its value.
std::string code_points(std::string_view hex) {
  std::string text;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int byte = digit_of(hex[i]) * 16 + digit_of(hex[i + 1]);
    if (byte < 0x80) {
      text += static_cast<char>(byte);
    } else {
      text += static_cast<char>(0xc0 | byte >> 6);
      text += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return text;
}

void append_cell(const ColumnType& type, const std::optional<std::string>& cell, std::string& out) {
  if (!cell) {
    out += "null";
    return;
  }
  switch (type.form) {
    case Form::boolean:
    case Form::int4:
    case Form::int8:
    case Form::jsonb:
      out += *cell;
      break;
    case Form::float4:
    case Form::float8:
      append_json_number(std::strtod(cell->c_str(), nullptr), out);
      break;
    case Form::bytea:
      append_json_string(code_points(*cell), out);
      break;
    default:
      append_json_string(*cell, out);
  }
}

std::vector<ColumnType> columns_of(const flow::StoreTable& table) {
  std::vector<ColumnType> columns;
  for (const avro::Field& field : table.schema->root().fields)
    columns.push_back(column_type(*field.type, false));
  return columns;
}

std::string newest_text(const flow::StoreTable& table, const TableName& name, uint32_t limit,
                        const std::optional<flow::RowFilter>& of) {
  const auto& fields = table.schema->root().fields;
  const std::vector<ColumnType> columns = columns_of(table);
  std::string values;
  for (size_t i = 0; i < fields.size(); ++i)
    values += (i == 0 ? "" : ", ") + cell_text(columns[i], fields[i].name);
  const std::string order =
      table.merge == flow::Merge::newest_by ? sql_name(table.newest_by) : std::string("ctid");
  const std::string where =
      of ? fmt::format(" WHERE {}::text = {}", sql_name(of->field), sql_text(of->value)) : "";
  return fmt::format("SELECT {} FROM {}{} ORDER BY {} DESC LIMIT {}", values, name.sql(), where,
                     order, limit);
}

}  // namespace

Result<Connection> PostgresStore::open() const {
  auto db = open_database(settings_, nullptr);
  if (!db) return std::unexpected(to_error(db.error(), settings_.connection.where));
  return std::move(*db);
}

// A server that begins, or is on its way to another machine, is waited for.
Result<void> PostgresStore::create_missing(const flow::StoreTable& table) {
  PENSTOCK_TRY_VOID(check_records(table));
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kStartMillis);
  while (true) {
    auto made = create_once(table);
    const bool away = !made && made.error().code == "S001"_code;
    if (!away || std::chrono::steady_clock::now() >= end) return made;
    poll(nullptr, 0, 200);
  }
}

std::vector<std::string> PostgresStore::ddl(const flow::StoreTable& table) const {
  std::vector<std::string> statements = {create_positions_text(settings_.schema)};
  for (const TableName& name : names_of(table, settings_.schema))
    statements.push_back(create_text(table, name));
  return statements;
}

Result<std::vector<std::string>> PostgresStore::compare(const flow::StoreTable& table) {
  PENSTOCK_TRY_VOID(check_records(table));
  PENSTOCK_TRY(db, open());
  std::vector<std::string> lines;
  for (const TableName& name : names_of(table, settings_.schema)) {
    PENSTOCK_TRY(missing, differences(db, settings_.connection.where, table, name));
    for (const Error& error : missing.unfit)
      lines.push_back(fmt::format("{}; cure: {}", error.message, error.cure));
    lines.insert(lines.end(), missing.statements.begin(), missing.statements.end());
    for (const std::string& note : missing.notes) lines.push_back(name.text() + ": " + note);
  }
  return lines;
}

Result<void> PostgresStore::create_once(const flow::StoreTable& table) {
  PENSTOCK_TRY(db, open());
  const std::string& where = settings_.connection.where;
  const auto run = [&](const std::string& sql) -> Result<void> {
    auto answers = db.run(sql);
    if (answers) return {};
    Error error = to_error(answers.error(), where);
    if (answers.error().trouble == Trouble::settings)
      error.cure = fmt::format("let somebody who may run: {}", sql);
    return std::unexpected(std::move(error));
  };
  // Looked at first, so that a role without the right to create needs none when all is there. Then
  // one process at a time, since two that create the same make one of them fail.
  auto there = db.run(fmt::format("SELECT pg_catalog.to_regclass({}) IS NOT NULL",
                                  sql_text(positions_name(settings_.schema))));
  if (!there) return std::unexpected(to_error(there.error(), where));
  PENSTOCK_TRY_VOID(
      run("BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('penstock'))"));
  if (there->back().text(0, 0) != "t")
    PENSTOCK_TRY_VOID(run(create_positions_text(settings_.schema)));
  for (const TableName& name : names_of(table, settings_.schema)) {
    PENSTOCK_TRY(missing, missing_text(db, where, table, name));
    if (!missing.statements.empty() && !settings_.create) {
      return fail("S002"_code, fmt::format("{}: table {} {}", where, name.text(),
                                           missing.is_there ? "lacks columns" : "is not there"))
          .cure(fmt::format("write create: true in the store's line, or run: {}",
                            fmt::join(missing.statements, "; ")));
    }
    for (const std::string& statement : missing.statements) PENSTOCK_TRY_VOID(run(statement));
  }
  return run("COMMIT");
}

Result<std::unique_ptr<flow::StoreSink>> PostgresStore::open_sink(const flow::StoreSpec& spec,
                                                                  flow::Waker& waker) {
  PENSTOCK_CHECK(spec.inputs.size() == spec.lineages.size());
  PENSTOCK_TRY_VOID(check_records(spec.table));
  return std::make_unique<store::ThreadedStoreSink>(std::make_unique<Session>(settings_, spec),
                                                    waker);
}

Result<flow::StoreState> PostgresStore::state(const flow::StoreSpec& spec) {
  PENSTOCK_TRY(db, open());
  const std::string& where = settings_.connection.where;
  flow::StoreState state;
  auto found = db.run(fmt::format(
      "SELECT topic, partition, next, fates FROM {} WHERE pipeline = {} AND store = {} AND ({} = "
      "'' OR stage = {}) ORDER BY stage, topic, partition",
      positions_name(settings_.schema), sql_text(spec.pipeline), sql_text(spec.store),
      sql_text(spec.stage), sql_text(spec.stage)));
  if (!found && found.error().state == kUndefinedTable) return state;
  if (!found) return std::unexpected(to_error(found.error(), where));
  const Rows& stored = found->back();
  for (size_t i = 0; i < stored.cells.size(); ++i) {
    const std::string told = stored.text(i, 3);
    const auto fates = told.empty() ? flow::Fates{} : flow::fates_from_text(told);
    if (!fates) return fail("S005"_code, where + ": the fates of a position are not readable");
    state.positions.push_back({stored.text(i, 0), std::atoi(stored.text(i, 1).c_str()),
                               Offset{std::strtoll(stored.text(i, 2).c_str(), nullptr, 10)},
                               *fates});
  }
  if (spec.table.schema == nullptr) return state;
  uint64_t rows = 0;
  for (const TableName& name : names_of(spec.table, settings_.schema)) {
    auto count = db.run("SET statement_timeout = '2s'; SELECT count(*) FROM " + name.sql());
    if (!count) return state;
    rows += std::strtoull(count->back().text(0, 0).c_str(), nullptr, 10);
  }
  state.rows = rows;
  return state;
}

Result<std::vector<std::string>> PostgresStore::newest(const flow::StoreTable& table,
                                                       uint32_t limit,
                                                       const std::optional<flow::RowFilter>& of) {
  PENSTOCK_TRY(db, open());
  std::vector<std::string> rows;
  const auto& fields = table.schema->root().fields;
  const std::vector<ColumnType> columns = columns_of(table);
  for (const TableName& name : names_of(table, settings_.schema)) {
    auto found = db.run(newest_text(table, name, limit, of));
    if (!found && found.error().state == kUndefinedTable) continue;
    if (!found) return std::unexpected(to_error(found.error(), settings_.connection.where));
    for (const auto& cells : found->back().cells) {
      if (rows.size() == limit || cells.size() != fields.size()) break;
      std::string row = "{";
      for (size_t i = 0; i < fields.size(); ++i) {
        if (i > 0) row += ',';
        append_json_string(fields[i].name, row);
        row += ':';
        append_cell(columns[i], cells[i], row);
      }
      rows.push_back(row + "}");
    }
  }
  return rows;
}

}  // namespace penstock::store::postgres
