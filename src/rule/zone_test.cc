#include "rule/zone.h"

#include "rule/time.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::rule {
namespace {

void append_number(std::string& out, int64_t value, int width) {
  for (int shift = 8 * (width - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift));
}

void append_header(std::string& out, size_t times, size_t types) {
  out += "TZif2" + std::string(15, '\0');
  for (const size_t count : {size_t{0}, size_t{0}, size_t{0}, times, types, size_t{4}})
    append_number(out, static_cast<int64_t>(count), 4);
}

// One hour east until 1000 s, two until 2000 s, one hour again; `rule` is the footer.
std::string zone_file(std::string_view rule) {
  std::string out;
  append_header(out, 0, 1);
  out += std::string(6 + 4, '\0');
  append_header(out, 2, 2);
  append_number(out, 1'000, 8);
  append_number(out, 2'000, 8);
  out += std::string("\1\0", 2);
  for (const int64_t offset : {3'600, 7'200}) {
    append_number(out, offset, 4);
    out += std::string(2, '\0');
  }
  return out + "CET" + std::string(1, '\0') + "\n" + std::string(rule) + "\n";
}

std::vector<std::string>& asked() {
  static std::vector<std::string> names;
  return names;
}

std::string given(std::string_view name) {
  asked().emplace_back(name);
  if (name == "Test/Fixed") return zone_file("CET-1");
  if (name == "Test/Ruled") return zone_file("CET-1CEST,M3.5.0,M10.5.0/3");
  if (name == "Test/Torn") return zone_file("CET-1").substr(0, 120);
  if (name == "Test/Huge") return zone_file("CET-1") + std::string(2 << 20, 'x');
  return "";
}

TEST_CASE("a named zone is what the given file says, asked once") {
  set_zone_files(given);
  CHECK(zone_offset("Test/Fixed", {999, 0}) == 3'600);
  CHECK(zone_offset("Test/Fixed", {1'000, 0}) == 7'200);
  CHECK(zone_offset("Test/Fixed", {1'999, 0}) == 7'200);
  CHECK(zone_offset("Test/Fixed", {2'000, 0}) == 3'600);
  CHECK(asked() == std::vector<std::string>{"Test/Fixed"});
  CHECK(zone_offset("Test/Ruled", {1'500, 0}) == 7'200);
  CHECK(zone_offset("Test/Ruled", {2'500, 0}) == std::nullopt);  // its rule is not read here
  asked().clear();
  set_zone_files(nullptr);
}

TEST_CASE("damaged, huge and missing zone files and names that are paths are no zones") {
  set_zone_files(given);
  for (const std::string_view name : {"Test/Torn", "Test/Huge", "Test/Missing"})
    CHECK(zone_offset(name, {0, 0}) == std::nullopt);
  CHECK(asked().size() == 3);
  for (const std::string_view name : {"../etc/passwd", "/etc/passwd", "Test/../Fixed", "a b"})
    CHECK(zone_offset(name, {0, 0}) == std::nullopt);
  CHECK(asked().size() == 3);
  asked().clear();
  set_zone_files(nullptr);
  CHECK(zone_offset("Test/Unasked", {0, 0}) == std::nullopt);
}

}  // namespace
}  // namespace penstock::rule
