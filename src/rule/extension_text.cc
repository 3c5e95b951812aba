// strings and encoders. Indexes count code points.

#include "rule/base64.h"
#include "rule/extension.h"
#include "rule/literal.h"
#include "rule/text_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace penstock::rule {

namespace {

using Args = std::span<const Value>;

constexpr std::string_view kSpaces[] = {
    "\t",     "\n",     "\v",     "\f",     "\r",     " ",      "\u0085", "\u00a0", "\u1680",
    "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
    "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};

bool begins_code_point(char c) { return (c & 0xC0) != 0x80; }

// Where code point `index` begins, in bytes; the text's size for the one behind the last.
size_t byte_of(std::string_view text, int64_t index) {
  size_t at = 0;
  for (; at < text.size(); at++) {
    if (!begins_code_point(text[at])) continue;
    if (index-- == 0) return at;
  }
  return at;
}

// The text as its evaluation pays for it; false: over budget.
bool walk(std::string_view text, Context& context) { return context.spend(text.size() / 16 + 1); }

Value char_at(Args args, Context& context) {
  const std::string_view text = args[0].text();
  const int64_t index = args[1].int64;
  if (!walk(text, context)) return context.error(kOverBudget);
  const int64_t size = count_code_points(text);
  if (index < 0 || index > size) return out_of_range(index, context);
  const size_t begin = byte_of(text, index);
  return Value::of_string(text.substr(begin, byte_of(text, index + 1) - begin));
}

Value index_of(Args args, Context& context) {
  const std::string_view text = args[0].text();
  if (!walk(text, context)) return context.error(kOverBudget);
  const int64_t from = args.size() == 3 ? args[2].int64 : 0;
  if (from < 0 || from > count_code_points(text)) return out_of_range(from, context);
  const size_t found = text.find(args[1].text(), byte_of(text, from));
  if (found == std::string_view::npos) return Value::of_int(-1);
  return Value::of_int(count_code_points(text.substr(0, found)));
}

Value last_index_of(Args args, Context& context) {
  const std::string_view text = args[0].text();
  if (!walk(text, context)) return context.error(kOverBudget);
  const int64_t size = count_code_points(text);
  const int64_t from = args.size() == 3 ? args[2].int64 : size;
  if (from < 0 || from > size) return out_of_range(from, context);
  const size_t found = text.rfind(args[1].text(), byte_of(text, from));
  if (found == std::string_view::npos) return Value::of_int(-1);
  return Value::of_int(count_code_points(text.substr(0, found)));
}

Value cased(std::string_view text, char first, char last, int by, Context& context) {
  std::string out(text);
  for (char& c : out)
    if (c >= first && c <= last) c = static_cast<char>(c + by);
  return new_text(out, context);
}
Value lower_ascii(Args args, Context& context) {
  return cased(args[0].text(), 'A', 'Z', 'a' - 'A', context);
}
Value upper_ascii(Args args, Context& context) {
  return cased(args[0].text(), 'a', 'z', 'A' - 'a', context);
}

// An empty text to look for stands between any two code points, and at both ends.
size_t next_match(std::string_view text, std::string_view part, size_t at, bool first) {
  if (!part.empty()) return text.find(part, at);
  if (first) return at;
  if (at >= text.size()) return std::string_view::npos;
  size_t next = at + 1;
  while (next < text.size() && !begins_code_point(text[next])) next++;
  return next;
}

Value replace(Args args, Context& context) {
  const std::string_view text = args[0].text(), part = args[1].text(), with = args[2].text();
  int64_t left = args.size() == 4 ? args[3].int64 : -1;
  std::string out;
  size_t copied = 0;
  size_t found = next_match(text, part, 0, true);
  while (left != 0 && found != std::string_view::npos) {
    if (!context.spend(1 + with.size() / 16)) return context.error(kOverBudget);
    out.append(text.substr(copied, found - copied)).append(with);
    copied = found + part.size();
    found = next_match(text, part, copied, false);
    left--;
  }
  out.append(text.substr(copied));
  return new_text(out, context);
}

Value split(Args args, Context& context) {
  std::string_view text = args[0].text();
  const std::string_view by = args[1].text();
  int64_t left = args.size() == 3 ? args[2].int64 : -1;
  std::vector<Value> parts;
  while (left != 0) {
    if (!context.spend(1)) return context.error(kOverBudget);
    const size_t at = by.empty() ? byte_of(text, 1) : text.find(by);
    const bool last =
        left == 1 || at == std::string_view::npos || (by.empty() && at >= text.size());
    if (last) {
      if (!(by.empty() && text.empty())) parts.push_back(Value::of_string(text));
      break;
    }
    parts.push_back(Value::of_string(text.substr(0, at)));
    text.remove_prefix(at + by.size());
    left--;
  }
  const std::span<Value> kept = context.arena.array<Value>(parts.size());
  std::ranges::copy(parts, kept.begin());
  return Value::of_list(kept);
}

Value substring(Args args, Context& context) {
  const std::string_view text = args[0].text();
  if (!walk(text, context)) return context.error(kOverBudget);
  const int64_t size = count_code_points(text);
  const int64_t begin = args[1].int64;
  const int64_t end = args.size() == 3 ? args[2].int64 : size;
  if (begin < 0 || begin > size) return out_of_range(begin, context);
  if (end < begin || end > size) return out_of_range(end, context);
  const size_t first = byte_of(text, begin);
  return Value::of_string(text.substr(first, byte_of(text, end) - first));
}

// Unicode's white space.
Value trim(Args args, Context& context) {
  std::string_view text = args[0].text();
  if (!walk(text, context)) return context.error(kOverBudget);
  const auto begins = [&](std::string_view space) { return text.starts_with(space); };
  const auto ends = [&](std::string_view space) { return text.ends_with(space); };
  for (auto at = std::begin(kSpaces);
       (at = std::ranges::find_if(kSpaces, begins)) != std::end(kSpaces);)
    text.remove_prefix(at->size());
  for (auto at = std::begin(kSpaces);
       (at = std::ranges::find_if(kSpaces, ends)) != std::end(kSpaces);)
    text.remove_suffix(at->size());
  return Value::of_string(text);
}

Value join(Args args, Context& context) {
  const std::string_view between = args.size() == 2 ? args[1].text() : "";
  std::string out;
  for (const Value& item : args[0].list()) {
    if (item.kind != ValueKind::string)
      return context.error(fmt::format("join takes strings, not a {}", type_name(item.kind)));
    if (!context.spend(1 + (item.size + between.size()) / 16)) return context.error(kOverBudget);
    if (&item != args[0].items) out += between;
    out += item.text();
  }
  return new_text(out, context);
}

Value quote(Args args, Context& context) {
  static constexpr std::string_view kFrom = "\a\b\f\n\r\t\v\\\"", kTo = "abfnrtv\\\"";
  std::string out = "\"";
  for (const char c : args[0].text()) {
    const size_t found = kFrom.find(c);
    if (found == std::string_view::npos) {
      out += c;
    } else {
      out += '\\';
      out += kTo[found];
    }
  }
  return new_text(out + "\"", context);
}

Value format(Args args, Context& context) {
  return format_text(args[0].text(), args[1].list(), context);
}

Value encode(Args args, Context& context) { return new_text(to_base64(args[0].text()), context); }

Value decode(Args args, Context& context) {
  std::string bytes;
  if (!from_base64(args[0].text(), bytes)) return context.error("the text is no base64");
  const Value made = new_text(bytes, context);
  return made.is_error() ? made : Value::of_bytes(made.text());
}

constexpr Extension of_text(std::string_view name, uint8_t least, uint8_t most,
                            std::array<Kinds, 4> takes, TypeKind result,
                            Value (*apply)(Args, Context&)) {
  return {.name = name,
          .member = true,
          .least = least,
          .most = most,
          .takes = takes,
          .result = result,
          .apply = apply};
}

}  // namespace

std::span<const Extension> text_extensions() {
  using enum TypeKind;
  static constexpr Extension kAll[] = {
      of_text("charAt", 2, 2, {kStringKind, kIntKind}, string, char_at),
      of_text("indexOf", 2, 3, {kStringKind, kStringKind, kIntKind}, int_, index_of),
      of_text("lastIndexOf", 2, 3, {kStringKind, kStringKind, kIntKind}, int_, last_index_of),
      of_text("lowerAscii", 1, 1, {kStringKind}, string, lower_ascii),
      of_text("upperAscii", 1, 1, {kStringKind}, string, upper_ascii),
      of_text("replace", 3, 4, {kStringKind, kStringKind, kStringKind, kIntKind}, string, replace),
      {.name = "split",
       .member = true,
       .least = 2,
       .most = 3,
       .takes = {kStringKind, kStringKind, kIntKind},
       .gives = Gives::texts,
       .apply = split},
      of_text("substring", 2, 3, {kStringKind, kIntKind}, string, substring),
      of_text("trim", 1, 1, {kStringKind}, string, trim),
      {.name = "join",
       .member = true,
       .least = 1,
       .most = 2,
       .takes = {kListKind, kStringKind},
       .result = string,
       .items = kStringKind,
       .apply = join},
      {.name = "format",
       .member = true,
       .least = 2,
       .most = 2,
       .takes = {kStringKind, kListKind},
       .result = string,
       .apply = format,
       .asks = Asks::clauses},
      {.name = "strings.quote", .takes = {kStringKind}, .result = string, .apply = quote},
      {.name = "base64.encode",
       .takes = {of_kind(TypeKind::bytes)},
       .result = string,
       .apply = encode},
      {.name = "base64.decode", .takes = {kStringKind}, .result = bytes, .apply = decode},
  };
  return kAll;
}

}  // namespace penstock::rule
