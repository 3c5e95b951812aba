// What a window writes at the end of an epoch, and how it is read back. One row per chunk, "c" and
// the chunk's number as 16 hex digits: entries of 24 bytes, hash (low, high) and event time in
// milliseconds, little-endian. One row "clock": numbers in decimal.
#include "base/check.h"
#include "step/seen_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <iterator>
#include <utility>

namespace penstock::step {
namespace {

constexpr std::string_view kClockKey = "clock";
constexpr int kHex = 16;
constexpr uint64_t kTier = 8;              // so many small chunks become one
constexpr uint64_t kSmallEntries = 2'048;  // from here on a chunk stays as it is
constexpr uint64_t kSamples = 64;          // that say how much is still needed
constexpr uint64_t kLimitSamples = 1'024;  // that say what has to leave
constexpr uint64_t kLookPerEntry = 8;      // entries looked through for each that came

int size_class(uint64_t entries) { return static_cast<int>(std::bit_width(entries) - 1) / 3; }

std::string_view row_key(uint64_t sequence, Arena& arena) {
  const auto key = arena.array<char>(1 + kHex);
  fmt::format_to(key.data(), "c{:016x}", sequence);
  return {key.data(), key.size()};
}

std::optional<uint64_t> sequence_of(std::string_view key) {
  uint64_t sequence = 0;
  if (key.size() != 1 + kHex || key[0] != 'c') return std::nullopt;
  const auto [end, error] = std::from_chars(key.data() + 1, key.data() + key.size(), sequence, 16);
  if (error != std::errc() || end != key.data() + key.size()) return std::nullopt;
  return sequence;
}

std::string clock_text(const SeenClock& clock, int64_t within) {
  const int64_t general = clock.senders == 2 ? clock.reclaim_horizon(within) : clock.floor;
  const int64_t lone = clock.horizon(clock.lone_sender, within);
  return fmt::format("1 {} {} {} {} {} {} {} {} {}", clock.senders, clock.first_sender,
                     clock.first_at, clock.second_sender, clock.second_at, general,
                     clock.lone_sender, lone, clock.early);
}

template <class T>
bool read_number(std::string_view& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (text.starts_with(' ')) text.remove_prefix(1);
  return true;
}

std::optional<SeenClock> clock_from(std::string_view text) {
  SeenClock clock;
  uint64_t format = 0;
  const bool whole = read_number(text, format) && read_number(text, clock.senders) &&
                     read_number(text, clock.first_sender) && read_number(text, clock.first_at) &&
                     read_number(text, clock.second_sender) && read_number(text, clock.second_at) &&
                     read_number(text, clock.floor) && read_number(text, clock.lone_sender) &&
                     read_number(text, clock.lone_floor) && read_number(text, clock.early);
  if (!whole || !text.empty() || format != 1 || clock.senders > 2) return std::nullopt;
  return clock;
}

Failure unreadable(std::string_view key) {
  return fail("E003"_code, fmt::format("the row \"{}\" of what was seen cannot be read", key));
}

}  // namespace

// ---- reading

Result<void> SeenWindow::restore_chunk(uint64_t sequence, std::string_view bytes) {
  const uint64_t count = bytes.size() / sizeof(Entry);
  if (bytes.empty() || bytes.size() % sizeof(Entry) != 0 || sequence < next_sequence_) {
    return fail("E003"_code,
                fmt::format("chunk {} of what was seen has {} bytes", sequence, bytes.size()));
  }
  Chunk chunk{sequence, tail_, tail_ + count, INT64_MIN};
  for (uint64_t i = 0; i < count; ++i) {
    Entry one;
    std::memcpy(&one, bytes.data() + i * sizeof(Entry), sizeof(Entry));
    chunk.newest = std::max(chunk.newest, one.at);
    append(one, find(one.hash));
  }
  chunks_.push_back(chunk);
  next_sequence_ = sequence + 1;
  return {};
}

Result<void> SeenWindow::restore(const flow::StateRows& rows) {
  *this = SeenWindow(limits_);
  if (rows.empty()) return {};
  uint64_t count = 0;
  for (const flow::StateRow& row : rows) count += row.value.size() / sizeof(Entry);
  if (count >= (uint64_t{1} << 31)) return unreadable(rows.front().key);
  grow_entries(count);
  grow_table(count);
  bool has_clock = false;
  for (const flow::StateRow& row : rows) {
    if (const auto sequence = sequence_of(row.key)) {
      PENSTOCK_TRY_VOID(restore_chunk(*sequence, row.value));
      continue;
    }
    const auto clock = row.key == kClockKey ? clock_from(row.value) : std::nullopt;
    if (!clock) return unreadable(row.key);
    clock_ = *clock;
    has_clock = true;
  }
  if (!has_clock) return unreadable(kClockKey);
  return {};
}

// ---- the end of an epoch

void SeenWindow::close(Partition partition, Arena& arena, std::vector<flow::StateChange>& changes) {
  PENSTOCK_CHECK(!closed_.touched);
  if (!open_.touched) return;
  std::swap(open_, closed_);
  open_.touched = false;
  if (tail_ == closed_.begin && clock_ == closed_.clock) {
    closed_.touched = false;  // only repeats: nothing is new
    return;
  }
  chunks_before_ = chunks_;
  sequence_before_ = next_sequence_;
  keep_limit();
  reclaim();
  add_chunks();
  merge_small();
  write_rows(partition, arena, changes);
}

// The share of entries that are still needed, from some of them at equal distances.
double SeenWindow::live_share(uint64_t from, int64_t horizon) const {
  const uint64_t count = tail_ - from;
  if (count == 0) return 1.0;
  const uint64_t samples = std::min(count, kSamples);
  uint64_t live = 0;
  for (uint64_t i = 0; i < samples; ++i) {
    live += entry(from + i * count / samples).at >= horizon;
  }
  return static_cast<double>(live) / static_cast<double>(samples);
}

// At the limit an eighth leaves: the horizon moves up to behind it.
void SeenWindow::keep_limit() {
  const uint64_t from = chunks_.empty() ? closed_.begin : chunks_.front().begin;
  const uint64_t count = tail_ - from;
  if (count <= limits_.keys) return;
  const int64_t horizon = clock_.reclaim_horizon(limits_.within_millis);
  std::array<int64_t, kLimitSamples> times{};
  const uint64_t samples = std::min<uint64_t>(count, times.size());
  uint64_t live = 0;
  for (uint64_t i = 0; i < samples; ++i) {
    const int64_t at = entry(from + i * count / samples).at;
    if (at >= horizon) times[live++] = at;
  }
  const double needed =
      static_cast<double>(count) * static_cast<double>(live) / static_cast<double>(samples);
  if (live == 0 || needed <= static_cast<double>(limits_.keys)) return;
  const double leave = 1.0 - static_cast<double>(limits_.keys) * 0.875 / needed;
  const auto behind =
      std::min<uint64_t>(live - 1, static_cast<uint64_t>(leave * static_cast<double>(live)));
  std::nth_element(times.begin(), times.begin() + behind, times.begin() + live);
  if (times[behind] == INT64_MAX) return;
  clock_.floor = std::max(clock_.floor, times[behind] + 1);
  clock_.early += static_cast<uint64_t>(needed * leave);
}

// What is not needed leaves the front. Nothing of it is overwritten before settle().
void SeenWindow::reclaim() {
  const int64_t horizon = clock_.reclaim_horizon(limits_.within_millis);
  const uint64_t look_max = kLookPerEntry * (tail_ - closed_.begin);
  uint64_t looked = 0;
  size_t gone = 0;
  while (gone < chunks_.size()) {
    const Chunk chunk = chunks_[gone];
    if (chunk.newest >= horizon) {
      if (looked > 0 && looked + chunk.size() > look_max) break;
      const bool crowded = tail_ - chunk.begin > limits_.keys;
      if (!crowded && live_share(chunk.begin, horizon) >= 0.5) break;
      looked += chunk.size();
      move_survivors(chunk, horizon);
    }
    ++gone;
  }
  chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<ptrdiff_t>(gone));
}

