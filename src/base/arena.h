// arena.h — memory that is given back all at once.
//
// Thread      one owner, no locks.
// Lifetime    everything allocated stays until reset() or the arena's end. reset() keeps the
// blocks, so that a
//             steady state allocates nothing.
// Limits      blocks of 64 KiB; a larger request gets a block of its own.
//
//     std::span<int64_t> column = arena.array<int64_t>(rows);   // uninitialised
//     std::string_view kept = arena.copy(view);
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace penstock {

class Arena {
 public:
  Arena() = default;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `bytes` of memory aligned to `align` (a power of two, at most 16). Never null; 0 bytes is fine.
  void* allocate(size_t bytes, size_t align = 8) {
    const size_t start = (used_ + align - 1) & ~(align - 1);
    if (start + bytes <= capacity_) [[likely]] {
      used_ = start + bytes;
      return block_ + start;
    }
    return allocate_slow(bytes);
  }

  template <class T>
  std::span<T> array(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return {static_cast<T*>(allocate(count * sizeof(T), alignof(T))), count};
  }

  std::string_view copy(std::string_view bytes) {
    if (bytes.empty()) return {"", 0};
    char* to = static_cast<char*>(allocate(bytes.size(), 1));
    std::memcpy(to, bytes.data(), bytes.size());
    return {to, bytes.size()};
  }

  // Forgets everything; keeps at most 16 MiB of blocks for the next use.
  void reset();
  // Bytes in blocks now, used or not.
  size_t footprint_bytes() const { return footprint_bytes_; }

 private:
  void* allocate_slow(size_t bytes);
  struct Block {
    std::unique_ptr<char[]> memory;
    size_t size_bytes;
  };
  // Where 0 bytes lie while there is no block.
  alignas(16) static inline char nothing_[16] = {};
  char* block_ = nothing_;
  size_t used_ = 0;
  size_t capacity_ = 0;
  size_t current_ = 0;  // index in blocks_ of block_, when capacity_ > 0
  std::vector<Block> blocks_;
  size_t footprint_bytes_ = 0;
};

}  // namespace penstock
