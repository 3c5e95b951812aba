#include "store/dynamodb/number.h"

#include "avro/logical_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace penstock::store::dynamodb {
namespace {

constexpr double kSmallest = 1e-130;
constexpr double kTooLarge = 1e126;
constexpr size_t kDigitsMax = 38;

size_t fraction_digits(avro::Logical logical) {
  using avro::Logical;
  switch (logical) {
    case Logical::time_millis:
    case Logical::timestamp_millis:
    case Logical::local_timestamp_millis:
      return 3;
    case Logical::time_micros:
    case Logical::timestamp_micros:
    case Logical::local_timestamp_micros:
      return 6;
    case Logical::timestamp_nanos:
    case Logical::local_timestamp_nanos:
      return 9;
    default:
      return 0;
  }
}

// The text has as many digits as it needs: all of one unit get the same number.
void pad_fraction(size_t digits, size_t from, std::string& text) {
  if (digits == 0) return;
  const bool zone = text.back() == 'Z';
  if (zone) text.pop_back();
  size_t point = text.find('.', from);
  if (point == std::string::npos) {
    point = text.size();
    text += '.';
  }
  text.append(point + 1 + digits - text.size(), '0');
  if (zone) text += 'Z';
}

void append_number(std::string_view text, std::string& out, size_t& size) {
  out += R"({"N":")";
  out += text;
  out += "\"}";
  size += number_size(text);
}

}  // namespace

size_t number_size(std::string_view text) {
  const std::string_view mantissa = text.substr(0, text.find_first_of("eE"));
  const auto digits = static_cast<size_t>(
      std::count_if(mantissa.begin(), mantissa.end(), [](char c) { return c >= '0' && c <= '9'; }));
  return (digits + 1) / 2 + 1 + (text.starts_with('-') ? 1 : 0);
}

bool append_whole(const avro::Node& type, int64_t value, std::string& out, size_t& size,
                  Refusal& refusal) {
  if (!avro::is_time(type.logical)) {
    append_number(fmt::format_int(value).str(), out, size);
    return true;
  }
  out += R"({"S":")";
  const size_t start = out.size();
  if (!avro::append_logical_time(type.logical, value, out)) {
    refusal = {"store.out_of_range", fmt::format("is no time that can be written: {}", value)};
    return false;
  }
  pad_fraction(fraction_digits(type.logical), start, out);
  size += out.size() - start;
  out += "\"}";
  return true;
}

bool append_real(double value, bool is_float, std::string& out, size_t& size, Refusal& refusal) {
  if (!std::isfinite(value)) {
    refusal = {"store.not_a_number", "is no number that DynamoDB has"};
    return false;
  }
  const double amount = std::fabs(value);
  if (amount != 0 && (amount < kSmallest || amount >= kTooLarge)) {
    refusal = {"store.out_of_range", fmt::format("is out of DynamoDB's range: {}", value)};
    return false;
  }
  char text[40];
  const double shown = value == 0 ? 0.0 : value;  // there is no -0
  const auto end = is_float ? fmt::format_to_n(text, sizeof text, "{}", static_cast<float>(shown))
                            : fmt::format_to_n(text, sizeof text, "{}", shown);
  append_number({text, end.size}, out, size);
  return true;
}

bool append_decimal_number(ByteView unscaled, uint32_t scale, std::string& out, size_t& size,
                           Refusal& refusal) {
  std::string text;
  const bool written = avro::append_decimal(unscaled, scale, text);
  const size_t first = text.find_first_of("123456789");
  size_t digits = 0;
  for (size_t i = std::min(first, text.size()); i < text.size(); ++i) {
    digits += text[i] != '.' ? 1 : 0;
  }
  if (!written || digits > kDigitsMax || scale > 120) {
    refusal = {"store.too_large", fmt::format("has more than {} digits", kDigitsMax)};
    return false;
  }
  append_number(text, out, size);
  return true;
}

}  // namespace penstock::store::dynamodb
