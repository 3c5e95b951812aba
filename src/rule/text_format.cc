#include "rule/text_format.h"

#include "rule/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penstock::rule {

namespace {

using Text = std::expected<std::string, std::string>;  // else what is wrong

constexpr int kDigits = 6;
constexpr int kMostDigits = 100;

std::unexpected<std::string> refuses(char clause, const Value& value) {
  return std::unexpected(fmt::format("%{} does not take a {}", clause, type_name(value.kind)));
}

std::string no_clause(char kind) { return fmt::format("there is no clause %{}", kind); }

std::string special(double value) {
  if (std::isnan(value)) return "NaN";
  return value > 0 ? "Infinity" : "-Infinity";
}

// The shortest digits that read back, never with an exponent.
std::string shortest(double value) {
  if (!std::isfinite(value)) return special(value);
  const std::string text = fmt::format("{}", std::fabs(value));
  const std::string sign = std::signbit(value) ? "-" : "";
  const size_t e = text.find('e');
  if (e == std::string::npos) return sign + text;
  const int exponent = std::stoi(text.substr(e + 1));
  std::string digits = text.substr(0, e);
  if (digits.size() > 1) digits.erase(1, 1);  // the point
  const auto count = static_cast<int>(digits.size());
  if (exponent < 0)
    return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  if (exponent >= count)
    return sign + digits + std::string(static_cast<size_t>(exponent + 1 - count), '0');
  return sign + digits.substr(0, static_cast<size_t>(exponent) + 1) + "." +
         digits.substr(static_cast<size_t>(exponent) + 1);
}

class Formatter {
 public:
  explicit Formatter(Context& context) : context_(context) {}

  // What a whole text becomes; false: over budget.
  bool plain(const Value& value, std::string& out) {
    if (!context_.spend(1 + out.size() / 4096)) return false;
    switch (value.kind) {
      case ValueKind::list:
        return list(value, out);
      case ValueKind::map:
        return map(value, out);
      case ValueKind::optional:
        out += value.size == 0 ? "optional.none()" : "optional(";
        if (value.size == 0) return true;
        if (!plain(*value.content(), out)) return false;
        out += ')';
        return true;
      default:
        out += scalar(value);
        return true;
    }
  }

  Text clause(char kind, int digits, const Value& value) {
    switch (kind) {
      case 's': {
        std::string out;
        if (!plain(value, out)) return std::unexpected(std::string(kOverBudget));
        return out;
      }
      case 'd':
        return whole(value);
      case 'f':
      case 'e':
        return real(kind, digits, value);
      case 'b':
        if (value.kind == ValueKind::bool_) return std::string(value.boolean ? "1" : "0");
        return in_base('b', value);
      case 'o':
        return in_base('o', value);
      case 'x':
      case 'X':
        return hex(kind, value);
      default:
        return std::unexpected(no_clause(kind));
    }
  }

 private:
  std::string scalar(const Value& value) {
    switch (value.kind) {
      case ValueKind::string:
      case ValueKind::bytes:
      case ValueKind::type:
        return std::string(value.text());
      case ValueKind::uint_:
        return fmt::format("{}", value.uint64);
      case ValueKind::double_:
        return shortest(value.float64);
      case ValueKind::timestamp:
        return format_time(value.time());
      case ValueKind::duration:
        return format_duration(value.int64);
      default:
        return show(value);
    }
  }

  bool list(const Value& value, std::string& out) {
    out += '[';
    for (const Value& item : value.list()) {
      if (&item != value.items) out += ", ";
      if (!plain(item, out)) return false;
    }
    out += ']';
    return true;
  }

  // In the order of the keys' texts.
  bool map(const Value& value, std::string& out) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (const Entry& entry : value.entries->entries) {
      auto& [key, text] = entries.emplace_back();
      if (!plain(entry.key, key) || !plain(entry.value, text)) return false;
    }
    std::ranges::sort(entries);
    out += '{';
    for (const auto& [key, text] : entries)
      out += fmt::format(
          "{}{}: {}", out.ends_with('{') && &key == &entries.front().first ? "" : ", ", key, text);
    out += '}';
    return true;
  }

  Text whole(const Value& value) {
    if (value.kind == ValueKind::int_) return fmt::format("{}", value.int64);
    if (value.kind == ValueKind::uint_) return fmt::format("{}", value.uint64);
    if (value.kind == ValueKind::double_ && !std::isfinite(value.float64))
      return special(value.float64);
    return refuses('d', value);
  }

