#include "store/redshift/staged_rows.h"

#include "avro/container.h"
#include "avro/write.h"
#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <string_view>

namespace penstock::store::redshift {
namespace {

std::string_view name_of(avro::Type type) {
  switch (type) {
    case avro::Type::boolean:
      return "boolean";
    case avro::Type::int_:
      return "int";
    case avro::Type::long_:
      return "long";
    case avro::Type::float_:
      return "float";
    case avro::Type::double_:
      return "double";
    default:
      return "string";
  }
}

bool is_nullable(const avro::Field& field) { return avro::slot_shape(*field.type).nullable; }

avro::SchemaPtr file_schema(std::span<const ColumnType> columns, const avro::Schema& schema) {
  std::string text =
      R"({"type":"record","name":"row","fields":[{"name":"penstock_row","type":"long"})";
  for (size_t i = 0; i < columns.size(); ++i) {
    const bool nullable = is_nullable(schema.root().fields[i]);
    text += fmt::format(R"(,{{"name":"c{}","type":{}"{}"{}}})", i, nullable ? "[\"null\"," : "",
                        name_of(columns[i].staged()), nullable ? "]" : "");
  }
  auto parsed = avro::parse(text + "]}");
  PENSTOCK_CHECK(parsed.has_value());
  return *parsed;
}

bool append_value(const ColumnType& type, const row::Column& values, uint32_t row, std::string& out,
                  std::string& text, std::string_view& reason, std::string& why) {
  switch (type.staged()) {
    case avro::Type::boolean:
      out += static_cast<char>(values.booleans[row] != 0);
      return true;
    case avro::Type::int_:
    case avro::Type::long_:
      if (!check_number(type, values, row, reason, why)) return false;
      avro::append_long(values.int64s[row], out);
      return true;
    case avro::Type::float_: {
      const auto bits = std::bit_cast<uint32_t>(static_cast<float>(values.float64s[row]));
      for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(bits >> shift));
      return true;
    }
    case avro::Type::double_:
      avro::append_double(values.float64s[row], out);
      return true;
    default:
      text.clear();
      if (!append_text(type, values, row, text, reason, why)) return false;
      avro::append_bytes(text, out);
      return true;
  }
}

}  // namespace

StagedRows stage_rows(std::span<const ColumnType> columns, const avro::Schema& schema,
                      std::span<const flow::StoreRows> rows, std::span<const Winner> winners) {
  const auto& fields = schema.root().fields;
  const avro::SchemaPtr written = file_schema(columns, schema);
  std::vector<char> nullable;
  for (const avro::Field& field : fields) nullable.push_back(is_nullable(field) ? 1 : 0);
  avro::ContainerWriter file(*written, avro::ContainerCodec::null_, {"penstock staged"});
  StagedRows staged;
  std::string datum, text, why;
  for (size_t place = 0; place < winners.size(); ++place) {
    const flow::StoreRows& of = rows[winners[place].rows];
    const uint32_t row = winners[place].row;
    std::string_view reason;
    datum.clear();
    avro::append_long(static_cast<int64_t>(place), datum);
    for (size_t i = 0; i < columns.size() && reason.empty(); ++i) {
      const bool null = nullable[i] != 0 && of.columns[i].is_null(row);
      if (nullable[i] != 0) datum += static_cast<char>(null ? 0 : 2);
      if (!null && !append_value(columns[i], of.columns[i], row, datum, text, reason, why))
        why = fmt::format("column \"{}\" {}", fields[i].name, why);
    }
    if (reason.empty() && datum.size() > kMaxRowBytes)
      reason = "store.too_large", why = "the row has more than 3.9 MB";
    if (reason.empty()) {
      file.add(datum);
    } else {
      staged.rejected.push_back({of.ids[row], std::string(reason), why});
    }
  }
  staged.bytes = std::move(file).finish();
  return staged;
}

}  // namespace penstock::store::redshift
