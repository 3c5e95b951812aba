#include "avro/logical_text.h"

#include "avro/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace penstock::avro {
namespace {

constexpr size_t kMaxDecimalBytes = 1024;
constexpr size_t kMaxDecimalDigits = 4096;
constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kDayNanos = 86'400 * kNanosPerSecond;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The digits of `text` without sign and point, as many after the point as `scale` says.
bool scaled_digits(std::string_view text, uint32_t scale, std::string& digits) {
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string_view fraction = point == std::string_view::npos ? "" : text.substr(point + 1);
  if (whole.empty() || (point != std::string_view::npos && fraction.empty())) return false;
  if (!std::ranges::all_of(whole, is_digit) || !std::ranges::all_of(fraction, is_digit))
    return false;
  while (fraction.size() > scale && fraction.ends_with('0')) fraction.remove_suffix(1);
  if (fraction.size() > scale || scale > kMaxDecimalDigits) return false;
  digits.append(whole).append(fraction).append(scale - fraction.size(), '0');
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  return true;
}

void negate(std::string& bytes) {  // big-endian two's complement
  uint32_t carry = 1;
  for (size_t i = bytes.size(); i-- > 0;) {
    const uint32_t sum = (~static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) & 0xff) + carry;
    bytes[i] = static_cast<char>(sum);
    carry = sum >> 8;
  }
}

// How many units of the logical type make a second.
int64_t units_per_second(Logical logical) {
  switch (logical) {
    case Logical::time_millis:
    case Logical::timestamp_millis:
    case Logical::local_timestamp_millis:
      return 1'000;
    case Logical::time_micros:
    case Logical::timestamp_micros:
    case Logical::local_timestamp_micros:
      return 1'000'000;
    default:
      return kNanosPerSecond;
  }
}

bool is_local(Logical logical) {
  return logical == Logical::local_timestamp_millis || logical == Logical::local_timestamp_micros ||
         logical == Logical::local_timestamp_nanos;
}
bool is_time_of_day(Logical logical) {
  return logical == Logical::time_millis || logical == Logical::time_micros;
}

bool parse_hex(char c, uint32_t& value) {
  if (is_digit(c)) {
    value = static_cast<uint32_t>(c - '0');
  } else if (c >= 'a' && c <= 'f') {
    value = static_cast<uint32_t>(c - 'a' + 10);
  } else if (c >= 'A' && c <= 'F') {
    value = static_cast<uint32_t>(c - 'A' + 10);
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool parse_decimal(std::string_view text, uint32_t scale, uint32_t precision, std::string& bytes) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::string digits;
  if (text.size() > kMaxDecimalDigits || !scaled_digits(text, scale, digits)) return false;
  if (digits.size() > precision) return false;
  std::string magnitude;  // least significant byte first
  for (const char digit : digits) {
    auto carry = static_cast<uint32_t>(digit - '0');
    for (char& byte : magnitude) {
      carry += static_cast<uint32_t>(static_cast<uint8_t>(byte)) * 10;
      byte = static_cast<char>(carry);
      carry >>= 8;
    }
    if (carry != 0) magnitude.push_back(static_cast<char>(carry));
  }
  magnitude.push_back('\0');
  std::ranges::reverse(magnitude);
  if (negative) negate(magnitude);
  while (magnitude.size() > 1 &&
         static_cast<int8_t>(magnitude[0]) == (static_cast<int8_t>(magnitude[1]) < 0 ? -1 : 0)) {
    magnitude.erase(0, 1);
  }
  bytes += magnitude;
  return true;
}

bool widen_decimal(size_t size_bytes, std::string& bytes) {
  if (bytes.size() > size_bytes) return false;
  const bool negative = !bytes.empty() && static_cast<int8_t>(bytes[0]) < 0;
  bytes.insert(0, size_bytes - bytes.size(), negative ? '\xff' : '\0');
  return true;
}

bool append_decimal(ByteView bytes, uint32_t scale, std::string& out) {
  if (bytes.size() > kMaxDecimalBytes || scale > kMaxDecimalDigits) return false;
  std::string magnitude(bytes);
  const bool negative = !bytes.empty() && static_cast<int8_t>(bytes[0]) < 0;
  if (negative) {
    magnitude.insert(0, 1, '\xff');
    negate(magnitude);
  }
  std::string digits;  // last digit first
  for (size_t first = 0; first < magnitude.size();) {
    if (magnitude[first] == '\0') {
      ++first;
      continue;
    }
    uint32_t rest = 0;
    for (size_t i = first; i < magnitude.size(); ++i) {
      rest = rest << 8 | static_cast<uint8_t>(magnitude[i]);
      magnitude[i] = static_cast<char>(rest / 10);
      rest %= 10;
    }
    digits.push_back(static_cast<char>('0' + rest));
  }
  if (digits.size() <= scale) digits.append(scale + 1 - digits.size(), '0');
  if (scale != 0) digits.insert(scale, 1, '.');
  if (negative) digits.push_back('-');
  out.append(digits.rbegin(), digits.rend());
  return true;
}

bool parse_uuid(std::string_view text, std::string& bytes) {
  if (text.size() != 36) return false;
  std::string made;
  for (size_t i = 0; i < 36;) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') return false;
      continue;
    }
    uint32_t high = 0;
    uint32_t low = 0;
    if (!parse_hex(text[i], high) || !parse_hex(text[i + 1], low)) return false;
    made.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  bytes += made;
  return true;
}

