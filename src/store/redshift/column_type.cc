#include "store/redshift/column_type.h"

#include "avro/json.h"
#include "avro/logical_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace penstock::store::redshift {
namespace {

constexpr uint32_t kMaxPrecision = 38;
constexpr uint32_t kUuidBytes = 36;
constexpr uint32_t kDurationBytes = 64;

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

Form form_of_whole(avro::Logical logical, Form plain) {
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

Form form_of(const avro::Node& type) {
  using avro::Logical;
  using avro::Type;
  switch (type.type) {
    case Type::boolean:
      return Form::boolean;
    case Type::int_:
      return form_of_whole(type.logical, Form::int4);
    case Type::long_:
      return form_of_whole(type.logical, Form::int8);
    case Type::float_:
      return Form::float4;
    case Type::double_:
      return Form::float8;
    case Type::string:
    case Type::enum_:
      return Form::varchar;
    case Type::bytes:
    case Type::fixed:
      if (type.logical == Logical::decimal)
        return type.precision <= kMaxPrecision ? Form::decimal : Form::varchar;
      return type.logical == Logical::uuid || type.logical == Logical::duration ? Form::varchar
                                                                                : Form::varbyte;
    default:
      return Form::super;
  }
}

// Of the value: of a varbyte its bytes, of all others its text.
uint32_t bytes_max_of(const avro::Node& type, Form form) {
  if (form == Form::varbyte)
    return type.type == avro::Type::fixed ? type.size_bytes : kMaxTextBytes / 2;
  if (form != Form::varchar) return form == Form::super ? kMaxTextBytes : 0;
  size_t longest = 0;
  for (const std::string& symbol : type.symbols) longest = std::max(longest, symbol.size());
  switch (type.logical) {
    case avro::Logical::uuid:
      return kUuidBytes;
    case avro::Logical::duration:
      return kDurationBytes;
    case avro::Logical::decimal:
      return std::min(type.precision + 3, kMaxTextBytes);  // a sign, a zero and the point
    default:
      return longest > 0 ? static_cast<uint32_t>(longest) : kMaxTextBytes;
  }
}

// The names of svv_columns, in the order of Form.
constexpr std::string_view kFoundNames[] = {"boolean",
                                            "integer",
                                            "bigint",
                                            "real",
                                            "double precision",
                                            "character varying",
                                            "numeric",
                                            "date",
                                            "time without time zone",
                                            "timestamp with time zone",
                                            "timestamp without time zone",
                                            "binary varying",
                                            "super"};

bool whole_fits(const FoundType& found, ColumnType& type) {
  const auto within = [&](int64_t low, int64_t high) {
    type.low = low;
    type.high = high;
    return true;
  };
  if (found.name == "bigint") return true;
  if (found.name == "integer")
    return within(std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
  if (found.name == "smallint")
    return within(std::numeric_limits<int16_t>::min(), std::numeric_limits<int16_t>::max());
  return found.name == "numeric" && found.precision - found.scale >= 19;
}

bool refuse(std::string_view because, std::string text, std::string_view& reason,
            std::string& why) {
  reason = because;
  why = std::move(text);
  return false;
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// 2026-01-01 00:00:00.5+00
bool append_time(const ColumnType& type, int64_t value, std::string& out) {
  using avro::Logical;
  Logical logical = type.node->logical;
  if (logical == Logical::timestamp_nanos || logical == Logical::local_timestamp_nanos) {
    logical = logical == Logical::timestamp_nanos ? Logical::timestamp_micros
                                                  : Logical::local_timestamp_micros;
    value = floor_div(value, 1'000);
  }
  const size_t begin = out.size();
  if (!avro::append_logical_time(logical, value, out)) return false;
  if (const size_t t = out.find('T', begin); t != out.npos) out[t] = ' ';
  if (type.form == Form::timestamptz && out.back() == 'Z') {
    out.pop_back();
    out += "+00";
  }
  return true;
}

void append_hex(std::string_view bytes, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

uint32_t little_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

void append_duration(std::string_view bytes, std::string& out) {
  const uint32_t millis = little_endian(bytes.substr(8));
  fmt::format_to(std::back_inserter(out), "P{}M{}DT{}.{:03}S", little_endian(bytes),
                 little_endian(bytes.substr(4)), millis / 1'000, millis % 1'000);
}

// The text of a varchar, checked by its caller.
bool append_varchar(const avro::Node& node, std::string_view value, uint32_t scale,
                    std::string& out) {
  const bool bytes = node.type == avro::Type::bytes || node.type == avro::Type::fixed;
  if (!bytes) {
    out += value;
    return true;
  }
  if (node.logical == avro::Logical::decimal) return avro::append_decimal(value, scale, out);
  if (node.logical == avro::Logical::uuid) return avro::append_uuid(value, out);
  append_duration(value, out);
  return true;
}

bool append_view(const ColumnType& type, std::string_view value, std::string& out,
                 std::string_view& reason, std::string& why) {
  const size_t begin = out.size();
  if (type.form == Form::varbyte) {
    if (value.size() > type.bytes_max)
      return refuse("store.too_large", fmt::format("has {} bytes at most", type.bytes_max), reason,
                    why);
    append_hex(value, out);
    return true;
  }
  if (type.form == Form::super) {
    auto text = avro::to_json(*type.node, value, avro::JsonStyle::plain);
    if (!text) return refuse("store.constraint", text.error().message, reason, why);
    out += *text;
  } else if (!append_varchar(*type.node, value, type.scale, out)) {
    out.resize(begin);
    return refuse("store.too_large", "has too many digits", reason, why);
  }
  const std::string_view text = std::string_view(out).substr(begin);
  if (type.form == Form::decimal) return true;
  std::string_view because, said;
  if (text.size() > type.bytes_max) because = "store.too_large";
  if (text.find('\0') != text.npos) because = "store.nul_character", said = "the character U+0000";
  if (text == kNullText) because = "store.constraint", said = kNullText;
  if (because.empty()) return true;
  out.resize(begin);
  return refuse(because,
                said.empty() ? fmt::format("has {} bytes at most", type.bytes_max)
                             : fmt::format("cannot hold {}", said),
                reason, why);
}

}  // namespace

ColumnType column_type(const avro::Node& type, bool exact) {
  const avro::Node* inner = type.nullable_branch();
  ColumnType column;
  column.node = inner != nullptr ? inner : &type;
  column.form = form_of(*column.node);
  column.precision = column.node->precision;
  column.scale = column.node->scale;
  column.per_second = units_of(column.node->logical);
  if (exact && column.per_second > 1'000'000) column.form = Form::int8;
  column.bytes_max = bytes_max_of(*column.node, column.form);
  return column;
}

bool can_be_newest(const ColumnType& type) {
  // Of bytes that are kept as text the order is another one here than there.
  if (type.node->type == avro::Type::bytes || type.node->type == avro::Type::fixed) return false;
  return type.form != Form::varbyte && type.form != Form::super && type.form != Form::decimal &&
         type.form != Form::boolean;
}

std::string ColumnType::sql() const {
  switch (form) {
    case Form::varchar:
      return fmt::format("varchar({})", bytes_max);
    case Form::varbyte:
      return fmt::format("varbyte({})", bytes_max);
    case Form::decimal:
      return fmt::format("decimal({}, {})", precision, scale);
    case Form::timestamptz:
      return "timestamptz";
    case Form::timestamp:
      return "timestamp";
    case Form::time:
      return "time";
    default:
      return std::string(kFoundNames[static_cast<size_t>(form)]);
  }
}

std::string ColumnType::stage_sql() const {
  if (form == Form::super) return fmt::format("varchar({})", kMaxTextBytes);
  if (form == Form::varbyte) return fmt::format("varchar({})", bytes_max * 2);
  return sql();
}

std::string ColumnType::from_stage(std::string_view column) const {
  if (form == Form::super) return fmt::format("JSON_PARSE({})", column);
  if (form == Form::varbyte) return fmt::format("TO_VARBYTE({}, 'hex')", column);
  return std::string(column);
}

avro::Type ColumnType::staged() const {
  switch (form) {
    case Form::boolean:
      return avro::Type::boolean;
    case Form::int4:
      return avro::Type::int_;
    case Form::int8:
      return avro::Type::long_;
    case Form::float4:
      return avro::Type::float_;
    case Form::float8:
      return avro::Type::double_;
    default:
      return avro::Type::string;
  }
}

bool ColumnType::fit(const FoundType& found, std::string& why) {
  bool fits = found.name == kFoundNames[static_cast<size_t>(form)];
  if (form == Form::int4 || form == Form::int8) fits = whole_fits(found, *this);
  if (form == Form::float4) fits = fits || found.name == "double precision";
  if (form == Form::decimal && fits) {
    fits = found.scale >= int64_t{scale} &&
           found.precision - found.scale >= int64_t{precision} - int64_t{scale};
    if (!fits) why = fmt::format("as numeric({}, {}), ", found.precision, found.scale);
  }
  if (form == Form::varchar && fits && found.length > 0)
    bytes_max = static_cast<uint32_t>(std::min<int64_t>(bytes_max, found.length));
  if (!fits) why = (why.empty() ? "as " + found.name + ", " : why) + "the records need " + sql();
  return fits;
}

bool check_number(const ColumnType& type, const row::Column& values, uint32_t row,
                  std::string_view& reason, std::string& why) {
  if (values.kind != row::Kind::int64 || values.is_null(row)) return true;
  const int64_t value = values.int64s[row];
  if (value >= type.low && value <= type.high) return true;
  return refuse("store.out_of_range", fmt::format("has no such value: {}", value), reason, why);
}

bool append_text(const ColumnType& type, const row::Column& values, uint32_t row, std::string& out,
                 std::string_view& reason, std::string& why) {
  if (values.kind != row::Kind::int64)
    return append_view(type, values.views[row], out, reason, why);
  const int64_t value = values.int64s[row];
  if (append_time(type, value, out)) return true;
  return refuse("store.out_of_range", fmt::format("has no such value: {}", value), reason, why);
}

}  // namespace penstock::store::redshift
