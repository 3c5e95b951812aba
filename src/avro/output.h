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

#include "avro/pen.h"
#include "base/units.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace penstock::avro {

class Output {
 public:
  explicit Output(std::string& out) : out_(out), base_(out.size()) { open(out.capacity(), base_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // A loop that writes much takes the pen, asks for room where it runs out, and gives the pen back
  // before anything else is called here.
  Pen take_pen() const { return pen_; }
  void give_back(Pen pen) { pen_ = pen; }
  [[gnu::noinline]] Pen more_room(Pen pen, size_t size) {
    pen_ = pen;
    grow(size);
    return pen_;
  }

  void append(const char* bytes, size_t size) {
    want(size);
    pen_.bytes(bytes, size);
  }
  // The same, where 16 bytes may be read at `bytes` whatever `size` is, if `readable` is not less.
  [[gnu::always_inline]] void append_short(const char* bytes, size_t size, size_t readable) {
    want(size);
    pen_.bytes_near(bytes, size, readable);
  }
  void varint(uint64_t value) {
    want(0);
    pen_.varint(value);
  }
  template <class T>
  void raw(T value) {
    want(0);
    pen_.raw(value);
  }

  size_t written() const { return static_cast<size_t>(pen_.at - out_.data()) - base_; }
  void close() { out_.resize(static_cast<size_t>(pen_.at - out_.data())); }
  void roll_back() { out_.resize(base_); }

 private:
  void want(size_t size) {
    if (pen_.left() < size + kPenRoom) [[unlikely]]
      grow(size + kPenRoom);
  }
  // Takes the string's spare capacity as it is, without filling it.
  void open(size_t capacity, size_t used) {
    out_.resize_and_overwrite(capacity, [](char*, size_t size) { return size; });
    pen_ = {.at = out_.data() + used, .end = out_.data() + capacity};
  }
  [[gnu::noinline]] void grow(size_t size) {
    const size_t used = static_cast<size_t>(pen_.at - out_.data());
    const size_t wanted = std::max(used + size, 2 * out_.capacity());
    out_.reserve(std::max<size_t>(wanted, 256));
    open(out_.capacity(), used);
  }

  std::string& out_;
  size_t base_;
  Pen pen_;
};

}  // namespace penstock::avro
