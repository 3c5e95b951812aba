#include "log/kafka/offset_text.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace penstock::log::kafka {
namespace {

constexpr std::string_view kMark = "penstock=1";
constexpr std::string_view kAll = "*";

flow::Fates sums_of(const flow::Fates& fates) {
  flow::Fates sums;
  sums.in = fates.in;
  sums.dead = fates.dead;
  sums.absorbed = fates.absorbed;
  if (!fates.out.empty()) sums.out.add(kAll, fates.out.total());
  if (!fates.dropped.empty()) sums.dropped.add(kAll, fates.dropped.total());
  if (!fates.copied.empty()) sums.copied.add(kAll, fates.copied.total());
  return sums;
}

std::string line(const flow::Fates& fates, std::string_view lineage, Term term, bool sums) {
  return fmt::format("{} term={}{}{}{} {}", kMark, term.value,
                     lineage.empty() ? "" : " lineage=", lineage, sums ? " sums=1" : "",
                     flow::to_text(fates));
}

// Takes `word` from the front, with the space behind it.
bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

std::optional<std::string_view> take_value(std::string_view& text, std::string_view name) {
  std::string_view rest = text;
  if (!take(rest, name)) return std::nullopt;
  const size_t space = rest.find(' ');
  if (space == rest.npos) return std::nullopt;
  const std::string_view value = rest.substr(0, space);
  text = rest.substr(space + 1);
  return value;
}

template <class T>
bool parse_all(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string metadata_text(const flow::Fates& fates, std::string_view lineage, Term term) {
  std::string text = line(fates, lineage, term, false);
  if (text.size() <= kMaxMetadataBytes) return text;
  return line(sums_of(fates), lineage, term, true);
}

std::optional<OffsetText> offset_from_text(std::string_view text) {
  OffsetText got;
  if (!take(text, kMark) || !take(text, " ")) return std::nullopt;
  const auto term = take_value(text, "term=");
  if (!term || !parse_all(*term, got.term.value)) return std::nullopt;
  if (const auto lineage = take_value(text, "lineage=")) got.lineage = *lineage;
  if (const auto sums = take_value(text, "sums=")) {
    if (*sums != "1") return std::nullopt;
    got.sums_only = true;
  }
  auto fates = flow::fates_from_text(text);
  if (!fates) return std::nullopt;
  got.fates = std::move(*fates);
  return got;
}

std::string position_key(std::string_view group, std::string_view input, int32_t partition) {
  return fmt::format("{}\t{}\t{}", partition, group, input);
}

std::string position_value(Offset next, const flow::Fates& fates, std::string_view lineage,
                           Term term) {
  return fmt::format("next={} {}", next.value, line(fates, lineage, term, false));
}

std::optional<PositionRow> position_from_value(std::string_view value) {
  PositionRow row;
  const auto next = take_value(value, "next=");
  if (!next || !parse_all(*next, row.next.value) || row.next.value < 0) return std::nullopt;
  auto text = offset_from_text(value);
  if (!text || text->sums_only) return std::nullopt;
  row.text = std::move(*text);
  return row;
}

}  // namespace penstock::log::kafka
