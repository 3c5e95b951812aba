#include "engine/chain_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::engine {
namespace {

std::string_view joined(std::string_view prefix, std::string_view key, Arena& arena) {
  const auto bytes = arena.array<char>(prefix.size() + key.size());
  std::ranges::copy(key, std::ranges::copy(prefix, bytes.data()).out);
  return {bytes.data(), bytes.size()};
}

}  // namespace

std::unique_ptr<ChainMemory> ChainMemory::make(std::span<const std::unique_ptr<flow::Step>> steps) {
  auto made = std::make_unique<ChainMemory>();
  for (const auto& step : steps) {
    flow::Memory* memory = step->memory();
    if (memory == nullptr) continue;
    std::string prefix = fmt::format("{}/", memory->name());
    const auto taken = [&] {
      return std::ranges::find(made->parts_, prefix, &Part::prefix) != made->parts_.end();
    };
    for (int again = 2; taken(); ++again) {
      prefix = fmt::format("{} #{}/", memory->name(), again);
    }
    made->parts_.push_back({std::move(prefix), memory});
  }
  return made->parts_.empty() ? nullptr : std::move(made);
}

Result<void> ChainMemory::restore(Partition partition, const flow::StateRows& rows) {
  std::erase_if(strays_, [&](const Stray& stray) { return stray.partition == partition; });
  std::vector<flow::StateRows> shares(parts_.size());
  for (const flow::StateRow& row : rows) {
    const auto part =
        std::ranges::find_if(parts_, [&](const Part& p) { return row.key.starts_with(p.prefix); });
    if (part == parts_.end()) {
      strays_.push_back({partition, row.key, false});
    } else {
      shares[static_cast<size_t>(part - parts_.begin())].push_back(
          {row.key.substr(part->prefix.size()), row.value});
    }
  }
  for (size_t i = 0; i < parts_.size(); ++i) {
    PENSTOCK_TRY_VOID(parts_[i].memory->restore(partition, shares[i]));
  }
  return {};
}

void ChainMemory::forget(Partition partition) {
  std::erase_if(strays_, [&](const Stray& stray) { return stray.partition == partition; });
  for (const Part& part : parts_) part.memory->forget(partition);
}

void ChainMemory::close(Arena& arena, std::vector<flow::StateChange>& changes) {
  for (const Part& part : parts_) {
    scratch_.clear();
    part.memory->close(arena, scratch_);
    for (const flow::StateChange& change : scratch_) {
      changes.push_back(
          {change.input, joined(part.prefix, change.key, arena), change.value, change.gone});
    }
  }
  const size_t own = changes.size();
  for (Stray& stray : strays_) {
    const auto end = changes.begin() + static_cast<ptrdiff_t>(own);
    stray.told = std::find_if(changes.begin(), end, [&](const flow::StateChange& change) {
                   return change.input == stray.partition;
                 }) != end;
    if (stray.told) changes.push_back({stray.partition, arena.copy(stray.key), {}, true});
  }
}

void ChainMemory::settle() {
  std::erase_if(strays_, [](const Stray& stray) { return stray.told; });
  for (const Part& part : parts_) part.memory->settle();
}

void ChainMemory::undo_open() {
  for (const Part& part : parts_) part.memory->undo_open();
}

void ChainMemory::undo_closed() {
  for (Stray& stray : strays_) stray.told = false;
  for (const Part& part : parts_) part.memory->undo_closed();
}

flow::Memory::Size ChainMemory::size() const {
  Size sum;
  for (const Part& part : parts_) {
    const Size one = part.memory->size();
    sum.entries += one.entries;
    sum.bytes += one.bytes;
    sum.early += one.early;
  }
  return sum;
}

}  // namespace penstock::engine
