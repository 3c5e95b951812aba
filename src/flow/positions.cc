#include "flow/positions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace penstock::flow {
namespace {

auto lower_bound(auto& entries, Partition partition) {
  return std::lower_bound(entries.begin(), entries.end(), partition,
                          [](const auto& entry, Partition p) { return entry.first < p; });
}

void append_counts(std::string& out, std::string_view prefix, const NamedCounts& counts) {
  for (const auto& [name, count] : counts) {
    out += prefix;
    for (const char c : name) {
      if (c > ' ' && c < 0x7f && c != '=' && c != '%') {
        out += c;
      } else {
        fmt::format_to(std::back_inserter(out), "%{:02x}", static_cast<unsigned char>(c));
      }
    }
    fmt::format_to(std::back_inserter(out), "={}", count);
  }
}

template <class T>
bool parse_all(std::string_view text, T& value, int base = 10) {
  const auto end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, base);
  return error == std::errc() && at == end && !text.empty();
}

// Undoes the escapes of append_counts; nullopt for bytes that it does not write.
std::optional<std::string> unescape(std::string_view text) {
  std::string name;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] <= ' ' || text[i] >= 0x7f) return std::nullopt;
    if (text[i] != '%') {
      name += text[i];
      continue;
    }
    uint8_t byte = 0;
    if (i + 3 > text.size() || !parse_all(text.substr(i + 1, 2), byte, 16)) return std::nullopt;
    name += static_cast<char>(byte);
    i += 2;
  }
  return name;
}

bool has(const NamedCounts& counts, std::string_view name) {
  return std::any_of(counts.begin(), counts.end(), [&](const auto& e) { return e.first == name; });
}

struct ParsedFates {
  Fates fates;
  bool in = false, dead = false, absorbed = false;

  static bool once(bool& seen, uint64_t& field, uint64_t count) {
    field = count;
    return !std::exchange(seen, true);
  }

  bool take_named(std::string_view word, uint64_t count) {
    const std::pair<std::string_view, NamedCounts*> kinds[] = {
        {"out.", &fates.out}, {"drop.", &fates.dropped}, {"copy.", &fates.copied}};
    for (const auto& [prefix, counts] : kinds) {
      if (!word.starts_with(prefix)) continue;
      const auto name = unescape(word.substr(prefix.size()));
      if (!name || has(*counts, *name)) return false;
      counts->add(*name, count);
      return true;
    }
    return false;
  }

  bool take(std::string_view word) {
    const size_t equals = word.find('=');
    uint64_t count = 0;
    if (equals == word.npos || !parse_all(word.substr(equals + 1), count)) return false;
    word = word.substr(0, equals);
    if (word == "in") return once(in, fates.in, count);
    if (word == "dead") return once(dead, fates.dead, count);
    if (word == "absorbed") return once(absorbed, fates.absorbed, count);
    return take_named(word, count);
  }
};

}  // namespace

std::optional<Offset> Positions::find(Partition partition) const {
  const auto it = lower_bound(entries_, partition);
  if (it == entries_.end() || it->first != partition) return std::nullopt;
  return it->second;
}

void Positions::set(Partition partition, Offset next) {
  const auto it = lower_bound(entries_, partition);
  if (it != entries_.end() && it->first == partition) {
    it->second = next;
  } else {
    entries_.insert(it, {partition, next});
  }
}

void Positions::erase(Partition partition) {
  const auto it = lower_bound(entries_, partition);
  if (it != entries_.end() && it->first == partition) entries_.erase(it);
}

void NamedCounts::add(std::string_view name, uint64_t count) {
  for (auto& [known, sum] : counts_) {
    if (known == name) {
      sum += count;
      return;
    }
  }
  counts_.emplace_back(name, count);
}

uint64_t NamedCounts::of(std::string_view name) const {
  for (const auto& [known, sum] : counts_) {
    if (known == name) return sum;
  }
  return 0;
}

uint64_t NamedCounts::total() const {
  uint64_t sum = 0;
  for (const auto& entry : counts_) sum += entry.second;
  return sum;
}

void Fates::add(const Fates& more) {
  in += more.in;
  for (const auto& [name, count] : more.out) out.add(name, count);
  for (const auto& [name, count] : more.dropped) dropped.add(name, count);
  dead += more.dead;
  absorbed += more.absorbed;
  for (const auto& [name, count] : more.copied) copied.add(name, count);
}

std::string to_text(const Fates& fates) {
  std::string out = fmt::format("in={}", fates.in);
  if (fates.dead != 0) fmt::format_to(std::back_inserter(out), " dead={}", fates.dead);
  if (fates.absorbed != 0) fmt::format_to(std::back_inserter(out), " absorbed={}", fates.absorbed);
  append_counts(out, " out.", fates.out);
  append_counts(out, " drop.", fates.dropped);
  append_counts(out, " copy.", fates.copied);
  return out;
}

std::optional<Fates> fates_from_text(std::string_view text) {
  ParsedFates parsed;
  while (true) {
    const size_t space = text.find(' ');
    if (!parsed.take(text.substr(0, space))) return std::nullopt;
    if (space == text.npos) break;
    text.remove_prefix(space + 1);
  }
  if (!parsed.in) return std::nullopt;
  return std::move(parsed.fates);
}

}  // namespace penstock::flow
