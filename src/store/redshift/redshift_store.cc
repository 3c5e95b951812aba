#include "store/redshift/redshift_store.h"

#include "base/check.h"
#include "base/json_write.h"
#include "store/redshift/column_type.h"
#include "store/redshift/trouble.h"

#include <fmt/format.h>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

namespace penstock::store::redshift {
namespace {

constexpr int64_t kStartMillis = 15'000;
constexpr std::string_view kUndefinedTable = "42P01";

int digit_of(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

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

// "2026-01-01 00:00:00.5+00" as 2026-01-01T00:00:00.5Z
std::string moment(std::string text) {
  if (const size_t blank = text.find(' '); blank != text.npos) text[blank] = 'T';
  if (text.ends_with("+00")) text.replace(text.size() - 3, 3, "Z");
  return text;
}

void append_cell(const ColumnType& type, const std::optional<std::string>& cell, std::string& out) {
  if (!cell) {
    out += "null";
    return;
  }
  switch (type.form) {
    case Form::boolean:
      out += *cell == "t" || *cell == "true" ? "true" : "false";
      break;
    case Form::int4:
    case Form::int8:
    case Form::super:
      out += *cell;
      break;
    case Form::float4:
    case Form::float8:
      append_json_number(std::strtod(cell->c_str(), nullptr), out);
      break;
    case Form::varbyte:
      append_json_string(code_points(*cell), out);
      break;
    case Form::timestamptz:
    case Form::timestamp:
      append_json_string(moment(*cell), out);
      break;
    default:
      append_json_string(*cell, out);
  }
}

std::string newest_text(const flow::StoreTable& table, const TableName& name, uint32_t limit,
                        const std::optional<flow::RowFilter>& of) {
  std::string values;
  for (const avro::Field& field : table.schema->root().fields)
    values += (values.empty() ? "" : ", ") + column_sql(field.name);
  const std::string order = table.merge == flow::Merge::newest_by
                                ? fmt::format(" ORDER BY {} DESC", column_sql(table.newest_by))
                                : "";
  const std::string where =
      of ? fmt::format(" WHERE {} = {}", column_sql(of->field), text_sql(of->value)) : "";
  return fmt::format("SELECT {} FROM {}{}{} LIMIT {}", values, name.sql(), where, order, limit);
}

}  // namespace

Error RedshiftStore::error_of(const DbError& error) const {
  return error_about(error, settings_.where);
}

Result<std::unique_ptr<Database>> RedshiftStore::open() const {
  auto db = settings_.database();
  if (auto opened = db->open(); !opened) return std::unexpected(error_of(opened.error()));
  return db;
}

// A server that begins, or resumes, is waited for.
Result<void> RedshiftStore::create_missing(const flow::StoreTable& table) {
  PENSTOCK_TRY_VOID(check_records(table));
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kStartMillis);
  while (true) {
    auto made = create_once(table);
    const bool away = !made && made.error().code == "S001"_code;
    if (!away || std::chrono::steady_clock::now() >= end) return made;
    poll(nullptr, 0, 200);
  }
}

std::vector<std::string> RedshiftStore::ddl(const flow::StoreTable& table) const {
  std::vector<std::string> statements;
  for (const TableName& name : names_of(table, settings_.schema))
    statements.push_back(create_text(table, name));
  return statements;
}

Result<std::vector<std::string>> RedshiftStore::compare(const flow::StoreTable& table) {
  PENSTOCK_TRY_VOID(check_records(table));
  PENSTOCK_TRY(db, open());
  std::vector<std::string> lines;
  for (const TableName& name : names_of(table, settings_.schema)) {
    PENSTOCK_TRY(missing, differences(*db, settings_.where, table, name));
    for (const Error& error : missing.unfit)
      lines.push_back(fmt::format("{}; cure: {}", error.message, error.cure));
    lines.insert(lines.end(), missing.statements.begin(), missing.statements.end());
    for (const std::string& note : missing.notes) lines.push_back(name.text() + ": " + note);
  }
  return lines;
}

Result<void> RedshiftStore::create_once(const flow::StoreTable& table) {
  PENSTOCK_TRY(db, open());
  const std::string& where = settings_.where;
  for (const TableName& name : names_of(table, settings_.schema)) {
    PENSTOCK_TRY(missing, missing_text(*db, where, table, name));
    if (!missing.statements.empty() && !settings_.create) {
      return fail("S002"_code, fmt::format("{}: table {} {}", where, name.text(),
                                           missing.is_there ? "lacks columns" : "is not there"))
          .cure(fmt::format("write create: true in the store's line, or run: {}",
                            fmt::join(missing.statements, "; ")));
    }
    for (const std::string& statement : missing.statements) {
      auto made = db->ask({statement});
      // Of two processes that make the same at once, one is told that it is there.
      if (made || made.error().state == "42P07" || made.error().state == "42701") continue;
      Error error = error_of(made.error());
      if (made.error().trouble == Trouble::settings)
        error.cure = fmt::format("let somebody who may run: {}", statement);
      return std::unexpected(std::move(error));
    }
  }
  return {};
}

Result<std::unique_ptr<flow::StoreSink>> RedshiftStore::open_sink(const flow::StoreSpec& spec,
                                                                  flow::Waker& waker) {
  PENSTOCK_CHECK(spec.inputs.size() == spec.lineages.size());
  PENSTOCK_TRY_VOID(check_records(spec.table));
  if (const size_t count = names_of(spec.table, settings_.schema).size();
      count > settings_.tables_max)
    return fail("S021"_code, fmt::format("{}: the store has {} tables, of which the Data API takes "
                                         "{} in one transaction",
                                         settings_.where, count, settings_.tables_max))
        .cure("make several stores of them, or leave out driver: data-api");
  std::unique_ptr<Staging> staging;
  if (settings_.staging) {
    PENSTOCK_TRY(made, settings_.staging());
    staging = std::move(made);
  }
  return std::make_unique<store::ThreadedStoreSink>(
      std::make_unique<Session>(settings_, spec, std::move(staging)), waker);
}

Result<flow::StoreState> RedshiftStore::state(const flow::StoreSpec& spec) {
  PENSTOCK_TRY(db, open());
  const std::string& where = settings_.where;
  flow::StoreState state;
  auto found =
      db->ask({"SET statement_timeout TO 30000", PositionTable(settings_.schema, spec).all()});
  if (!found && found.error().state == kUndefinedTable) return state;
  if (!found) return std::unexpected(error_of(found.error()));
  const Rows& stored = found->back();
  for (size_t i = 0; i < stored.cells.size(); ++i) {
    const std::string told = stored.text(i, 3);
    const auto fates = told.empty() ? flow::Fates{} : flow::fates_from_text(told);
    if (!fates) return fail("S005"_code, where + ": the fates of a position are not readable");
    state.positions.push_back({stored.text(i, 0), std::atoi(stored.text(i, 1).c_str()),
                               Offset{std::strtoll(stored.text(i, 2).c_str(), nullptr, 10)},
                               *fates});
  }
  std::ranges::stable_sort(state.positions, {}, [](const flow::GroupPosition& one) {
    return std::pair(one.topic, one.partition);
  });
  if (spec.table.schema == nullptr) return state;
  uint64_t rows = 0;
  for (const TableName& name : names_of(spec.table, settings_.schema)) {
    auto count = db->ask({"SET statement_timeout TO 2000", "SELECT COUNT(*) FROM " + name.sql()});
    if (!count) return state;
    rows += std::strtoull(count->back().text(0, 0).c_str(), nullptr, 10);
  }
  state.rows = rows;
  return state;
}

Result<std::vector<std::string>> RedshiftStore::newest(const flow::StoreTable& table,
                                                       uint32_t limit,
                                                       const std::optional<flow::RowFilter>& of) {
  PENSTOCK_TRY(db, open());
  std::vector<std::string> rows;
  const auto& fields = table.schema->root().fields;
  const std::vector<ColumnType> columns = columns_of(table);
  for (const TableName& name : names_of(table, settings_.schema)) {
    auto found = db->ask({newest_text(table, name, limit, of)});
    if (!found && found.error().state == kUndefinedTable) continue;
    if (!found) return std::unexpected(error_of(found.error()));
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

}  // namespace penstock::store::redshift
