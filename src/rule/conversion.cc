#include "rule/conversion.h"

#include "rule/literal.h"
#include "rule/time.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace penstock::rule {

namespace {

constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

Value no_overload(Fn to, const Value& from, Context& context) {
  return context.error(fmt::format("no function {}({})", name_of(to), type_name(from.kind)));
}

Value out_of_range(Fn to, const Value& from, Context& context) {
  return context.error(fmt::format("{}({}) is out of range", name_of(to), show(from)));
}

Value not_text_of(Fn to, const Value& from, Context& context) {
  return context.error(
      fmt::format("{}({}): the text is none, or out of range", name_of(to), show(from)));
}

template <class T, class Make>
Value given(const std::optional<T>& value, Make make, Value error) {
  return value ? make(*value) : error;
}

Value to_bool(const Value& from, Context& context) {
  if (from.kind == ValueKind::bool_) return from;
  if (from.kind != ValueKind::string) return no_overload(Fn::to_bool, from, context);
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"})
    if (from.text() == yes) return Value::of_bool(true);
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"})
    if (from.text() == no) return Value::of_bool(false);
  return not_text_of(Fn::to_bool, from, context);
}

Value to_int(const Value& from, Context& context) {
  switch (from.kind) {
    case ValueKind::int_:
      return from;
    case ValueKind::uint_:
      if (from.uint64 > INT64_MAX) return out_of_range(Fn::to_int, from, context);
      return Value::of_int(static_cast<int64_t>(from.uint64));
    case ValueKind::double_:
      if (const auto value = int_of_double(from.float64)) return Value::of_int(*value);
      return out_of_range(Fn::to_int, from, context);
    case ValueKind::string:
      if (const auto value = int_of_text(from.text())) return Value::of_int(*value);
      return not_text_of(Fn::to_int, from, context);
    case ValueKind::timestamp:
      return Value::of_int(from.int64);
    case ValueKind::duration:
      return Value::of_int(from.int64 / kNanosPerSecond);
    default:
      return no_overload(Fn::to_int, from, context);
  }
}

Value to_uint(const Value& from, Context& context) {
  switch (from.kind) {
    case ValueKind::uint_:
      return from;
    case ValueKind::int_:
      if (from.int64 < 0) return out_of_range(Fn::to_uint, from, context);
      return Value::of_uint(static_cast<uint64_t>(from.int64));
    case ValueKind::double_:
      if (const auto value = uint_of_double(from.float64)) return Value::of_uint(*value);
      return out_of_range(Fn::to_uint, from, context);
    case ValueKind::string:
      if (const auto value = uint_of_text(from.text())) return Value::of_uint(*value);
      return not_text_of(Fn::to_uint, from, context);
    default:
      return no_overload(Fn::to_uint, from, context);
  }
}

Value to_double(const Value& from, Context& context) {
  switch (from.kind) {
    case ValueKind::double_:
      return from;
    case ValueKind::int_:
      return Value::of_double(static_cast<double>(from.int64));
    case ValueKind::uint_:
      return Value::of_double(static_cast<double>(from.uint64));
    case ValueKind::string:
      if (const auto value = double_of_text(from.text())) return Value::of_double(*value);
      return not_text_of(Fn::to_double, from, context);
    default:
      return no_overload(Fn::to_double, from, context);
  }
}

std::string format_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char buffer[40];
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e21);
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  return {buffer, end.ptr};
}

Value to_string(const Value& from, Context& context) {
  const auto text = [&](const std::string& made) {
    return Value::of_string(context.arena.copy(made));
  };
  switch (from.kind) {
    case ValueKind::string:
      return from;
    case ValueKind::bool_:
      return Value::of_string(from.boolean ? "true" : "false");
    case ValueKind::int_:
      return text(fmt::format("{}", from.int64));
    case ValueKind::uint_:
      return text(fmt::format("{}", from.uint64));
    case ValueKind::double_:
      return text(format_double(from.float64));
    case ValueKind::bytes:
      if (!is_utf8(from.text())) return context.error("string(bytes): the bytes are not UTF-8");
      return Value::of_string(from.text());
    case ValueKind::timestamp:
      return text(format_time(from.time()));
    case ValueKind::duration:
      return text(format_duration(from.int64));
    default:
      return no_overload(Fn::to_string, from, context);
  }
}

Value to_timestamp(const Value& from, Context& context) {
  switch (from.kind) {
    case ValueKind::timestamp:
      return from;
    case ValueKind::int_: {
      const Time t{from.int64, 0};
      if (!in_range(t)) return out_of_range(Fn::to_timestamp, from, context);
      return Value::of_time(t);
    }
    case ValueKind::string:
      if (const auto t = parse_time(from.text())) return Value::of_time(*t);
      return not_text_of(Fn::to_timestamp, from, context);
    default:
      return no_overload(Fn::to_timestamp, from, context);
  }
}

Value to_duration(const Value& from, Context& context) {
  switch (from.kind) {
    case ValueKind::duration:
      return from;
    case ValueKind::int_: {
      int64_t nanos = 0;
      if (__builtin_mul_overflow(from.int64, kNanosPerSecond, &nanos))
        return out_of_range(Fn::to_duration, from, context);
      return Value::of_duration(nanos);
    }
    case ValueKind::string:
      if (const auto nanos = parse_duration(from.text())) return Value::of_duration(*nanos);
      return not_text_of(Fn::to_duration, from, context);
    default:
      return no_overload(Fn::to_duration, from, context);
  }
}

}  // namespace

Value convert(Fn to, const Value& from, Context& context) {
  switch (to) {
    case Fn::to_bool:
      return to_bool(from, context);
    case Fn::to_int:
      return to_int(from, context);
    case Fn::to_uint:
      return to_uint(from, context);
    case Fn::to_double:
      return to_double(from, context);
    case Fn::to_string:
      return to_string(from, context);
    case Fn::to_bytes:
      if (from.kind == ValueKind::bytes) return from;
      if (from.kind == ValueKind::string) return Value::of_bytes(from.text());
      return no_overload(to, from, context);
    case Fn::to_timestamp:
      return to_timestamp(from, context);
    case Fn::to_duration:
      return to_duration(from, context);
    default:
      return no_overload(to, from, context);
  }
}

std::optional<int64_t> int_of_double(double value) {
  if (!(value > -kTwo63 && value < kTwo63)) return std::nullopt;
  return static_cast<int64_t>(value);
}

std::optional<uint64_t> uint_of_double(double value) {
  if (!(value >= 0 && value < kTwo64)) return std::nullopt;
  return static_cast<uint64_t>(value);
}

std::optional<int64_t> int_of_text(std::string_view text) {
  if (text.starts_with("+") && !text.starts_with("+-")) text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<uint64_t> uint_of_text(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> double_of_text(std::string_view text) {
  for (const std::string_view nan : {"NaN", "nan"})
    if (text == nan) return std::numeric_limits<double>::quiet_NaN();
  for (const std::string_view infinite : {"Infinity", "+Infinity", "Inf", "+Inf", "inf", "+inf"})
    if (text == infinite) return std::numeric_limits<double>::infinity();
  for (const std::string_view infinite : {"-Infinity", "-Inf", "-inf"})
    if (text == infinite) return -std::numeric_limits<double>::infinity();
  if (text.starts_with("+") && !text.starts_with("+-")) text.remove_prefix(1);
  for (const char c : text)
    if ((c < '0' || c > '9') && c != '.' && c != 'e' && c != 'E' && c != '-' && c != '+')
      return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace penstock::rule
