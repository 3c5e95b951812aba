#include "base/error.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace penstock {
namespace {

constexpr auto kCatalogue = std::to_array<CatalogueEntry>({
#define PENSTOCK_ERROR(code, cls, title, cause, cure) {#code, ErrorClass::cls, title, cause, cure},
#include "base/catalogue.def"
#undef PENSTOCK_ERROR
});

consteval const CatalogueEntry& line_of(std::string_view name) {
  return *std::ranges::find(kCatalogue, name, &CatalogueEntry::name);
}

}  // namespace

template <CodeName Name>
const CatalogueEntry Listed<Name>::entry = line_of({Name.text, 4});

#define PENSTOCK_ERROR(code, cls, title, cause, cure) template struct Listed<#code>;
#include "base/catalogue.def"
#undef PENSTOCK_ERROR

namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

// How many bytes the character at the begin of `text` has; 0 when they are no UTF-8.
size_t character_bytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || bytes > text.size()) return 0;
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool beyond = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
  return overlong || beyond ? 0 : bytes;
}

// A line as a terminal shows it: tabs and control characters are a blank, bytes that are no text
// are \xNN. `columns_before` and `columns_marked` say where the carets stand under it.
struct Shown {
  std::string text;
  size_t columns_before = 0;
  size_t columns_marked = 0;
};

Shown show(std::string_view line, size_t mark_begin, size_t mark_end) {
  Shown shown;
  for (size_t at = 0; at < line.size();) {
    const size_t bytes = character_bytes(line.substr(at));
    const auto first = static_cast<unsigned char>(line[at]);
    if (bytes == 0) {
      shown.text += fmt::format("\\x{:02x}", first);
    } else if (first < 0x20 || first == 0x7f || (first == 0xc2 && line[at + 1] < '\xa0')) {
      shown.text += ' ';
    } else {
      shown.text += line.substr(at, bytes);
    }
    const size_t columns = bytes == 0 ? 4 : 1;
    if (at < mark_begin) {
      shown.columns_before += columns;
    } else if (at < mark_end) {
      shown.columns_marked += columns;
    }
    at += std::max<size_t>(bytes, 1);
  }
  return shown;
}

// The nearest begin of a character at or before `at`.
size_t character_begin(std::string_view line, size_t at) {
  size_t begin = std::min(at, line.size());
  while (begin > 0 && begin < line.size() && at - begin < 3 &&
         (static_cast<unsigned char>(line[begin]) & 0xc0) == 0x80) {
    --begin;
  }
  return begin;
}

constexpr size_t kMaxShownLine = 160;

std::string caret_lines(const Error& error) {
  const Place& place = error.place;
  std::string head = fmt::format("  {}:{}:{}", place.file, place.line, place.column);
  if (place.source_line.empty())
    return head + "\n" + (error.note.empty() ? "" : "  " + error.note + "\n");
  // A very long line is shown from shortly before the place on.
  const std::string_view whole = place.source_line;
  const size_t start = character_begin(whole, place.column > 100 ? place.column - 60 : 0);
  const size_t end = character_begin(whole, start + kMaxShownLine);
  const std::string_view line = whole.substr(start, end - start);
  const size_t offset = std::min<size_t>(place.column - 1 - start, line.size());
  const size_t width = std::min<size_t>(std::max<uint32_t>(place.width, 1), kMaxShownLine);
  const Shown shown = show(line, offset, offset + width);
  std::string out = fmt::format("{:<22} | {}\n", head, shown.text);
  out += fmt::format("{:<22} | {}{}", "", std::string(shown.columns_before, ' '),
                     std::string(std::max<size_t>(shown.columns_marked, 1), '^'));
  if (!error.note.empty()) out += " " + error.note;
  return out + "\n";
}

// What a terminal could take for a command of its own does not reach it: names come from files.
std::string shown_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out += show(text.substr(0, end), 0, 0).text;
    if (end == text.size()) break;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

const CatalogueEntry& catalogue_entry(Code code) {
  PENSTOCK_CHECK(code.entry() != nullptr);
  return *code.entry();
}

const CatalogueEntry* find_catalogue_entry(std::string_view name) {
  const auto* found = std::ranges::find_if(
      kCatalogue, [&](const auto& entry) { return same_name(entry.name, name); });
  return found == kCatalogue.end() ? nullptr : found;
}

std::string render(const Error& error, std::string_view severity) {
  const CatalogueEntry& entry = catalogue_entry(error.code);
  std::string out = fmt::format("{}[{}] {}\n", severity, entry.name, error.message);
  if (error.place.line > 0) {
    out += caret_lines(error);
  } else if (!error.note.empty()) {
    out += "  " + error.note + "\n";
  }
  out += fmt::format("  cause: {}\n",
                     error.cause.empty() ? entry.cause : std::string_view(error.cause));
  out += fmt::format("  cure:  {}; more: penstock explain {}\n",
                     error.cure.empty() ? entry.cure : std::string_view(error.cure), entry.name);
  return shown_lines(out);
}

std::string one_line(const Error& error) {
  const std::string_view name = catalogue_entry(error.code).name;
  if (error.place.line == 0) return shown_lines(fmt::format("{} {}", name, error.message));
  return shown_lines(fmt::format("{} {}:{}:{}: {}", name, error.place.file, error.place.line,
                                 error.place.column, error.message));
}

int exit_code(const Error& error) {
  switch (catalogue_entry(error.code).cls) {
    case ErrorClass::usage:
      return 64;
    case ErrorClass::unreachable:
      return 69;
    case ErrorClass::pipeline:
      return 78;
    case ErrorClass::failed:
    case ErrorClass::data:
      return 1;
  }
  return 1;
}

}  // namespace penstock