void SeenWindow::move_survivors(const Chunk& chunk, int64_t horizon) {
  for (uint64_t number = chunk.begin; number < chunk.end; ++number) {
    const Entry one = entry(number);
    if (one.at < horizon) continue;
    const size_t slot = find(one.hash);
    if (table_[slot].tag == 0 || table_[slot].entry != static_cast<uint32_t>(number)) continue;
    closed_.moved.push_back({tail_, number});
    append(one, slot);
  }
}

// The epoch's entries as chunks.
void SeenWindow::add_chunks() {
  uint64_t begin = closed_.begin;
  while (begin < tail_) {
    Chunk chunk{next_sequence_++, begin, std::min(tail_, begin + kChunkEntriesMax), INT64_MIN};
    for (uint64_t number = chunk.begin; number < chunk.end; ++number) {
      chunk.newest = std::max(chunk.newest, entry(number).at);
    }
    begin = chunk.end;
    chunks_.push_back(chunk);
  }
}

// Chunks are neighbours in the ring, so that merging moves no entry.
void SeenWindow::merge_small() {
  while (!chunks_.empty() && chunks_.back().size() < kSmallEntries) {
    const int largest = size_class(chunks_.back().size());
    Chunk merged = chunks_.back();
    size_t count = 0;
    for (; count < chunks_.size(); ++count) {
      const Chunk& one = chunks_[chunks_.size() - 1 - count];
      const bool fits = merged.end - one.begin <= kChunkEntriesMax;
      if (one.size() >= kSmallEntries || size_class(one.size()) > largest || !fits) break;
      merged.begin = one.begin;
      merged.newest = std::max(merged.newest, one.newest);
    }
    if (count < kTier) return;
    merged.sequence = next_sequence_++;
    chunks_.resize(chunks_.size() - count);
    chunks_.push_back(merged);
  }
}

std::string_view SeenWindow::chunk_bytes(const Chunk& chunk, Arena& arena) const {
  const auto bytes = arena.array<char>(chunk.size() * sizeof(Entry));
  const uint64_t start = chunk.begin & (entries_.size() - 1);
  const uint64_t first = std::min(chunk.size(), entries_.size() - start);
  std::memcpy(bytes.data(), &entries_[start], first * sizeof(Entry));
  if (first < chunk.size()) {
    std::memcpy(bytes.data() + first * sizeof(Entry), entries_.data(),
                (chunk.size() - first) * sizeof(Entry));
  }
  return {bytes.data(), bytes.size()};
}

// The difference between the chunks before and now: both are in order of their numbers.
void SeenWindow::write_rows(Partition partition, Arena& arena,
                            std::vector<flow::StateChange>& changes) const {
  auto now = chunks_.begin();
  for (const Chunk& chunk : chunks_before_) {
    while (now != chunks_.end() && now->sequence < chunk.sequence) ++now;
    if (now != chunks_.end() && now->sequence == chunk.sequence) continue;
    changes.push_back({partition, row_key(chunk.sequence, arena), {}, true});
  }
  for (const Chunk& chunk : chunks_) {
    if (chunk.sequence < sequence_before_) continue;
    changes.push_back(
        {partition, row_key(chunk.sequence, arena), chunk_bytes(chunk, arena), false});
  }
  changes.push_back(
      {partition, kClockKey, arena.copy(clock_text(clock_, limits_.within_millis)), false});
}

}  // namespace penstock::step
