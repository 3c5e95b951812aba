#include "store/postgres/column_type.h"

#include "avro/json.h"
#include "avro/logical_text.h"
#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <initializer_list>
#include <utility>

namespace penstock::store::postgres {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kSecondsPerDay = 86'400;
// PostgreSQL counts from 2000-01-01; its limits are those of its documentation, chapter 8.5.
constexpr int64_t kEpochDays = 10'957;
constexpr int64_t kEpochMicros = kEpochDays * kSecondsPerDay * kMicrosPerSecond;
constexpr int64_t kMinMicros = -211'813'488'000'000'000;
constexpr int64_t kEndMicros = 9'223'371'331'200'000'000;
constexpr int64_t kMinDays = -2'451'545;
constexpr int64_t kEndDays = 2'145'031'949;
constexpr size_t kMaxValueBytes = 256u << 20;

int64_t units_of(avro::Logical logical) {
  using avro::Logical;
  switch (logical) {
    case Logical::time_millis:
    case Logical::timestamp_millis:
    case Logical::local_timestamp_millis:
      return 1'000;
    case Logical::time_micros:
    case Logical::timestamp_micros:
    case Logical::local_timestamp_micros:
      return 1'000'000;
    case Logical::timestamp_nanos:
    case Logical::local_timestamp_nanos:
      return 1'000'000'000;
    default:
      return 0;
  }
}

Form form_of_number(avro::Logical logical, Form plain) {
  using avro::Logical;
  switch (logical) {
    case Logical::date:
      return Form::date;
    case Logical::time_millis:
    case Logical::time_micros:
      return Form::time;
    case Logical::timestamp_millis:
    case Logical::timestamp_micros:
    case Logical::timestamp_nanos:
      return Form::timestamptz;
    case Logical::local_timestamp_millis:
    case Logical::local_timestamp_micros:
    case Logical::local_timestamp_nanos:
      return Form::timestamp;
    default:
      return plain;
  }
}

Form form_of_bytes(avro::Logical logical) {
  switch (logical) {
    case avro::Logical::decimal:
      return Form::numeric;
    case avro::Logical::uuid:
      return Form::uuid;
    case avro::Logical::duration:
      return Form::interval;
    default:
      return Form::bytea;
  }
}

Form form_of(const avro::Node& type) {
  using avro::Type;
  switch (type.type) {
    case Type::boolean:
      return Form::boolean;
    case Type::int_:
      return form_of_number(type.logical, Form::int4);
    case Type::long_:
      return form_of_number(type.logical, Form::int8);
    case Type::float_:
      return Form::float4;
    case Type::double_:
      return Form::float8;
    case Type::string:
      return type.logical == avro::Logical::uuid ? Form::uuid : Form::text;
    case Type::enum_:
      return Form::text;
    case Type::bytes:
    case Type::fixed:
      return form_of_bytes(type.logical);
    default:
      return Form::jsonb;
  }
}

constexpr std::pair<std::string_view, std::string_view> kNames[] = {
    // pg_type.typname, SQL's name; in the order of Form
    {"bool", "boolean"},
    {"int4", "integer"},
    {"int8", "bigint"},
    {"float4", "real"},
    {"float8", "double precision"},
    {"text", "text"},
    {"bytea", "bytea"},
    {"date", "date"},
    {"time", "time"},
    {"timestamptz", "timestamp with time zone"},
    {"timestamp", "timestamp"},
    {"numeric", "numeric"},
    {"uuid", "uuid"},
    {"interval", "interval"},
    {"jsonb", "jsonb"}};

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

bool type_fits(Form form, std::string_view found, bool nanos) {
  if (found == kNames[static_cast<size_t>(form)].first) return true;
  switch (form) {
    case Form::int4:
    case Form::int8:
      return one_of(found, {"int2", "int4", "int8", "numeric"});
    case Form::float4:
      return found == "float8";
    case Form::text:
      return found == "varchar";
    case Form::uuid:
      return one_of(found, {"text", "varchar"});
    case Form::jsonb:
      return found == "json";
    case Form::timestamptz:
    case Form::timestamp:
      return nanos && found == "int8";
    default:
      return false;
  }
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Microseconds since 2000; false when they are out of the column's range.
bool to_micros(int64_t value, int64_t per_second, int64_t& micros) {
  if (per_second == 1'000) {
    if (__builtin_mul_overflow(value, 1'000, &micros)) return false;
  } else {
    micros = per_second == kMicrosPerSecond ? value : floor_div(value, 1'000);
  }
  return !__builtin_sub_overflow(micros, kEpochMicros, &micros) && micros >= kMinMicros &&
         micros < kEndMicros;
}

std::string hex_of(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

uint32_t little_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

void append_field(std::string_view bytes, std::string& out) {
  append_int32(static_cast<int32_t>(bytes.size()), out);
  out += bytes;
}

bool out_of_range(int64_t value, std::string_view& reason, std::string& why) {
  reason = "store.out_of_range";
  why = fmt::format("has no such value: {}", value);
  return false;
}

bool append_number(const ColumnType& type, int64_t value, std::string& out,
                   std::string_view& reason, std::string& why) {
  int64_t micros = 0;
  switch (type.form) {
    case Form::int4:
      append_int32(4, out);
      append_int32(static_cast<int32_t>(value), out);
      return true;
    case Form::date:
      if (value - kEpochDays < kMinDays || value - kEpochDays >= kEndDays)
        return out_of_range(value, reason, why);
      append_int32(4, out);
      append_int32(static_cast<int32_t>(value - kEpochDays), out);
      return true;
    case Form::time:
      if (value < 0 || value >= kSecondsPerDay * type.per_second)
        return out_of_range(value, reason, why);
      append_int32(8, out);
      append_int64(value * (kMicrosPerSecond / type.per_second), out);
      return true;
    case Form::timestamptz:
    case Form::timestamp:
      if (!to_micros(value, type.per_second, micros)) return out_of_range(value, reason, why);
      append_int32(8, out);
      append_int64(micros, out);
      return true;
    default:
      append_int32(8, out);
      append_int64(value, out);
      return true;
  }
}

bool append_view(const ColumnType& type, std::string_view value, std::string& out,
                 std::string_view& reason, std::string& why) {
  const auto refuse = [&](std::string_view because, std::string text) {
    reason = because;
    why = std::move(text);
    return false;
  };
  if (value.size() > kMaxValueBytes) return refuse("store.too_large", "is too large");
  switch (type.form) {
    case Form::bytea:
      append_field(value, out);
      return true;
    case Form::numeric: {
      std::string text;
      if (!avro::append_decimal(value, type.scale, text))
        return refuse("store.too_large", "has too many digits");
      append_field(text, out);
      return true;
    }
    case Form::uuid:
      if (type.node->type != avro::Type::fixed) break;
      append_field(hex_of(value), out);
      return true;
    case Form::interval:
      append_field(fmt::format("{} months {} days {} milliseconds", little_endian(value),
                               little_endian(value.substr(4)), little_endian(value.substr(8))),
                   out);
      return true;
    case Form::jsonb: {
      auto text = avro::to_json(*type.node, value, avro::JsonStyle::plain);
      if (!text) return refuse("store.constraint", text.error().message);
      append_field(*text, out);
      return true;
    }
    default:
      break;
  }
  if (value.find('\0') != value.npos)
    return refuse("store.nul_character", "cannot hold the character U+0000");
  append_field(value, out);
  return true;
}

}  // namespace

void append_int16(int16_t value, std::string& out) {
  const auto bits = static_cast<uint16_t>(value);
  const char bytes[2] = {static_cast<char>(bits >> 8), static_cast<char>(bits)};
  out.append(bytes, sizeof bytes);
}

void append_int32(int32_t value, std::string& out) {
  const uint32_t bits = __builtin_bswap32(static_cast<uint32_t>(value));
  out.append(reinterpret_cast<const char*>(&bits), sizeof bits);
}

void append_int64(int64_t value, std::string& out) {
  const uint64_t bits = __builtin_bswap64(static_cast<uint64_t>(value));
  out.append(reinterpret_cast<const char*>(&bits), sizeof bits);
}

ColumnType column_type(const avro::Node& type, bool exact) {
  const avro::Node* inner = type.nullable_branch();
  ColumnType column;
  column.node = inner != nullptr ? inner : &type;
  column.form = form_of(*column.node);
  column.precision = column.node->precision;
  column.scale = column.node->scale;
  column.per_second = units_of(column.node->logical);
  if (exact && column.per_second > kMicrosPerSecond) column.form = Form::int8;
  return column;
}

bool can_be_newest(const ColumnType& type) {
  return type.form < Form::numeric && type.form != Form::bytea;
}

std::string ColumnType::sql() const {
  std::string text(kNames[static_cast<size_t>(form)].second);
  if (form == Form::numeric) text += fmt::format("({}, {})", precision, scale);
  return text;
}

std::string_view ColumnType::stage_sql() const {
  return form < Form::numeric ? kNames[static_cast<size_t>(form)].second : "text";
}

std::string_view ColumnType::cast() const {
  switch (form) {
    case Form::numeric:
      return "::pg_catalog.numeric";
    case Form::uuid:
      return "::pg_catalog.uuid";
    case Form::interval:
      return "::pg_catalog.interval";
    case Form::jsonb:
      return "::pg_catalog.jsonb";
    default:
      return "";
  }
}

bool ColumnType::fits(std::string_view found, int32_t modifier, std::string& why) const {
  const bool nanos = per_second > kMicrosPerSecond;
  if (!type_fits(form, found, nanos)) {
    why = fmt::format("as {}, the records need {}", found, sql());
    return false;
  }
  // A narrower integer or a shorter text refuses what does not fit; these would round in silence.
  if (found == "numeric" && modifier >= 4) {
    const auto kept = static_cast<uint32_t>(modifier - 4) & 0x7ff;
    if (kept < (form == Form::numeric ? scale : 0)) {
      why = fmt::format("with {} digits after the point, the records have {}", kept, scale);
      return false;
    }
  }
  const bool is_time = one_of(found, {"time", "timestamp", "timestamptz"});
  if (is_time && modifier >= 0 && modifier < (per_second == 1'000 ? 3 : 6)) {
    why = fmt::format("with {} digits of a second, the records have {}", modifier,
                      per_second == 1'000 ? 3 : 6);
    return false;
  }
  return true;
}

bool append_cell(const ColumnType& type, const row::Column& values, uint32_t row, std::string& out,
                 std::string_view& reason, std::string& why) {
  if (values.is_null(row)) {
    append_int32(-1, out);
    return true;
  }
  switch (values.kind) {
    case row::Kind::boolean:
      append_int32(1, out);
      out += static_cast<char>(values.booleans[row] != 0);
      return true;
    case row::Kind::int64:
      return append_number(type, values.int64s[row], out, reason, why);
    case row::Kind::float64:
      if (type.form == Form::float4) {
        append_int32(4, out);
        append_int32(std::bit_cast<int32_t>(static_cast<float>(values.float64s[row])), out);
      } else {
        append_int32(8, out);
        append_int64(std::bit_cast<int64_t>(values.float64s[row]), out);
      }
      return true;
    default:
      return append_view(type, values.views[row], out, reason, why);
  }
}

}  // namespace penstock::store::postgres
