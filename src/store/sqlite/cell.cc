#include "store/sqlite/cell.h"

#include <algorithm>
#include <vector>

namespace penstock::store {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;

CellForm form_of(const avro::Node& type) {
  using avro::Logical;
  using avro::Type;
  switch (type.type) {
    case Type::boolean:
      return CellForm::boolean;
    case Type::int_:
    case Type::long_:
      return CellForm::integer;
    case Type::float_:
    case Type::double_:
      return CellForm::real;
    case Type::string:
    case Type::enum_:
      return CellForm::text;
    case Type::bytes:
    case Type::fixed:
      return type.logical == Logical::decimal ? CellForm::decimal : CellForm::blob;
    default:
      return CellForm::json;
  }
}

void set_time(CellType& cell, CellForm form, int64_t per_second) {
  cell.form = form;
  cell.per_second = per_second;
}

void digits(char* to, int64_t value, int count) {
  for (int i = count - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

// Howard Hinnant's "civil from days" formula (chrono-compatible low-level date algorithms).
bool write_date(int64_t days, char* to) {
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const int64_t day_of_era = days - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * day_of_year + 2) / 153;
  const int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  if (year < 0 || year > 9999) return false;
  digits(to, year, 4);
  digits(to + 5, month, 2);
  digits(to + 8, day_of_year - (153 * shifted + 2) / 5 + 1, 2);
  to[4] = to[7] = '-';
  return true;
}

size_t write_clock(int64_t second_of_day, int64_t fraction, int64_t per_second, char* to) {
  digits(to, second_of_day / 3600, 2);
  digits(to + 3, second_of_day / 60 % 60, 2);
  digits(to + 6, second_of_day % 60, 2);
  to[2] = to[5] = ':';
  if (per_second == 1) return 8;
  const int count = per_second == 1'000 ? 3 : per_second == 1'000'000 ? 6 : 9;
  to[8] = '.';
  digits(to + 9, fraction, count);
  return static_cast<size_t>(9 + count);
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

std::string_view CellType::column_type() const {
  switch (form) {
    case CellForm::boolean:
    case CellForm::integer:
      return "INTEGER";
    case CellForm::real:
      return "REAL";
    case CellForm::blob:
      return "BLOB";
    default:
      return "TEXT";
  }
}

CellType cell_type(const avro::Node& type) {
  const avro::Node* inner = type.nullable_branch();
  CellType cell;
  cell.node = inner != nullptr ? inner : &type;
  cell.form = form_of(*cell.node);
  cell.scale = cell.node->scale;
  if (cell.form != CellForm::integer) return cell;
  switch (cell.node->logical) {
    case avro::Logical::timestamp_millis:
      set_time(cell, CellForm::timestamp, 1'000);
      break;
    case avro::Logical::timestamp_micros:
      set_time(cell, CellForm::timestamp, 1'000'000);
      break;
    case avro::Logical::timestamp_nanos:
      set_time(cell, CellForm::timestamp, 1'000'000'000);
      break;
    case avro::Logical::local_timestamp_millis:
      set_time(cell, CellForm::local_timestamp, 1'000);
      break;
    case avro::Logical::local_timestamp_micros:
      set_time(cell, CellForm::local_timestamp, 1'000'000);
      break;
    case avro::Logical::local_timestamp_nanos:
      set_time(cell, CellForm::local_timestamp, 1'000'000'000);
      break;
    case avro::Logical::date:
      cell.form = CellForm::date;
      break;
    case avro::Logical::time_millis:
      set_time(cell, CellForm::time, 1'000);
      break;
    case avro::Logical::time_micros:
      set_time(cell, CellForm::time, 1'000'000);
      break;
    default:
      break;
  }
  return cell;
}

size_t write_time(const CellType& type, int64_t value, char* to) {
  if (type.form == CellForm::date) {
    const bool fits = value > -1'000'000 && value < 4'000'000 && write_date(value, to);
    return fits ? 10 : 0;
  }
  const int64_t seconds = floor_div(value, type.per_second);
  // Not value - seconds * per_second: that has no room at the smallest of all values.
  const int64_t remainder = value % type.per_second;
  const int64_t fraction = remainder < 0 ? remainder + type.per_second : remainder;
  if (type.form == CellForm::time) {
    if (seconds < 0 || seconds >= kSecondsPerDay) return 0;
    return write_clock(seconds, fraction, type.per_second, to);
  }
  const int64_t days = floor_div(seconds, kSecondsPerDay);
  if (days < -1'000'000 || days > 4'000'000 || !write_date(days, to)) return 0;
  to[10] = 'T';
  size_t length =
      11 + write_clock(seconds - days * kSecondsPerDay, fraction, type.per_second, to + 11);
  if (type.form == CellForm::timestamp) to[length++] = 'Z';
  return length;
}

bool append_decimal(ByteView unscaled, uint32_t scale, std::string& out) {
  if (unscaled.size() > 128 || scale > 400) return false;
  std::vector<uint8_t> bytes(unscaled.begin(), unscaled.end());
  const bool negative = !bytes.empty() && (bytes[0] & 0x80) != 0;
  if (negative) {
    uint32_t carry = 1;
    for (size_t i = bytes.size(); i-- > 0; carry >>= 8) {
      carry += static_cast<uint8_t>(~bytes[i]);
      bytes[i] = static_cast<uint8_t>(carry);
    }
  }
  std::string reversed;
  size_t first = 0;
  while (first < bytes.size() || reversed.size() <= scale) {
    uint32_t rest = 0;
    for (size_t i = first; i < bytes.size(); ++i) {
      rest = rest << 8 | bytes[i];
      bytes[i] = static_cast<uint8_t>(rest / 10);
      rest %= 10;
    }
    while (first < bytes.size() && bytes[first] == 0) ++first;
    reversed += static_cast<char>('0' + rest);
    if (reversed.size() == scale) reversed += '.';
  }
  if (reversed.back() == '.') reversed += '0';
  if (negative) out += '-';
  out.append(reversed.rbegin(), reversed.rend());
  return true;
}

}  // namespace penstock::store
