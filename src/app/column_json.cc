#include "app/column_json.h"

#include "avro/json.h"
#include "avro/write.h"

#include <bit>

namespace penstock::app {
namespace {

void append_float(double value, std::string& out) {
  const auto bits = std::bit_cast<uint32_t>(static_cast<float>(value));
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(bits >> shift));
}

// The slot's value as the Avro bytes of `type`, which is not a union.
std::string slot_datum(const row::Column& column, uint32_t row, const avro::Node& type) {
  std::string out;
  switch (column.kind) {
    case row::Kind::boolean:
      out.push_back(static_cast<char>(column.booleans[row]));
      break;
    case row::Kind::int64:
      avro::append_long(column.int64s[row], out);
      break;
    case row::Kind::float64:
      type.type == avro::Type::float_ ? append_float(column.float64s[row], out)
                                      : avro::append_double(column.float64s[row], out);
      break;
    case row::Kind::string:
      if (type.type == avro::Type::enum_) {
        for (size_t i = 0; i < type.symbols.size(); ++i) {
          if (type.symbols[i] == column.views[row]) avro::append_long(static_cast<int64_t>(i), out);
        }
        break;
      }
      avro::append_bytes(column.views[row], out);
      break;
    case row::Kind::bytes:
      if (type.type == avro::Type::fixed) {
        out.append(column.views[row]);
      } else {
        avro::append_bytes(column.views[row], out);
      }
      break;
    case row::Kind::datum:
      out.append(column.views[row]);
  }
  return out;
}

}  // namespace

std::string slot_json(const row::Column& column, uint32_t row, const avro::Node& type) {
  if (column.is_null(row)) return "null";
  const avro::Node* branch = column.kind == row::Kind::datum ? nullptr : type.nullable_branch();
  const avro::Node& of = branch == nullptr ? type : *branch;
  const auto json = avro::to_json(of, slot_datum(column, row, of), avro::JsonStyle::plain);
  return json ? *json : std::string("null");
}

}  // namespace penstock::app
