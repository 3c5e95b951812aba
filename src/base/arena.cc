#include "base/arena.h"

#include <algorithm>

namespace penstock {
namespace {
constexpr size_t kBlockBytes = 64 * 1024;
constexpr size_t kKeepBytes = 16 * 1024 * 1024;
}  // namespace

void* Arena::allocate_slow(size_t bytes) {
  size_t next = capacity_ == 0 ? 0 : current_ + 1;
  while (next < blocks_.size() && blocks_[next].size_bytes < bytes) ++next;
  if (next == blocks_.size()) {
    const size_t size_bytes = std::max(bytes, kBlockBytes);
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size_bytes), size_bytes});
    footprint_bytes_ += size_bytes;
  }
  current_ = next;
  block_ = blocks_[next].memory.get();
  capacity_ = blocks_[next].size_bytes;
  used_ = bytes;
  return block_;
}

void Arena::reset() {
  while (footprint_bytes_ > kKeepBytes) {
    footprint_bytes_ -= blocks_.back().size_bytes;
    blocks_.pop_back();
  }
  block_ = nothing_;
  used_ = 0;
  capacity_ = 0;
  current_ = 0;
}

}  // namespace penstock
