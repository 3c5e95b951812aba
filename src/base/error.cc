#include "base/error.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace penstock {
namespace {

constexpr auto kCatalogue = std::to_array<CatalogueEntry>({
#define PENSTOCK_ERROR(code, cls, title, cause, cure) \
  {#code, ErrorClass::cls, title, cause, cure},
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

// Bytes of `line` as a terminal shows them: tabs become one blank, so that carets stand under their
// text.
std::string shown(std::string_view line) {
  std::string text(line);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

// Columns count bytes; a caret stands under a character. Continuation bytes of UTF-8 take no
// column.
size_t display_width(std::string_view bytes) {
  return static_cast<size_t>(std::ranges::count_if(
      bytes, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

constexpr size_t kMaxShownLine = 160;

std::string caret_lines(const Error& error) {
  const Place& place = error.place;
  std::string head = fmt::format("  {}:{}:{}", place.file, place.line, place.column);
  if (place.source_line.empty())
    return head + "\n" + (error.note.empty() ? "" : "  " + error.note + "\n");
  // A very long line is shown from shortly before the place on.
  size_t start = place.column > 100 ? place.column - 60 : 0;
  start = std::min(start, place.source_line.size());
  std::string_view line = std::string_view(place.source_line).substr(start, kMaxShownLine);
  const size_t offset = std::min<size_t>(place.column - 1 - start, line.size());
  const size_t width = std::min<size_t>(std::max<uint32_t>(place.width, 1), kMaxShownLine);
  std::string out = fmt::format("{:<22} | {}\n", head, shown(line));
  out +=
      fmt::format("{:<22} | {}{}", "", std::string(display_width(line.substr(0, offset)), ' '),
                  std::string(std::max<size_t>(display_width(line.substr(offset, width)), 1), '^'));
  if (!error.note.empty()) out += " " + error.note;
  return out + "\n";
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
  return out;
}

std::string one_line(const Error& error) {
  const std::string_view name = catalogue_entry(error.code).name;
  if (error.place.line == 0) return fmt::format("{} {}", name, error.message);
  return fmt::format("{} {}:{}:{}: {}", name, error.place.file, error.place.line,
                     error.place.column, error.message);
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
