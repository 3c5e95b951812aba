// JSON text and memory: what hostile bytes and no bytes become.
#include "base/json_write.h"

#include "base/arena.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

namespace penstock {
namespace {

std::string string_of(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

std::string number_of(double value) {
  std::string out;
  append_json_number(value, out);
  return out;
}

constexpr const char* kReplaced = "\xef\xbf\xbd";

std::string replaced(int count) {
  std::string out = "\"";
  while (count-- > 0) out += kReplaced;
  return out + "\"";
}

}  // namespace

TEST_CASE("JSON strings escape what has to be escaped") {
  CHECK(string_of("a\"b\\c/d") == R"("a\"b\\c/d")");
  CHECK(string_of("\n\r\t") == R"("\n\r\t")");
  CHECK(string_of(std::string_view("\x00\x1f\x7f", 3)) == R"("\u0000\u001f\u007f")");
  CHECK(string_of("") == "\"\"");
}

TEST_CASE("well-formed UTF-8 stays as it is") {
  for (const char* text :
       {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "kWh \xe2\x82\xac"})
    CHECK(string_of(text) == '"' + std::string(text) + '"');
}

TEST_CASE("each byte that is not UTF-8 becomes U+FFFD") {
  CHECK(string_of("\x80") == replaced(1));
  CHECK(string_of("\xff\xfe") == replaced(2));
  CHECK(string_of("\xc0\x80") == replaced(2));          // overlong
  CHECK(string_of("\xe0\x9f\xbf") == replaced(3));      // overlong
  CHECK(string_of("\xed\xa0\x80") == replaced(3));      // a surrogate
  CHECK(string_of("\xf0\x8f\xbf\xbf") == replaced(4));  // overlong
  CHECK(string_of("\xf4\x90\x80\x80") == replaced(4));  // above U+10FFFF
  CHECK(string_of("\xe2\x82") == replaced(2));          // cut off
  CHECK(string_of("\xe2\x82x") == "\"" + std::string(kReplaced) + kReplaced + "x\"");
}

TEST_CASE("JSON numbers are short and read back; what JSON lacks is null") {
  CHECK(number_of(0.1) == "0.1");
  CHECK(number_of(-2) == "-2");
  CHECK(std::strtod(number_of(1.0 / 3).c_str(), nullptr) == 1.0 / 3);
  CHECK(std::strtod(number_of(5e-324).c_str(), nullptr) == 5e-324);
  CHECK(number_of(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(number_of(-std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("quoted text is cut between characters") {
  CHECK(quoted("m1") == "\"m1\"");
  CHECK(quoted(std::string(200, 'x')) == '"' + std::string(200, 'x') + '"');
  CHECK(quoted(std::string(201, 'x')) == '"' + std::string(200, 'x') + "\xe2\x80\xa6\"");
  const std::string euros = std::string(198, 'x') + "\xe2\x82\xac\xe2\x82\xac";
  CHECK(quoted(euros) == '"' + std::string(198, 'x') + "\xe2\x80\xa6\"");
  CHECK(quoted(std::string(1000, '\x80')).size() < 700);
}

TEST_CASE("an arena's memory is never null and is used again") {
  Arena arena;
  CHECK(arena.allocate(0) != nullptr);
  CHECK(arena.array<int64_t>(0).data() != nullptr);
  CHECK(arena.copy("").data() != nullptr);
  const std::string_view kept = arena.copy("kept");
  void* large = arena.allocate(1 << 20);
  arena.copy("x");
  auto* aligned = arena.allocate(16, 16);
  CHECK(reinterpret_cast<uintptr_t>(aligned) % 16 == 0);
  CHECK(kept == "kept");
  const size_t footprint = arena.footprint_bytes();
  for (int round = 0; round < 3; ++round) {
    arena.reset();
    CHECK(arena.allocate(0) != nullptr);
    arena.copy("kept");
    CHECK(arena.allocate(1 << 20) == large);
  }
  CHECK(arena.footprint_bytes() == footprint);
  arena.allocate(20 << 20);
  arena.reset();
  CHECK(arena.footprint_bytes() <= 16 << 20);
}

}  // namespace penstock
