#include "store/redshift/insert_text.h"

#include "store/redshift/table_text.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

namespace penstock::store::redshift {
namespace {

std::string real_sql(double value, bool single) {
  if (std::isnan(value)) return "'NaN'";
  if (std::isinf(value)) return value > 0 ? "'Infinity'" : "'-Infinity'";
  return single ? fmt::format("{:e}", static_cast<float>(value)) : fmt::format("{}", value);
}

bool append_literal(const ColumnType& type, const row::Column& values, uint32_t row,
                    std::string& out, std::string_view& reason, std::string& why) {
  if (values.is_null(row)) {
    out += "NULL";
    return true;
  }
  switch (type.staged()) {
    case avro::Type::boolean:
      out += values.booleans[row] != 0 ? "TRUE" : "FALSE";
      return true;
    case avro::Type::int_:
    case avro::Type::long_:
      if (!check_number(type, values, row, reason, why)) return false;
      out += fmt::format("{}", values.int64s[row]);
      return true;
    case avro::Type::float_:
    case avro::Type::double_:
      out += real_sql(values.float64s[row], type.form == Form::float4);
      return true;
    default: {
      std::string text;
      if (!append_text(type, values, row, text, reason, why)) return false;
      out += text_sql(text);
      return true;
    }
  }
}

}  // namespace

InsertTexts insert_texts(std::span<const ColumnType> columns, const avro::Schema& schema,
                         std::span<const flow::StoreRows> rows, std::span<const Winner> winners,
                         size_t bytes_max) {
  InsertTexts texts;
  const std::string head =
      fmt::format("INSERT INTO {} {} VALUES ", kStage, stage_columns(columns.size()));
  for (uint32_t place = 0; place < winners.size(); ++place) {
    const flow::StoreRows& of = rows[winners[place].rows];
    const uint32_t row = winners[place].row;
    std::string values = fmt::format("({}", place), why;
    std::string_view reason;
    for (size_t i = 0; i < columns.size() && reason.empty(); ++i) {
      values += ", ";
      if (!append_literal(columns[i], of.columns[i], row, values, reason, why))
        why = fmt::format("column \"{}\" {}", schema.root().fields[i].name, why);
    }
    if (!reason.empty()) {
      texts.rejected.push_back({of.ids[row], std::string(reason), why});
      continue;
    }
    if (texts.statements.empty() || texts.statements.back().size() > bytes_max) {
      texts.statements.push_back(head);
    } else {
      texts.statements.back() += ", ";
    }
    texts.statements.back() += values + ")";
  }
  return texts;
}

}  // namespace penstock::store::redshift