  Text real(char kind, int digits, const Value& value) {
    double number = value.float64;
    if (value.kind == ValueKind::int_) {
      number = static_cast<double>(value.int64);
    } else if (value.kind == ValueKind::uint_) {
      number = static_cast<double>(value.uint64);
    } else if (value.kind != ValueKind::double_) {
      return refuses(kind, value);
    }
    if (!std::isfinite(number)) return special(number);
    return kind == 'f' ? fmt::format("{:.{}f}", number, digits)
                       : fmt::format("{:.{}e}", number, digits);
  }

  static Text in_base(char base, const Value& value) {
    uint64_t number = value.uint64;
    const bool negative = value.kind == ValueKind::int_ && value.int64 < 0;
    if (negative) number = 0 - number;
    if (value.kind != ValueKind::int_ && value.kind != ValueKind::uint_)
      return refuses(base, value);
    const std::string digits = base == 'b'   ? fmt::format("{:b}", number)
                               : base == 'o' ? fmt::format("{:o}", number)
                               : base == 'x' ? fmt::format("{:x}", number)
                                             : fmt::format("{:X}", number);
    return (negative ? "-" : "") + digits;
  }

  static Text hex(char kind, const Value& value) {
    if (value.kind != ValueKind::string && value.kind != ValueKind::bytes)
      return in_base(kind, value);
    std::string out;
    for (const char c : value.text()) {
      const auto byte = static_cast<unsigned char>(c);
      out += kind == 'x' ? fmt::format("{:02x}", byte) : fmt::format("{:02X}", byte);
    }
    return out;
  }

  Context& context_;
};

struct Clause {
  char kind;
  int digits;
};

// The figure of "%.3f" at `at`, behind its %; -1: none that is allowed.
int digits_at(std::string_view format, size_t& at) {
  if (at >= format.size() || format[at] != '.') return kDigits;
  int digits = 0;
  const size_t first = ++at;
  for (; at < format.size() && format[at] >= '0' && format[at] <= '9'; ++at) {
    digits = digits * 10 + (format[at] - '0');
    if (digits > kMostDigits) return -1;
  }
  return at == first ? -1 : digits;
}

// Moves `at` behind the next clause, and what stands before it to `out`; nothing at the end.
std::expected<std::optional<Clause>, std::string> next_clause(std::string_view format, size_t& at,
                                                              std::string& out) {
  for (; at < format.size(); ++at) {
    if (format[at] != '%') {
      out += format[at];
      continue;
    }
    if (++at < format.size() && format[at] == '%') {
      out += '%';
      continue;
    }
    const int digits = digits_at(format, at);
    if (at >= format.size()) return std::unexpected(std::string("the format ends inside a clause"));
    if (digits < 0)
      return std::unexpected(fmt::format("a clause has 0 to {} digits, as %.3f", kMostDigits));
    return Clause{format[at++], digits};
  }
  return std::nullopt;
}

}  // namespace

Value format_text(std::string_view format, std::span<const Value> items, Context& context) {
  Formatter formatter(context);
  std::string out;
  size_t next = 0;
  for (size_t at = 0;;) {
    const auto clause = next_clause(format, at, out);
    if (!clause) return context.error(clause.error());
    if (!*clause) return new_text(out, context);
    if (next == items.size()) return context.error(fmt::format("index out of range: {}", next));
    const Text text = formatter.clause((*clause)->kind, (*clause)->digits, items[next++]);
    if (!text) return context.error(text.error());
    if (!context.spend(text->size() / 16)) return context.error(kOverBudget);
    out += *text;
  }
}

std::expected<std::string, std::string> clauses_of(std::string_view format) {
  std::string clauses, between;
  for (size_t at = 0;;) {
    const auto clause = next_clause(format, at, between);
    if (!clause) return std::unexpected(clause.error());
    if (!*clause) return clauses;
    if (taken_by((*clause)->kind) == 0) return std::unexpected(no_clause((*clause)->kind));
    clauses += (*clause)->kind;
  }
}

Kinds taken_by(char clause) {
  switch (clause) {
    case 's':
      return kAnyKind;
    case 'f':
    case 'e':
      return kNumberKind;
    case 'b':
      return kWholeKind | of_kind(TypeKind::bool_);
    case 'd':
    case 'o':
      return kWholeKind;
    case 'x':
    case 'X':
      return kWholeKind | kStringKind | of_kind(TypeKind::bytes);
    default:
      return 0;
  }
}

}  // namespace penstock::rule
