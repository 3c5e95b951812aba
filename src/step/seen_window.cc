// The ring, the table and what undoes them; what close() writes: seen_rows.cc.
#include "step/seen_window.h"

#include "base/check.h"

#include <algorithm>
#include <utility>

namespace penstock::step {
namespace {

constexpr size_t kFewestSlots = 64;

int64_t before(int64_t at, int64_t within) {
  return at < INT64_MIN + within ? INT64_MIN : at - within;
}

// Five eighths full at most.
uint64_t slots_for(uint64_t entries) {
  return std::max<uint64_t>(kFewestSlots, std::bit_ceil(entries * 8 / 5 + 1));
}

}  // namespace

// ---- the clock

void SeenClock::observe(uint64_t sender, int64_t at, int64_t within) {
  if (senders == 0) {
    senders = 1;
    first_sender = lone_sender = sender;
    first_at = at;
  } else if (sender == first_sender) {
    first_at = std::max(first_at, at);
  } else if (senders == 1 || (sender != second_sender && at > second_at)) {
    if (senders == 1) lone_floor = std::max(lone_floor, before(first_at, within));
    senders = 2;
    second_sender = sender;
    second_at = at;
  } else if (sender == second_sender) {
    second_at = std::max(second_at, at);
  }
  if (second_at > first_at) {
    std::swap(first_sender, second_sender);
    std::swap(first_at, second_at);
  }
}

int64_t SeenClock::horizon(uint64_t sender, int64_t within) const {
  const int64_t general = senders == 2 ? std::max(floor, before(second_at, within)) : floor;
  if (sender != lone_sender || senders == 0) return general;
  const int64_t own = senders == 1 ? before(first_at, within) : INT64_MIN;
  return std::max({general, own, lone_floor});
}

int64_t SeenClock::reclaim_horizon(int64_t within) const {
  return senders == 1 ? horizon(lone_sender, within)
                      : std::max(floor, senders == 2 ? before(second_at, within) : INT64_MIN);
}

// ---- records

// The place of a hash in the table, or the empty one where it would be.
size_t SeenWindow::find(const Hash128& hash) const {
  const uint32_t tag = tag_of(hash);
  const size_t mask = table_.size() - 1;
  size_t at = tag & mask;
  while (table_[at].tag != 0) {
    if (table_[at].tag == tag && entry(table_[at].entry).hash == hash) break;
    at = (at + 1) & mask;
  }
  return at;
}

void SeenWindow::touch() {
  if (open_.touched) return;
  open_.touched = true;
  open_.begin = tail_;
  open_.clock = clock_;
  open_.moved.clear();
}

Sight SeenWindow::see(uint64_t sender, const Hash128& hash, int64_t at) {
  touch();
  clock_.observe(sender, at, limits_.within_millis);
  const int64_t horizon = clock_.horizon(sender, limits_.within_millis);
  if (at < horizon) return Sight::late;
  if (slots_for(used_slots_ + 1) > table_.size()) grow_table(used_slots_ + 1);
  const size_t slot = find(hash);
  if (table_[slot].tag != 0) {
    if (entry(table_[slot].entry).at >= horizon) return Sight::repeat;
    // Forgotten, only not yet swept: not known any more, whether swept or not.
    const uint32_t distance = static_cast<uint32_t>(tail_) - table_[slot].entry;
    open_.moved.push_back({tail_, tail_ - distance});
  }
  append({hash, at}, slot);
  return Sight::fresh;
}

void SeenWindow::append(const Entry& fresh, size_t slot) {
  if (tail_ - front_ >= entries_.size()) grow_entries(tail_ - front_ + 1);
  entry(tail_) = fresh;
  if (table_[slot].tag == 0) ++used_slots_;
  table_[slot] = {tag_of(fresh.hash), static_cast<uint32_t>(tail_)};
  ++tail_;
}

void SeenWindow::grow_entries(uint64_t wanted) {
  const uint64_t size = std::max<uint64_t>(kFewestSlots, std::bit_ceil(wanted));
  PENSTOCK_CHECK(size <= (uint64_t{1} << 31));
  if (size <= entries_.size()) return;
  std::vector<Entry> larger(size);
  for (uint64_t number = front_; number < tail_; ++number) {
    larger[number & (size - 1)] = entry(number);
  }
  entries_ = std::move(larger);
}

void SeenWindow::grow_table(uint64_t wanted) {
  const std::vector<Slot> old = std::exchange(table_, std::vector<Slot>(slots_for(wanted)));
  const size_t mask = table_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.tag == 0) continue;
    size_t at = slot.tag & mask;
    while (table_[at].tag != 0) at = (at + 1) & mask;
    table_[at] = slot;
  }
}

// What comes after it moves up, so that no tombs are needed.
void SeenWindow::erase_slot(size_t slot) {
  const size_t mask = table_.size() - 1;
  size_t hole = slot;
  for (size_t at = (slot + 1) & mask; table_[at].tag != 0; at = (at + 1) & mask) {
    const size_t home = table_[at].tag & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;  // it would stand before its home
    table_[hole] = table_[at];
    hole = at;
  }
  table_[hole] = {};
  --used_slots_;
}

// ---- ends of epochs

// Sweeps what left with the epoch: nobody asks for it back.
void SeenWindow::settle() {
  closed_.touched = false;
  closed_.moved.clear();
  const uint64_t kept = !chunks_.empty() ? chunks_.front().begin
                        : open_.touched  ? open_.begin
                                         : tail_;
  constexpr uint64_t kAhead = 8;
  for (; front_ < kept; ++front_) {
    if (front_ + kAhead < kept) prefetch(entry(front_ + kAhead).hash);
    const size_t slot = find(entry(front_).hash);
    if (table_[slot].tag != 0 && table_[slot].entry == static_cast<uint32_t>(front_)) {
      erase_slot(slot);
    }
  }
}

void SeenWindow::undo(Epoch& epoch) {
  if (!epoch.touched) return;
  while (tail_ > epoch.begin) {
    --tail_;
    const size_t slot = find(entry(tail_).hash);
    PENSTOCK_CHECK(table_[slot].tag != 0);
    uint64_t from = 0;
    bool moved = !epoch.moved.empty() && epoch.moved.back().to == tail_;
    if (moved) {
      from = epoch.moved.back().from;
      epoch.moved.pop_back();
      moved = from >= front_;  // else it was swept: behind the horizon of what is durable
    }
    if (moved) {
      table_[slot].entry = static_cast<uint32_t>(from);
    } else {
      erase_slot(slot);
    }
  }
  clock_ = epoch.clock;
  epoch.touched = false;
}

void SeenWindow::undo_open() { undo(open_); }

void SeenWindow::undo_closed() {
  PENSTOCK_CHECK(!open_.touched);
  if (!closed_.touched) return;
  undo(closed_);
  chunks_ = chunks_before_;
  next_sequence_ = sequence_before_;
}

uint64_t SeenWindow::bytes() const {
  return entries_.capacity() * sizeof(Entry) + table_.capacity() * sizeof(Slot) +
         (chunks_.capacity() + chunks_before_.capacity()) * sizeof(Chunk);
}

}  // namespace penstock::step