bool append_uuid(ByteView bytes, std::string& out) {
  if (bytes.size() != 16) return false;
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<uint8_t>(bytes[i]));
  }
  return true;
}

bool is_time(Logical logical) {
  switch (logical) {
    case Logical::none:
    case Logical::decimal:
    case Logical::big_decimal:
    case Logical::uuid:
    case Logical::duration:
      return false;
    default:
      return true;
  }
}

bool parse_logical_time(Logical logical, std::string_view text, int64_t& units) {
  if (logical == Logical::date) {
    const auto days = parse_date(text);
    if (days) units = *days;
    return days.has_value();
  }
  const int64_t unit_nanos = kNanosPerSecond / units_per_second(logical);
  if (is_time_of_day(logical)) {
    const auto nanos = parse_time_of_day(text);
    if (!nanos || *nanos % unit_nanos != 0) return false;
    units = *nanos / unit_nanos;
    return true;
  }
  const auto at = is_local(logical) ? parse_local_time(text) : parse_rfc3339(text);
  if (!at || at->nanos % unit_nanos != 0) return false;
  int64_t seconds = at->seconds;
  int64_t fraction = at->nanos / unit_nanos;
  if (seconds < 0 && fraction > 0) {  // towards zero, so that the earliest second does not overflow
    ++seconds;
    fraction -= units_per_second(logical);
  }
  return !__builtin_mul_overflow(seconds, units_per_second(logical), &units) &&
         !__builtin_add_overflow(units, fraction, &units);
}

bool append_logical_time(Logical logical, int64_t units, std::string& out) {
  if (logical == Logical::date) return append_date(units, out);
  const int64_t per_second = units_per_second(logical);
  const int64_t unit_nanos = kNanosPerSecond / per_second;
  if (is_time_of_day(logical)) {
    if (units < 0 || units >= kDayNanos / unit_nanos) return false;
    append_time_of_day(units * unit_nanos, out);
    return true;
  }
  const int64_t remainder = units % per_second;
  const int64_t seconds = units / per_second - (remainder < 0 ? 1 : 0);
  const int64_t fraction = remainder < 0 ? remainder + per_second : remainder;
  const Instant at{seconds, static_cast<uint32_t>(fraction * unit_nanos)};
  return is_local(logical) ? append_local_time(at, out) : append_rfc3339(at, out);
}

}  // namespace penstock::avro
