#include "store/sqlite/row_writer.h"

#include "avro/json.h"
#include "base/check.h"
#include "store/sqlite/table_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace penstock::store {

Result<RowWriter> RowWriter::prepare(Database& database, const std::string& path,
                                     const flow::StoreTable& table) {
  RowWriter writer;
  writer.database_ = &database;
  Outcome outcome;
  writer.insert_ = database.prepare(insert_text(table), outcome);
  if (outcome != Outcome::done) return std::unexpected(to_error(outcome, path, database.message()));
  for (const avro::Field& field : table.schema->root().fields) {
    Column column;
    column.type = cell_type(*field.type);
    column.name = field.name;
    column.needed = field.name == table.newest_by ||
                    std::find(table.key.begin(), table.key.end(), field.name) != table.key.end();
    writer.columns_.push_back(std::move(column));
  }
  return writer;
}

Outcome RowWriter::write(const flow::StoreRows& rows, uint32_t row) {
  PENSTOCK_CHECK(rows.columns.size() == columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!bind(columns_[i], static_cast<int>(i) + 1, rows.columns[i], row)) return Outcome::refused;
  }
  const Outcome outcome = insert_.step();
  if (outcome == Outcome::refused) {
    reason_ = "store.constraint";
    detail_ = database_->message();
  }
  return outcome;
}

bool RowWriter::bind(Column& column, int parameter, const row::Column& values, uint32_t row) {
  if (values.is_null(row)) {
    if (column.needed) return refuse(column, "store.not_null", "is null");
    insert_.bind_null(parameter);
    return true;
  }
  switch (values.kind) {
    case row::Kind::boolean:
      insert_.bind_int64(parameter, values.booleans[row]);
      return true;
    case row::Kind::int64:
      return bind_int64(column, parameter, values.int64s[row]);
    case row::Kind::float64:
      // SQLite keeps a NaN as NULL: another value than was sent.
      if (std::isnan(values.float64s[row]))
        return refuse(column, "store.not_a_number", "is not a number");
      insert_.bind_double(parameter, values.float64s[row]);
      return true;
    default:
      return bind_view(column, parameter, values.views[row]);
  }
}

bool RowWriter::bind_int64(Column& column, int parameter, int64_t value) {
  if (column.type.form == CellForm::integer) {
    insert_.bind_int64(parameter, value);
    return true;
  }
  const size_t length = write_time(column.type, value, column.time);
  if (length == 0)
    return refuse(column, "store.out_of_range",
                  fmt::format("is no time that can be written: {}", value));
  insert_.bind_text(parameter, {column.time, length});
  return true;
}

bool RowWriter::bind_view(Column& column, int parameter, std::string_view value) {
  if (value.size() > kMaxValueBytes / 2) return refuse(column, "store.too_large", "is too large");
  switch (column.type.form) {
    case CellForm::blob:
      insert_.bind_blob(parameter, value);
      return true;
    case CellForm::text:
      insert_.bind_text(parameter, value);
      return true;
    case CellForm::decimal:
      column.text.clear();
      if (!append_decimal(value, column.type.scale, column.text))
        return refuse(column, "store.too_large", "has too many digits");
      break;
    default: {
      auto text = avro::to_json(*column.type.node, value, avro::JsonStyle::plain);
      if (!text) return refuse(column, "store.constraint", text.error().message);
      column.text = *std::move(text);
    }
  }
  insert_.bind_text(parameter, column.text);
  return true;
}

bool RowWriter::refuse(const Column& column, std::string_view reason, std::string_view why) {
  reason_ = reason;
  detail_ = fmt::format("column \"{}\" {}", column.name, why);
  return false;
}

}  // namespace penstock::store
