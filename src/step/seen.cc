#include "step/seen.h"

#include "step/seen_window.h"

#include <utility>

namespace penstock::step {

Seen::Seen(std::string name, SeenLimits limits) : name_(std::move(name)), limits_(limits) {}
Seen::~Seen() = default;
Seen::Seen(Seen&&) noexcept = default;

SeenWindow& Seen::window(Partition partition) {
  std::unique_ptr<SeenWindow>& window = windows_[partition];
  if (window == nullptr) window = std::make_unique<SeenWindow>(limits_);
  return *window;
}

Result<void> Seen::restore(Partition partition, const flow::StateRows& rows) {
  return window(partition).restore(rows);
}

void Seen::forget(Partition partition) { windows_.erase(partition); }

void Seen::close(Arena& arena, std::vector<flow::StateChange>& changes) {
  for (auto& [partition, window] : windows_) window->close(partition, arena, changes);
}

void Seen::settle() {
  for (auto& entry : windows_) entry.second->settle();
}

void Seen::undo_open() {
  for (auto& entry : windows_) entry.second->undo_open();
}

void Seen::undo_closed() {
  for (auto& entry : windows_) entry.second->undo_closed();
}

flow::Memory::Size Seen::size() const {
  Size size;
  for (const auto& entry : windows_) {
    size.entries += entry.second->entries();
    size.bytes += entry.second->bytes();
    size.early += entry.second->clock().early;
  }
  return size;
}

}  // namespace penstock::step
