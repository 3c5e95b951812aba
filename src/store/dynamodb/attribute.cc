#include "store/dynamodb/attribute.h"

#include "avro/logical_text.h"
#include "base/json_write.h"
#include "store/dynamodb/datum.h"
#include "store/dynamodb/number.h"

#include <fmt/format.h>

namespace penstock::store::dynamodb {
namespace {

const avro::Node& inner(const avro::Node& type) {
  const avro::Node* branch = type.nullable_branch();
  return branch != nullptr ? *branch : type;
}

bool is_text(const avro::Node& type) {
  return type.type == avro::Type::string || type.type == avro::Type::enum_ ||
         type.logical == avro::Logical::uuid;
}

void append_texts(std::string_view text, std::string& out, size_t& size) {
  out += R"({"S":)";
  append_json_string(text, out);
  out += '}';
  size += text.size();
}

bool append_octets(const avro::Node& type, ByteView bytes, std::string& out, size_t& size,
                   Refusal& refusal) {
  if (type.logical == avro::Logical::decimal)
    return append_decimal_number(bytes, type.scale, out, size, refusal);
  std::string text;
  if (type.logical == avro::Logical::uuid && avro::append_uuid(bytes, text)) {
    append_texts(text, out, size);
    return true;
  }
  out += R"({"B":")";
  append_base64(bytes, out);
  out += "\"}";
  size += bytes.size();
  return true;
}

}  // namespace

std::string_view key_type(const avro::Node& nullable) {
  const avro::Node& type = inner(nullable);
  switch (avro::slot_shape(type).kind) {
    case row::Kind::int64:
      return avro::is_time(type.logical) ? "S" : "N";
    case row::Kind::float64:
      return "N";
    case row::Kind::string:
      return "S";
    case row::Kind::bytes:
      return type.logical == avro::Logical::decimal ? "N" : is_text(type) ? "S" : "B";
    default:
      return "";
  }
}

bool append_attribute(const avro::Node& nullable, const row::Column& column, uint32_t row,
                      std::string& out, size_t& size, Refusal& refusal) {
  const avro::Node& type = inner(nullable);
  switch (column.kind) {
    case row::Kind::boolean:
      out += column.booleans[row] != 0 ? R"({"BOOL":true})" : R"({"BOOL":false})";
      size += 1;
      return true;
    case row::Kind::int64:
      return append_whole(type, column.int64s[row], out, size, refusal);
    case row::Kind::float64:
      return append_real(column.float64s[row], type.type == avro::Type::float_, out, size, refusal);
    case row::Kind::string:
      append_texts(column.views[row], out, size);
      return true;
    case row::Kind::bytes:
      return append_octets(type, column.views[row], out, size, refusal);
    case row::Kind::datum:
      break;
  }
  return append_datum(type, column.views[row], out, size, refusal);
}

void append_base64(std::string_view bytes, std::string& out) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](size_t at) {
      return at < bytes.size() ? static_cast<uint8_t>(bytes[at]) : uint32_t{0};
    };
    const uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    out += kDigits[group >> 18];
    out += kDigits[group >> 12 & 63];
    out += i + 1 < bytes.size() ? kDigits[group >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? kDigits[group & 63] : '=';
  }
}

std::string base64(std::string_view bytes) {
  std::string text;
  append_base64(bytes, text);
  return text;
}

}  // namespace penstock::store::dynamodb
