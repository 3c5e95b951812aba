#include "avro/pen.h"

#include "avro/cursor.h"
#include "avro/write.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace penstock::avro {
namespace {

TEST_CASE("a pen's varints are those of the plain loop, at every width") {
  for (int bit = 0; bit < 64; ++bit) {
    for (const int64_t step : {-1, 0, 1}) {
      const auto power = static_cast<int64_t>((uint64_t{1} << bit) + static_cast<uint64_t>(step));
      for (const int64_t value : {power, static_cast<int64_t>(0 - static_cast<uint64_t>(power))}) {
        std::string expected;
        append_long(value, expected);
        char room[kPenRoom];
        Pen pen{.at = room, .end = room + sizeof room};
        pen.varint(zigzag(value));
        CHECK(std::string(room, pen.at) == expected);
      }
    }
  }
}

TEST_CASE("a pen copies every size as it is, and writes no further than it may") {
  std::string from;
  for (int at = 0; at < 200; ++at) from += static_cast<char>('!' + at % 90);
  for (size_t size = 0; size <= 150; ++size) {
    for (const bool near : {false, true}) {
      std::vector<char> room(size + kPenRoom + 8, '#');
      Pen pen{.at = room.data(), .end = room.data() + size + kPenRoom};
      near ? pen.bytes_near(from.data(), size, from.size()) : pen.bytes(from.data(), size);
      CHECK(std::string(room.data(), pen.at) == from.substr(0, size));
      CHECK(std::string(room.end() - 8, room.end()) == "########");
    }
  }
}

}  // namespace
}  // namespace penstock::avro
