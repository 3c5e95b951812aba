// output.h — appending to a string through a raw pointer, so that small pieces cost no call.
//
// Between construction and close() or roll_back() the string is this object's: nobody else may look
// at it.
//
// Thread      one owner.
// Lifetime    of one datum; the string keeps its capacity, so that a steady state allocates
// nothing.
//
//     Output to(out);
//     to.append(view); to.varint(zigzag(7));
//     if (fits) to.close(); else to.roll_back();
#pragma once

#include "base/units.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

namespace penstock::avro {

class Output {
 public:
  explicit Output(std::string& out) : out_(out), base_(out.size()) { open(out.capacity(), base_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Room for `size` more bytes; write there, then advance().
  char* room(size_t size) {
    if (static_cast<size_t>(end_ - at_) < size) [[unlikely]]
      grow(size);
    return at_;
  }
  void advance(size_t size) { at_ += size; }

  void append(const char* bytes, size_t size) {
    char* to = room(size + 16);
    if (size <= 16) {
      copy_short(to, bytes, size);
    } else {
      std::memcpy(to, bytes, size);
    }
    at_ += size;
  }
  // The same, where 16 bytes may be read at `bytes` whatever `size` is, if `readable` is not less.
  void append_short(const char* bytes, size_t size, size_t readable) {
    if (size > 16 || readable < 16) return append(bytes, size);
    std::memcpy(room(16), bytes, 16);
    at_ += size;
  }
  void append(ByteView bytes) { append(bytes.data(), bytes.size()); }

  void varint(uint64_t value) {
    char* to = room(10);
    if (value < 0x80) {
      *to = static_cast<char>(value);
      ++at_;
      return;
    }
    while (value >= 0x80) {
      *to++ = static_cast<char>(value | 0x80);
      value >>= 7;
    }
    *to++ = static_cast<char>(value);
    at_ = to;
  }
  // A string or bytes: its length, then itself.
  void sized(ByteView bytes) {
    const size_t size = bytes.size();
    if (size >= 0x40) return varint(size << 1), append(bytes);
    char* to = room(1 + 0x40);
    *to++ = static_cast<char>(size << 1);
    if (size <= 16) {
      copy_short(to, bytes.data(), size);
    } else {
      copy_medium(to, bytes.data(), size);
    }
    at_ = to + size;
  }
  template <class T>
  void raw(T value) {
    std::memcpy(room(sizeof value), &value, sizeof value);
    at_ += sizeof value;
  }

  size_t written() const { return static_cast<size_t>(at_ - out_.data()) - base_; }
  void close() { out_.resize(static_cast<size_t>(at_ - out_.data())); }
  void roll_back() { out_.resize(base_); }

 private:
  static void copy_short(char* to, const char* from, size_t size) {
    if (size >= 8) {
      uint64_t head = 0;
      uint64_t tail = 0;
      std::memcpy(&head, from, 8);
      std::memcpy(&tail, from + size - 8, 8);
      std::memcpy(to, &head, 8);
      std::memcpy(to + size - 8, &tail, 8);
    } else if (size >= 4) {
      uint32_t head = 0;
      uint32_t tail = 0;
      std::memcpy(&head, from, 4);
      std::memcpy(&tail, from + size - 4, 4);
      std::memcpy(to, &head, 4);
      std::memcpy(to + size - 4, &tail, 4);
    } else {
      for (size_t at = 0; at < size; ++at) to[at] = from[at];
    }
  }
  // 16 < size < 64: whole words, the last of which may lie over the one before.
  static void copy_medium(char* to, const char* from, size_t size) {
    for (size_t at = 0; at + 16 < size; at += 16) std::memcpy(to + at, from + at, 16);
    std::memcpy(to + size - 16, from + size - 16, 16);
  }
  // Takes the string's spare capacity as it is, without filling it.
  void open(size_t capacity, size_t used) {
    out_.resize_and_overwrite(capacity, [](char*, size_t size) { return size; });
    at_ = out_.data() + used;
    end_ = out_.data() + capacity;
  }
  [[gnu::noinline]] void grow(size_t size) {
    const size_t used = static_cast<size_t>(at_ - out_.data());
    const size_t wanted = std::max(used + size, 2 * out_.capacity());
    out_.reserve(std::max<size_t>(wanted, 256));
    open(out_.capacity(), used);
  }

  std::string& out_;
  size_t base_;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace penstock::avro
