// Named time zones as TZif bytes (RFC 8536) that a function from above gives, asked once per thread
// and zone.

#include "rule/zone.h"

#include "rule/time.h"

#include <atomic>
#include <cctype>
#include <map>
#include <string>
#include <vector>

namespace penstock::rule {

namespace {

struct Zone {
  bool known = false;
  std::vector<int64_t> since;    // seconds, ascending
  std::vector<int32_t> offsets;  // seconds east of UTC from since[i] on
  int32_t first_offset = 0;
  bool ends_in_rule =
      false;  // daylight saving goes on after the last change by a rule that is not read here
};

constexpr size_t kZonesKept = 64;
constexpr int64_t kFileBytesMax = 1 << 20;

std::atomic<ZoneFiles> zone_files = nullptr;

bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.find("..") != std::string_view::npos) return false;
  if (!std::isalpha(static_cast<unsigned char>(name[0]))) return false;
  for (const char c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '/' && c != '_' && c != '-' &&
        c != '+')
      return false;
  return true;
}

int64_t big_endian(const std::string& bytes, size_t at, size_t width) {
  uint64_t value = (static_cast<unsigned char>(bytes[at]) & 0x80U) != 0 ? ~uint64_t{0} : 0;
  for (size_t i = 0; i < width; i++) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return static_cast<int64_t>(value);
}

struct Counts {
  size_t is_ut, is_std, leap, times, types, chars;
};

constexpr size_t kHeaderBytes = 44;

bool read_counts(const std::string& bytes, size_t at, Counts& counts) {
  if (at + kHeaderBytes > bytes.size() || bytes.compare(at, 4, "TZif") != 0) return false;
  size_t* const fields[] = {&counts.is_ut, &counts.is_std, &counts.leap,
                            &counts.times, &counts.types,  &counts.chars};
  for (size_t i = 0; i < 6; i++) {
    const int64_t count = big_endian(bytes, at + 20 + i * 4, 4);
    if (count < 0 || count > kFileBytesMax) return false;
    *fields[i] = static_cast<size_t>(count);
  }
  return true;
}

size_t body_bytes(const Counts& c, size_t width) {
  return c.times * width + c.times + c.types * 6 + c.chars + c.leap * (width + 4) + c.is_std +
         c.is_ut;
}

Zone read_zone(std::string_view name) {
  Zone zone;
  const ZoneFiles files = zone_files.load(std::memory_order_relaxed);
  const std::string bytes = files == nullptr ? "" : files(name);
  if (bytes.size() > kFileBytesMax) return zone;
  Counts counts{};
  if (!read_counts(bytes, 0, counts) || bytes[4] < '2') return zone;
  size_t at = kHeaderBytes + body_bytes(counts, 4);  // the second block has 64-bit times
  if (!read_counts(bytes, at, counts)) return zone;
  at += kHeaderBytes;
  const size_t end = at + body_bytes(counts, 8);
  if (end > bytes.size() || counts.types == 0) return zone;
  const size_t types = at + counts.times * 9;
  zone.first_offset = static_cast<int32_t>(big_endian(bytes, types, 4));
  for (size_t i = 0; i < counts.times; i++) {
    const size_t type = static_cast<unsigned char>(bytes[at + counts.times * 8 + i]);
    if (type >= counts.types) return zone;
    zone.since.push_back(big_endian(bytes, at + i * 8, 8));
    zone.offsets.push_back(static_cast<int32_t>(big_endian(bytes, types + type * 6, 4)));
  }
  zone.ends_in_rule = bytes.find(',', end) != std::string::npos;
  zone.known = true;
  return zone;
}

const Zone& zone_named(std::string_view name) {
  thread_local std::map<std::string, Zone, std::less<>> zones;
  const auto found = zones.find(name);
  if (found != zones.end()) return found->second;
  if (zones.size() >= kZonesKept) zones.clear();
  return zones.emplace(name, is_zone_name(name) ? read_zone(name) : Zone{}).first->second;
}

std::optional<int64_t> fixed_offset(std::string_view zone) {
  const bool negative = zone.starts_with('-');
  if (negative || zone.starts_with('+')) zone.remove_prefix(1);
  if (zone.size() != 5 || zone[2] != ':') return std::nullopt;
  for (const size_t at : {0U, 1U, 3U, 4U})
    if (zone[at] < '0' || zone[at] > '9') return std::nullopt;
  const int64_t hours = (zone[0] - '0') * 10 + zone[1] - '0';
  const int64_t minutes = (zone[3] - '0') * 10 + zone[4] - '0';
  if (hours > 23 || minutes > 59) return std::nullopt;
  return (negative ? -1 : 1) * (hours * 3600 + minutes * 60);
}

}  // namespace

void set_zone_files(ZoneFiles files) { zone_files.store(files, std::memory_order_relaxed); }

std::optional<int64_t> zone_offset(std::string_view zone, Time t) {
  if (zone.empty() || zone == "UTC" || zone == "Z") return 0;
  if (const auto offset = fixed_offset(zone)) return offset;
  const Zone& named = zone_named(zone);
  if (!named.known) return std::nullopt;
  if (named.since.empty()) {
    if (named.ends_in_rule) return std::nullopt;
    return named.first_offset;
  }
  if (t.seconds < named.since.front()) return named.first_offset;
  size_t low = 0;
  for (size_t step = named.since.size(); step > 0; step /= 2)
    while (low + step < named.since.size() && named.since[low + step] <= t.seconds) low += step;
  if (low + 1 == named.since.size() && named.ends_in_rule) return std::nullopt;
  return named.offsets[low];
}

}  // namespace penstock::rule
